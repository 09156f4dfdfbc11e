// What the package offers, one line for each file of dist: where its source is,
// how it is imported, and its budget after gzip, in bytes.

/** What a page loads that has the session and the dialog: `page` marks the files. */
export const BUDGET = 9 * 1024;

export const entries = [
  { file: "sojourn.js", source: "src/index.ts", import: ".", types: "index.d.ts", budget: 5 * 1024, core: true, page: true, what: "the session: everything but what a page shows" },
  { file: "live.js", source: "src/live.ts", import: "./live", types: "live.d.ts", what: "the live connection: WebSocket, server-sent events, long polling" },
  { file: "share.js", source: "src/share.ts", import: "./share", types: "share.d.ts", what: "one live connection for all tabs" },
  { file: "storage.js", source: "src/storage.ts", import: "./storage", types: "storage.d.ts", what: "localStorage and sessionStorage that end with the session" },
  { file: "mirror.js", source: "src/mirror.ts", import: "./mirror", types: "mirror.d.ts", what: "members shown at once and written when that can be" },
  { file: "fetch.js", source: "src/fetch.ts", import: "./fetch", types: "fetch.d.ts", what: "`fetch` for your own requests" },
  { file: "xhr.js", source: "src/xhr.ts", import: "./xhr", types: "xhr.d.ts", what: "the same for code with XMLHttpRequest" },
  { file: "leave.js", source: "src/leave.ts", import: "./leave", types: "leave.d.ts", what: "what is sent, and asked, when the page is left" },
  { file: "all.js", source: "src/all.ts", import: "./all", types: "all.d.ts", bundle: true, budget: 9 * 1024, what: "core, live, storage, fetch, xhr and leave in one file" },
  { file: "sojourn.global.js", source: "src/all.ts", global: "Sojourn", budget: 9 * 1024, what: "the same for a classic script: `Sojourn.connect()`" },
  { file: "expiry.js", source: "src/expiry.ts", import: "./expiry", types: "expiry.d.ts", budget: 1024, what: "the warning before the end, without looks" },
  { file: "timeout.js", source: "src/timeout/index.ts", import: "./timeout", types: "timeout.d.ts", inlines: ["src/expiry.ts"], page: true, budget: 4 * 1024, what: "`<sojourn-timeout>`, the dialog for it, in English" },
  { file: "element.js", source: "src/bindings/element.ts", import: "./element", types: "element.d.ts", budget: 1024, what: "`<sojourn-session>`, for pages without a framework" },
  { file: "react.js", source: "src/bindings/react.ts", import: "./react", types: "react.d.ts", budget: 1024, what: "hooks for React" },
  { file: "vue.js", source: "src/bindings/vue.ts", import: "./vue", types: "vue.d.ts", budget: 1024, what: "composables for Vue" },
  { file: "svelte.js", source: "src/bindings/svelte.ts", import: "./svelte", types: "svelte.d.ts", budget: 1024, what: "stores for Svelte" },
  ...["de", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh"].map((tag) => ({
    file: `lang/${tag}.js`,
    source: `src/timeout/lang/${tag}.ts`,
    import: `./lang/${tag}`,
    types: `lang/${tag}.d.ts`,
    budget: 1024,
    language: true,
  })),
];
