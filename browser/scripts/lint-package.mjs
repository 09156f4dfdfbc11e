// Fails if the package as it would be published is not what its users need:
// exports that fit the entries, files that are there, types that every resolution
// of TypeScript finds (publint, Are The Types Wrong), and lock files that name no
// registry but npm's.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { inTempFolder, root } from "./build.mjs";
import { entries } from "./entries.mjs";

const failures = [];
const pkg = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

const wanted = Object.fromEntries(
  entries.filter((e) => e.import && !e.language).map((e) => [e.import, { types: `./dist/${e.types}`, default: `./dist/${e.file}` }]),
);
wanted["./lang/*"] = { types: "./dist/lang/*.d.ts", default: "./dist/lang/*.js" };
wanted["./package.json"] = "./package.json";
if (!isDeepStrictEqual(wanted, pkg.exports)) failures.push(`package.json: the exports should be\n${JSON.stringify(wanted, null, 2)}`);
for (const name of pkg.sideEffects) if (!existsSync(join(root, name))) failures.push(`package.json: sideEffects names ${name}, which is not there`);

for (const message of (await publint({ pkgDir: root, strict: true })).messages) failures.push(`publint: ${formatMessage(message, pkg)}`);

await inTempFolder(async (temp) => {
  const [{ filename, files }] = JSON.parse(execFileSync("npm", ["pack", "--json", "--pack-destination", temp], { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
  const strange = files.map(({ path }) => path).filter((path) => !/^(dist\/.*\.(js|d\.ts)|package\.json|README\.md|LICENSE)$/.test(path));
  if (strange.length) failures.push(`npm pack would publish ${strange.join(", ")}`);
  try {
    const attw = join(root, "node_modules/@arethetypeswrong/cli/dist/index.js");
    execFileSync(process.execPath, [attw, join(temp, filename), "--profile", "esm-only", "--no-emoji", "--format", "table-flipped"], { encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    failures.push(`attw: ${error.stdout}${error.stderr}`);
  }
});

for (const lock of [join(root, "package-lock.json"), join(root, "../examples/browser/package-lock.json")]) {
  if (!existsSync(lock)) continue;
  const hosts = new Set([...readFileSync(lock, "utf8").matchAll(/"resolved": "(\w[\w+.-]*:\/\/[^/"]+)/g)].map(([, host]) => host));
  hosts.delete("https://registry.npmjs.org");
  if (hosts.size) failures.push(`${lock} names ${[...hosts].join(", ")}`);
}

for (const failure of failures) console.error(failure);
if (failures.length) process.exitCode = 1;
else console.log(`the package is as it should be: ${Object.keys(pkg.exports).length} exports`);
