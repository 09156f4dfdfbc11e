// Fails if the SDK weighs more than its budget, or other than README.md says.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { root } from "./build.mjs";

const BUDGET = 5 * 1024; // the design's, for the core

const size = gzipSync(readFileSync(join(root, "dist/sojourn.js")), { level: 9 }).length;
const kilobytes = (size / 1024).toFixed(1);
console.log(`sojourn.js: ${size} bytes after gzip, budget ${BUDGET}`);
if (size > BUDGET) {
  console.error("over the budget");
  process.exitCode = 1;
}
if (!readFileSync(join(root, "README.md"), "utf8").includes(`${kilobytes} KB`)) {
  console.error(`README.md does not say ${kilobytes} KB`);
  process.exitCode = 1;
}
