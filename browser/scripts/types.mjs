// Makes one declaration file for each entry: what it exports, and what that needs.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { entries } from "./entries.mjs";

/** Gives the text of each declaration file by its name in dist. Works in the empty folder `temp`. */
export function buildTypes(root, temp) {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", join(root, "tsconfig.build.json"), "--outDir", temp], { stdio: "inherit" });
  const sources = new Map();
  for (const file of readdirSync(temp, { recursive: true }).filter((name) => name.endsWith(".d.ts")).sort()) {
    sources.set(join("src", file.replace(/\.d\.ts$/, ".ts")), parse(readFileSync(join(temp, file), "utf8")));
  }
  const typed = entries.filter((entry) => entry.types);
  const exported = new Map(); // "source#name" of a declaration → the first entry that exports it
  for (const entry of typed) {
    const declared = declaredFor(entry.source, sources);
    for (const { name } of exportsOf(entry.source, sources)) {
      const key = `${declared.get(name)?.source}#${name}`;
      if (!exported.has(key)) exported.set(key, entry);
    }
  }
  return new Map(typed.map((entry) => [entry.types, declarationsOf(entry, sources, exported)]));
}

/** Gives what is declared in a source and in all that it reaches: name → { text, source }. */
function declaredFor(entrySource, sources) {
  const declared = new Map();
  const reached = new Set([entrySource]);
  for (const source of reached) {
    const { declarations, reaches } = sources.get(source);
    for (const [name, text] of declarations) {
      if (declared.has(name)) throw new Error(`two declarations of ${name}: in ${declared.get(name).source} and ${source}`);
      declared.set(name, { text, source });
    }
    for (const path of reaches) reached.add(join(dirname(source), path)); // visited by this same loop
  }
  return declared;
}

/** Splits a declaration file into its declarations, and the lists that name others. */
function parse(text) {
  const declarations = new Map(); // name → text
  const augmentations = []; // declare module … { … }, declare global { … }
  let comment = "";
  for (const part of text.split(/^(?=\/\*\*|export |import |declare |interface |type )/m)) {
    if (part.startsWith("/**")) {
      comment = part;
      continue;
    }
    const name = /^(?:export )?(?:declare )?(?:abstract )?(?:interface|type|class|function|const) (\w+)/.exec(part)?.[1];
    const body = part.replace(/^export \{\};\n/m, "");
    if (name) {
      const plain = body.replace(/^export /, "").replace(/^(?=class|abstract class|function|const)/, "declare ");
      declarations.set(name, (declarations.get(name) ?? "") + comment + plain); // overloads come one after the other
    } else if (/^declare (module|global)/.test(part)) augmentations.push(comment + body);
    comment = "";
  }
  return {
    declarations,
    augmentations,
    own: [...text.matchAll(/^export (?:declare )?(?:abstract )?(interface|type|class|function|const) (\w+)/gm)].map(([, kind, name]) => ({
      name,
      type: kind === "interface" || kind === "type",
    })),
    lists: [...text.matchAll(/^export (type )?\{ ([^}]+) \} from "([^"]+)"/gm)].flatMap(([, type, list, from]) =>
      list.split(/,\s*/).map((name) => name.trim()).filter(Boolean).map((name) => ({ name: name.replace("type ", ""), type: Boolean(type) || name.startsWith("type "), from })),
    ),
    stars: [...text.matchAll(/^export \* from "([^"]+)"/gm)].map(([, from]) => from),
    reaches: [...text.matchAll(/\bfrom "(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/g)].map(([, from, lazy]) => from ?? lazy),
    packages: [...text.matchAll(/^import .* from "([^."][^"]*)";$/gm)].map(([line]) => line),
  };
}

/** What a source exports, itself or from others: [{ name, type }]. */
function exportsOf(source, sources) {
  const { own, lists, stars } = sources.get(source);
  const others = stars.flatMap((from) => exportsOf(join(dirname(source), from), sources));
  return [...own, ...lists, ...others].filter(({ name }, i, all) => all.findIndex((e) => e.name === name) === i);
}

function declarationsOf(entry, sources, exported) {
  const declared = declaredFor(entry.source, sources);
  const list = exportsOf(entry.source, sources);
  const used = new Set(list.map(({ name }) => name));
  const from = new Map(); // other entry → names to import from it
  const inside = sources.get(entry.source).augmentations;
  const mention = (text) => {
    for (const name of declared.keys()) if (new RegExp(`\\b${name}\\b`).test(withoutComments(text))) used.add(name);
  };
  inside.forEach(mention);
  const texts = [];
  for (const name of used) {
    if (!declared.has(name)) throw new Error(`${entry.source}: no declaration of ${name}`);
    const home = exported.get(`${declared.get(name).source}#${name}`);
    if (home && home !== entry) {
      const path = `./${relative(dirname(entry.types), home.types).replace(/\.d\.ts$/, ".js")}`.replace("./../", "../");
      from.set(path, [...(from.get(path) ?? []), name]);
      continue;
    }
    const { text } = declared.get(name);
    texts.push(text.trimEnd() + "\n\n");
    mention(text); // what is added to used is visited by this same loop
  }
  const all = withoutComments([...texts, ...inside].join("\n"));
  const valueNames = new Set(list.filter(({ type }) => !type).map(({ name }) => name));
  const needed = (line) => /\{ (.*) \}/.exec(line)[1].split(", ").some((name) => new RegExp(`\\b${name.replace("type ", "")}\\b`).test(all));
  const packages = [...new Set([...sources.values()].flatMap(({ packages }) => packages))].filter(needed);
  const links = [...from].map(([path, names]) => {
    const marked = names.map((name) => (valueNames.has(name) ? name : `type ${name}`));
    return `import { ${marked.join(", ")} } from "${path}";`;
  });
  const head = [...packages, ...links].join("\n");
  const names = list.map(({ name, type }) => (type ? `type ${name}` : name));
  return (head && head + "\n\n") + texts.join("") + inside.map((text) => text.trimEnd() + "\n\n").join("") + `export { ${names.join(", ")} };\n`;
}

function withoutComments(text) {
  return text.replace(/\/\*\*[^]*?\*\//g, "");
}
