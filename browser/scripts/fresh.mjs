// Fails if dist is not what the sources give.
import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { build, inTempFolder, root } from "./build.mjs";

const files = (folder) => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).map((e) => relative(folder, join(e.parentPath, e.name)));
const read = (folder, name) => {
  try {
    return readFileSync(join(folder, name), "utf8");
  } catch {
    return undefined;
  }
};

await inTempFolder(async (temp) => {
  await build(temp);
  const dist = join(root, "dist");
  const names = new Set([...files(temp), ...files(dist)]);
  const stale = [...names].filter((name) => read(temp, name) !== read(dist, name));
  if (stale.length) {
    console.error(`dist is stale (${stale.join(", ")}): run npm run build and commit the result`);
    process.exitCode = 1;
  }
});
