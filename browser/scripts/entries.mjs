// What the package offers, one line for each file of dist: where its source is,
// how it is imported, and its budget after gzip, in bytes.

/**
 * The core, the dialog and all bindings together, with the largest language. The
 * add-ons of the core (`addon`) have a budget of the same size: that of all.js.
 */
export const BUDGET = 9 * 1024;

export const entries = [
  { file: "sojourn.js", source: "src/index.ts", import: ".", types: "index.d.ts", budget: 5 * 1024, core: true, what: "the session: everything but what a page shows" },
  { file: "live.js", addon: true, source: "src/live.ts", import: "./live", types: "live.d.ts", what: "the live connection: WebSocket, server-sent events, long polling" },
  { file: "share.js", addon: true, source: "src/share.ts", import: "./share", types: "share.d.ts", what: "one live connection for all tabs" },
  { file: "storage.js", addon: true, source: "src/storage.ts", import: "./storage", types: "storage.d.ts", what: "localStorage and sessionStorage that end with the session" },
  { file: "mirror.js", addon: true, source: "src/mirror.ts", import: "./mirror", types: "mirror.d.ts", what: "members shown at once and written when that can be" },
  { file: "fetch.js", addon: true, source: "src/fetch.ts", import: "./fetch", types: "fetch.d.ts", what: "`fetch` for your own requests" },
  { file: "xhr.js", addon: true, source: "src/xhr.ts", import: "./xhr", types: "xhr.d.ts", what: "the same for code with XMLHttpRequest" },
  { file: "leave.js", addon: true, source: "src/leave.ts", import: "./leave", types: "leave.d.ts", what: "what is sent, and asked, when the page is left" },
  { file: "all.js", addon: true, source: "src/all.ts", import: "./all", types: "all.d.ts", bundle: true, budget: 9 * 1024, what: "core, live, storage, fetch, xhr and leave in one file" },
  { file: "sojourn.global.js", source: "src/all.ts", global: "Sojourn", budget: 9 * 1024, what: "the same for a classic script: `Sojourn.connect()`" },
];

/** The languages of the dialog; English is in timeout.js. */
export const languages = [];
