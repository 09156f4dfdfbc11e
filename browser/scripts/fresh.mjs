// Fails if dist is not what the sources give.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { build, inTempFolder, root } from "./build.mjs";

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
  const names = new Set([...readdirSync(temp), ...readdirSync(dist)]);
  const stale = [...names].filter((name) => read(temp, name) !== read(dist, name));
  if (stale.length) {
    console.error(`dist is stale (${stale.join(", ")}): run npm run build and commit the result`);
    process.exitCode = 1;
  }
});
