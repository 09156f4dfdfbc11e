// What the package offers, one line for each file of dist: where its source is,
// how it is imported, and its budget after gzip, in bytes.

/** The core, the dialog and all bindings together, with the largest language. */
export const BUDGET = 9 * 1024;

export const entries = [
  { file: "sojourn.js", source: "src/index.ts", import: ".", types: "index.d.ts", budget: 5 * 1024, core: true, what: "the session: everything but what a page shows" },
];

/** The languages of the dialog; English is in timeout.js. */
export const languages = [];
