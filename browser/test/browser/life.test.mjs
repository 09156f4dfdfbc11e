// Rows 9, 15 and 16 of what the SDK must do: pages are left, come back, and show
// nothing then that is not theirs any more.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isTold, launch, login, newPage, newSite, showsSecret, toldOf, until } from "./harness.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const elsewhere = (site) => `${site.url}/p/page.css`; // a page without the SDK

test("row 9: the back button restores the page, connected anew", async () => {
  for (const transport of ["ws", "sse", "poll"]) {
    const site = await newSite();
    const page = await newPage(browser, site, { user: "ada", boot: { live: { transports: [transport] } } });
    await isTold(page, "live", { state: "open", transport });
    await page.evaluate(() => (globalThis.born = 1));
    await page.goto(elsewhere(site));
    await page.goBack({ waitUntil: "commit" });
    await page.evaluate(() => document.readyState);
    const { born, blocked } = await page.evaluate(() => ({
      born: globalThis.born,
      blocked: performance.getEntriesByType("navigation")[0].notRestoredReasons?.reasons ?? [],
    }));
    assert.deepEqual({ transport, born, blocked }, { transport, born: 1, blocked: [] }, "it was not kept");
    await until("connected anew", () => page.evaluate(() => s.live.state.state === "open"));
    await site.do("publish", { owner: "ada", type: "app.note", data: 1 });
    await isTold(page, "message", { data: 1 });
    await until("shown", () => showsSecret(page));
    await page.context().close();
  }
});

test("row 9: after a logout elsewhere the back button never shows what was there", async () => {
  const site = await newSite();
  const context = await browser.newContext();
  // The first listener of all sees the page as it comes back, before anybody can act.
  const init = () => {
    let left = false;
    addEventListener("pagehide", () => (left = true), true);
    for (const type of ["resume", "visibilitychange", "pageshow"]) {
      const look = () => left && (globalThis.atFirst ??= `${type}: ${getComputedStyle(document.querySelector("#secret")).visibility}`);
      addEventListener(type, look, true);
    }
  };
  const page = await newPage(browser, site, { context, user: "ada", init, boot: { live: false } });
  await isTold(page, "status", { state: "active" });
  assert.equal(await showsSecret(page), true);
  await page.goto(elsewhere(site));
  await context.request.delete(`${site.url}/_session/v1/`, { headers: { "X-Session-CSRF": "1" } });
  // The answer is held back, so that there is time to look.
  await site.do("refuse", { paths: ["/_session/v1/status"], status: -1 });
  const asked = await site.count("GET /_session/v1/status");
  await page.goBack({ waitUntil: "commit" });
  await until("asked", async () => (await site.count("GET /_session/v1/status")) > asked);
  assert.equal(await page.evaluate(() => told.length > 0), true, "restored, not loaded");
  assert.match(await page.evaluate(() => atFirst), /: hidden$/, "from the first moment");
  for (let i = 0; i < 3; i++) assert.equal(await showsSecret(page), false, "hidden while the server is asked");
  await page.evaluate(() => s.on("ended", () => document.querySelector("#secret").remove()));
  await site.do("refuse");
  await isTold(page, "ended");
  assert.equal(await showsSecret(page), false);
  await context.close();
});

test("row 9: with leaveTo the page is left at the end, with no way back", async () => {
  const site = await newSite();
  const page = await newPage(browser, site, { user: "ada", boot: { leaveTo: "/p/page.css" } });
  await isTold(page, "live", { state: "open" });
  await site.do("revoke", { owner: "ada" });
  await page.waitForURL(elsewhere(site));
  await page.goBack({ waitUntil: "commit" }).catch(() => {}); // to about:blank, or nowhere
  assert.ok(!page.url().includes("page.html"), page.url());
  await page.context().close();
});

test("row 15: what is to be said at the end is said once, whether the tab is closed or goes elsewhere", async () => {
  for (const leave of [(page) => page.close({ runBeforeUnload: true }), (page, site) => page.goto(elsewhere(site))]) {
    const site = await newSite();
    const page = await newPage(browser, site, { user: "ada", boot: {} });
    await isTold(page, "live", { state: "open" });
    await page.evaluate(() => {
      s.onLeave(() => ({ type: "app.bye", data: { text: "draft" }, id: "draft-1" }));
      s.onLeave(() => ({ changes: { draft: "typed" } }));
      s.onLeave(() => undefined);
      s.onLeave(() => ({ type: "app.bye", data: "x".repeat(60_000) }));
    });
    await leave(page, site);
    await until("received", async () => (await site.do("heard")).length > 0);
    const sent = (await site.do("log")).filter((r) => r.Method === "POST" || r.Method === "PATCH").filter((r) => r.Path !== "/login");
    assert.deepEqual(
      sent.map((r) => [r.Method, r.Path, r.CSRF, r.Key]).sort(),
      [
        ["PATCH", "/_session/v1/data", true, ""],
        ["POST", "/_session/v1/send", true, "draft-1"],
      ],
    );
    assert.deepEqual((await site.do("heard")).map((m) => [m.Type, m.ID, m.Data]), [["app.bye", "draft-1", { text: "draft" }]]);
    const again = await newPage(browser, site, { context: page.context() });
    assert.equal(await again.evaluate(() => fetch("/_session/v1/data").then((r) => r.json()).then((d) => d.data.draft)), "typed");
    await page.context().close();
  }
});

test("row 16: the browser asks before the page is left only while it is told to", async () => {
  const site = await newSite();
  const page = await newPage(browser, site, { user: "ada", boot: {} });
  const cdp = await page.context().newCDPSession(page);
  const listening = async () => {
    const { result } = await cdp.send("Runtime.evaluate", { expression: "window" });
    const { listeners } = await cdp.send("DOMDebugger.getEventListeners", { objectId: result.objectId });
    return listeners.map(({ type }) => type).filter((type) => type.includes("unload"));
  };
  assert.deepEqual(await listening(), []);
  await page.evaluate(() => s.guard(true));
  assert.deepEqual(await listening(), ["beforeunload"]);
  await page.locator("#field").fill("typed"); // browsers ask only where a person has done something
  await page.mouse.click(5, 500);
  const asked = new Promise((resolve) => page.once("dialog", async (dialog) => (await dialog.dismiss(), resolve(dialog.type()))));
  await Promise.all([asked, page.evaluate(() => void (location.href = "/p/page.css"))]);
  assert.equal(await asked, "beforeunload");
  assert.ok(page.url().includes("page.html"), "it stayed");
  await page.evaluate(() => s.guard(false));
  assert.deepEqual(await listening(), []);
  await page.context().close();
});
