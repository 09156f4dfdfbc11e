// Every snippet of the documents is checked: TypeScript and JSX by tsc, Vue and
// Svelte by their compilers, Go by vet. Whole pages are run: see ui/docs.test.ts.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { compile } from "svelte/compiler";
import { compileScript, parse } from "vue/compiler-sfc";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(root, "node_modules/sojourn-docs-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const documents = ["../docs/browser.md", "../docs/recipes.md", "README.md"];
const snippets = documents.flatMap((name) => {
  const text = readFileSync(join(root, name), "utf8");
  return [...text.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map(([, language, code], i) => ({ name: `${name} ${i + 1}`, language, code }));
});
const of = (...languages) => snippets.filter(({ language }) => languages.includes(language));

test("there is a check for every language", () => {
  const known = ["html", "ts", "tsx", "vue", "svelte", "go", "css", ""];
  assert.deepEqual(snippets.filter(({ language }) => !known.includes(language)).map(({ name, language }) => `${name}: ${language}`), []);
  assert(snippets.length > 15, `${snippets.length} snippets`);
});

test("TypeScript and JSX compile against the published types", () => {
  const session = of("ts").find(({ code }) => code.includes("export const session"));
  assert(session, "the documents make a session somewhere");
  writeFileSync(join(folder, "session.ts"), session.code);
  for (const [i, { language, code }] of of("ts", "tsx").entries()) writeFileSync(join(folder, `snippet${i}.${language}`), `export {};\n${code}`);
  const config = {
    extends: join(root, "tsconfig.json"),
    compilerOptions: { jsx: "react-jsx", types: [], module: "esnext", moduleResolution: "bundler", paths: { "@sojourn/browser": [join(root, "dist/index.d.ts")], "@sojourn/browser/*": [join(root, "dist/*.d.ts")] } },
    include: ["*.ts", "*.tsx"],
    exclude: [],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const { status, stdout } = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder], { encoding: "utf8" });
  assert.equal(status, 0, stdout);
});

for (const { name, code } of of("vue")) {
  test(`${name} is a Vue component`, () => {
    const { descriptor, errors } = parse(code);
    assert.deepEqual(errors, []);
    const { content } = compileScript(descriptor, { id: "x", inlineTemplate: true, templateOptions: { compilerOptions: { isCustomElement: (tag) => tag.startsWith("sojourn-") } } });
    assert.match(content, /useMember\(session, "cart"\)/);
  });
}

for (const { name, code } of of("svelte")) {
  test(`${name} is a Svelte component`, () => {
    assert.deepEqual(compile(code, { generate: "client", filename: "Snippet.svelte" }).warnings.map(({ message }) => message), []);
  });
}

for (const { name, code } of of("go")) {
  test(`${name} is a Go program`, (t) => {
    if (spawnSync("go", ["version"]).status !== 0) return t.skip("needs Go");
    const file = join(folder, "main.go");
    writeFileSync(file, code);
    execFileSync("go", ["vet", file], { cwd: join(root, ".."), stdio: "pipe" });
    assert.equal(execFileSync("gofmt", ["-l", file], { encoding: "utf8" }), "", "gofmt");
  });
}

test("what the documents import is there", () => {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  for (const { name, code } of snippets) {
    for (const [, entry] of code.matchAll(/"@sojourn\/browser([^"]*)"/g)) assert(exports[`.${entry}`], `${name}: @sojourn/browser${entry}`);
    for (const [, file] of code.matchAll(/\/_session\/v1\/([\w./-]+\.js)/g)) readFileSync(join(root, "dist", file));
  }
});
