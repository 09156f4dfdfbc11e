// Runs the unit tests, or with "--in ui" those of test/ui in a real browser: each
// *.test.ts is bundled into a temporary folder, which lies in node_modules, so
// that the tests find packages. A *.node.mjs is run as it is, on dist.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { inTempFolder, root } from "./build.mjs";

const args = process.argv.slice(2);
const folder = args[0] === "--in" ? join("test", ...args.splice(0, 2).slice(1)) : "test";

await inTempFolder(async (temp) => {
  const tests = readdirSync(join(root, folder)).filter((name) => name.endsWith(".test.ts"));
  await build({
    absWorkingDir: root,
    entryPoints: tests.map((name) => join(folder, name)),
    outdir: temp,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: "inline",
    packages: "external",
  });
  const files = tests.map((name) => join(temp, name.replace(/ts$/, "mjs")));
  files.push(...readdirSync(join(root, folder)).filter((name) => name.endsWith(".node.mjs")).map((name) => join(root, folder, name)));
  const { status } = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...args, ...files], {
    cwd: root,
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
}, join(root, "node_modules"));
