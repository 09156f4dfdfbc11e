// Builds dist: the module that browsers load, and one file of types.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build as bundle } from "esbuild";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** Gives `use` a new folder that is gone afterwards. */
export async function inTempFolder(use, parent = tmpdir()) {
  const folder = mkdtempSync(join(parent, "sojourn-browser-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Builds everything into `folder`. The same sources always give the same bytes. */
export async function build(folder) {
  mkdirSync(folder, { recursive: true });
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  await bundle({
    absWorkingDir: root,
    entryPoints: ["src/index.ts"],
    outfile: join(folder, "sojourn.js"),
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    charset: "utf8",
    banner: { js: `/*! @sojourn/browser ${version} | MIT */` },
  });
  const types = await inTempFolder((temp) => {
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    execFileSync(process.execPath, [tsc, "-p", join(root, "tsconfig.build.json"), "--outDir", temp], { stdio: "inherit" });
    return joinTypes(temp);
  });
  writeFileSync(join(folder, "index.d.ts"), types);
}

/** Makes one declaration file of many: what index.d.ts exports, and what that needs. */
function joinTypes(folder) {
  const declarations = new Map(); // name → text
  for (const file of readdirSync(folder).filter((name) => name !== "index.d.ts").sort()) {
    let comment = "";
    for (const part of readFileSync(join(folder, file), "utf8").split(/^(?=\/\*\*|export |import |declare |interface |type )/m)) {
      const name = /^(?:export )?(?:declare )?(?:interface|type|class|function|const) (\w+)/.exec(part)?.[1];
      if (part.startsWith("/**")) {
        comment = part;
        continue;
      }
      if (name) {
        if (declarations.has(name)) throw new Error(`two declarations of ${name}`);
        declarations.set(name, comment + part.replace(/^export /, "").replace(/^(?=class|function)/, "declare ").replace(/^export \{\};\n/m, ""));
      }
      comment = "";
    }
  }
  const index = readFileSync(join(folder, "index.d.ts"), "utf8");
  const lists = [...index.matchAll(/^export (type )?\{ ([^}]+) \} from/gm)];
  const names = lists.flatMap(([, type, list]) => list.split(", ").map((name) => (type ?? "") + name));
  const used = new Set(names.map((name) => name.replace("type ", "")));
  for (const name of used) {
    if (!declarations.has(name)) throw new Error(`no declaration of ${name}`);
    for (const other of declarations.keys()) {
      if (new RegExp(`\\b${other}\\b`).test(code(declarations.get(name)))) used.add(other); // visited by this same loop
    }
  }
  return [...used].map((name) => declarations.get(name).trimEnd() + "\n\n").join("") + `export { ${names.join(", ")} };\n`;
}

/** Drops comments. */
function code(text) {
  return text.replace(/\/\*\*[^]*?\*\//g, "");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build(join(root, "dist"));
