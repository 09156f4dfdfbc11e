// Fails if an entry weighs more than its budget, or if the table in README.md
// says anything else. "npm run size -- --write" renews the table.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { root } from "./build.mjs";
import { BUDGET, entries } from "./entries.mjs";

const begin = "<!-- sizes: made by npm run size -- --write -->\n";
const end = "<!-- /sizes -->";

const weigh = (file) => gzipSync(readFileSync(join(root, "dist", file)), { level: 9 }).length;
const kilobytes = (bytes) => `${(bytes / 1024).toFixed(2)} KB`;
const specifier = (entry) => `@sojourn/browser${entry.import.slice(1)}`;

const sized = entries.map((entry) => ({ ...entry, size: weigh(entry.file) }));
const languages = sized.filter((entry) => entry.language);
const named = sized.filter((entry) => !entry.language);
const page = named.filter((entry) => entry.page).reduce((sum, { size }) => sum + size, 0);

const rows = named.map((e) => `| \`${e.import ? specifier(e) : e.file}\` | ${e.what} | ${kilobytes(e.size)} | ${e.budget ? kilobytes(e.budget) : ""} |`);
if (languages.length) {
  const sizes = languages.map(({ size }) => size);
  const budget = Math.max(...languages.map((e) => e.budget));
  rows.push(`| \`@sojourn/browser/lang/…\` | one language of the dialog, loaded when it is needed | ${kilobytes(Math.min(...sizes))} to ${kilobytes(Math.max(...sizes))} | ${kilobytes(budget)} |`);
}
rows.push(`| the core and the dialog | what a page with the two lines loads | ${kilobytes(page)} | ${kilobytes(BUDGET)} |`);
const table = ["| Entry | What | gzip | Budget |", "|---|---|---|---|", ...rows, ""].join("\n");
console.log(table);

const complain = (text) => {
  console.error(text);
  process.exitCode = 1;
};
for (const { file, size, budget } of sized) if (budget && size > budget) complain(`${file} is over its budget: ${size} bytes of ${budget}`);
if (page > BUDGET) complain(`the core and the dialog are over their budget: ${page} bytes of ${BUDGET}`);

const readme = join(root, "README.md");
const text = readFileSync(readme, "utf8");
const [from, to] = [text.indexOf(begin), text.indexOf(end)];
if (from < 0 || to < from) complain("README.md has no table of sizes");
else {
  const renewed = text.slice(0, from + begin.length) + table + text.slice(to);
  if (process.argv.includes("--write")) writeFileSync(readme, renewed);
  else if (renewed !== text) complain("the table of sizes in README.md is not true: run npm run size -- --write");
}
