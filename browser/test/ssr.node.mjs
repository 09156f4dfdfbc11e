// Where pages are rendered there is no browser. Each entry can be imported in
// bare Node, and what it renders there asks nobody for anything.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createSession } from "@sojourn/browser";
import * as react from "@sojourn/browser/react";
import * as svelte from "@sojourn/browser/svelte";
import * as vue from "@sojourn/browser/vue";
import { createElement as h } from "react";
import { renderToString as renderReact } from "react-dom/server";
import { compile } from "svelte/compiler";
import { render as renderSvelte } from "svelte/server";
import { createSSRApp, h as vueH } from "vue";
import { renderToString as renderVue } from "vue/server-renderer";

const root = fileURLToPath(new URL("..", import.meta.url));
const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const names = Object.keys(exports).filter((name) => name !== "./package.json" && !name.includes("*"));

for (const name of [...names, "./lang/de"]) {
  test(`${name} touches nothing of a browser when it is imported`, () => {
    const framework = ["./react", "./vue"].includes(name) ? `await import("${name.slice(2)}");` : ""; // they look at window
    const program = `
      ${framework}
      const before = Object.keys(globalThis);
      for (const name of ["window", "document", "location", "navigator", "localStorage", "sessionStorage", "fetch", "XMLHttpRequest", "WebSocket", "EventSource", "BroadcastChannel", "setTimeout", "setInterval", "addEventListener"])
        Object.defineProperty(globalThis, name, { configurable: true, get() { throw new Error("touches " + name); } });
      const module = await import(${JSON.stringify(`@sojourn/browser${name.slice(1)}`)});
      if (!Object.keys(module).length) throw new Error("exports nothing");
      const after = Object.keys(globalThis).filter((key) => !before.includes(key));
      if (after.length) throw new Error("leaves globals: " + after);`;
    execFileSync(process.execPath, ["--input-type=module", "-e", program], { cwd: root, stdio: "pipe" });
  });
}

/** A session that must not be used. */
function sessionOfServer() {
  const fail = (what) => () => assert.fail(`${what} on a server`);
  return createSession({ environment: { fetch: fail("a request"), setTimeout: fail("a timer"), onPage: fail("a listener"), channel: fail("a channel") } });
}

test("React renders on a server, knowing nothing", () => {
  const session = sessionOfServer();
  function App() {
    const snapshot = react.useSnapshot(session);
    const expiry = react.useExpiry(session);
    const [cart, setCart, { ready }] = react.useMember(session, "cart");
    assert.equal(typeof setCart, "function");
    return h("p", null, `${snapshot.state} ${expiry.phase} ${cart} ${ready}`, h(react.SessionTimeout, { session, login: "/login" }));
  }
  assert.equal(renderReact(h(App)), '<p>unknown quiet undefined false<sojourn-timeout login="/login"></sojourn-timeout></p>');
});

test("Vue renders on a server, knowing nothing", async () => {
  const session = sessionOfServer();
  const app = createSSRApp({
    setup() {
      const snapshot = vue.useSnapshot(session);
      const { state } = vue.useExpiry(session);
      const cart = vue.useMember(session, "cart");
      return () => vueH("p", `${snapshot.value.state} ${state.value.phase} ${cart.state.value.value} ${cart.state.value.ready}`);
    },
  });
  assert.equal(await renderVue(app), "<p>unknown quiet undefined false</p>");
});

test("Svelte renders on a server, knowing nothing", async () => {
  const folder = mkdtempSync(join(root, "node_modules/sojourn-ssr-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const source = `<script>
      let { snapshot, expiry, cart } = $props();
    </script>
    <p>{$snapshot.state} {$expiry.phase} {$cart.value} {$cart.ready}</p>`;
  const { js } = compile(source, { generate: "server", filename: "App.svelte" });
  writeFileSync(join(folder, "App.mjs"), js.code);
  const { default: App } = await import(pathToFileURL(join(folder, "App.mjs")).href);
  const session = sessionOfServer();
  const props = { snapshot: svelte.snapshotStore(session), expiry: svelte.expiryStore(session), cart: svelte.memberStore(session, "cart") };
  const { body } = await renderSvelte(App, { props });
  assert.match(body, /<p>unknown quiet\s+false<\/p>/);
});
