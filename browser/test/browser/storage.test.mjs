// Rows 10 and 11 of what the SDK must do: what was stored for a session ends with
// it, in every tab, whatever the browser makes of storage.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isTold, launch, login, newPage, newSite, toldOf, until } from "./harness.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const raw = (page) => page.evaluate(() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)].filter((key) => key.startsWith("sojourn:")).sort());
const fill = (page, mark) =>
  page.evaluate((mark) => [s.storage.local.set("shared", { mark }), s.storage.session.set("own", mark)], mark);
const read = (page) => page.evaluate(() => [s.storage.local.get("shared")?.mark, s.storage.session.get("own")]);
const known = (page) => isTold(page, "status");
const boot = { live: false };

test("row 10: at the end nothing is left, in a frozen tab and a closed one neither", async () => {
  const site = await newSite();
  const context = await browser.newContext();
  await login(context, site, "ada");
  const a = await newPage(browser, site, { context, boot });
  const b = await newPage(browser, site, { context, boot });
  const c = await newPage(browser, site, { context, boot });
  for (const page of [a, b, c]) await known(page);
  for (const page of [a, b, c]) assert.deepEqual(await fill(page, "ada's"), [true, true]);
  assert.deepEqual(await read(b), ["ada's", "ada's"]);
  const purged = await a.evaluate(() => void s.onPurge(() => (globalThis.purged = s.storage.local.keys())));
  assert.equal(purged, undefined);
  const cdp = await context.newCDPSession(b);
  await cdp.send("Page.setWebLifecycleState", { state: "frozen" });
  await c.goto("about:blank"); // its storage waits for it to come back
  await a.evaluate(() => s.end());
  await isTold(a, "ended", { reason: "logout" });
  assert.deepEqual(await raw(a), []);
  assert.deepEqual(await a.evaluate(() => purged), []);
  await cdp.send("Page.setWebLifecycleState", { state: "active" });
  await isTold(b, "ended");
  assert.deepEqual(await raw(b), []);
  await c.goto(site.page(boot));
  await known(c);
  assert.deepEqual(await raw(c), []);
  await context.close();
});

test("row 10: leftovers of another session are never seen, and taken away", async () => {
  const site = await newSite();
  const context = await browser.newContext();
  const page = await newPage(browser, site, { context, user: "ada", boot });
  await known(page);
  await fill(page, "ada's");
  await page.goto("about:blank");
  await context.clearCookies();
  await login(context, site, "grace");
  await page.route("**/status", async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    await route.continue();
  });
  await page.goto(site.page(boot));
  await page.waitForFunction(() => globalThis.s);
  assert.deepEqual(await read(page), [undefined, undefined], "not before the server has said whose they are");
  await known(page);
  assert.deepEqual(await read(page), [undefined, undefined]);
  assert.deepEqual(await raw(page), []);
  await context.close();
});

test("row 11: what was set before a login comes along", async () => {
  const site = await newSite();
  const context = await browser.newContext();
  const page = await newPage(browser, site, { context, boot });
  await isTold(page, "status", { state: "none" });
  await fill(page, "visitor's");
  assert.deepEqual(await read(page), ["visitor's", "visitor's"]);
  await page.evaluate(() => s.login(() => fetch("/begin", { method: "POST" })));
  assert.deepEqual(await read(page), ["visitor's", "visitor's"], "into a session of nobody's");
  await page.evaluate(() => s.login(() => fetch("/login?user=ada", { method: "POST" })));
  assert.deepEqual(await read(page), ["visitor's", "visitor's"], "and into that of a user");
  assert.deepEqual(await toldOf(page, "ended"), []);
  // A login by a form loads another page.
  await page.evaluate(() => (s.storage.carry(), fetch("/login?user=ada", { method: "POST" })));
  await page.reload();
  await known(page);
  assert.deepEqual(await read(page), ["visitor's", "visitor's"]);
  await page.evaluate(() => fetch("/login?user=ada", { method: "POST" }));
  await page.reload();
  await known(page);
  assert.deepEqual(await read(page), [undefined, undefined], "not without a word");
  await context.close();
});

test("row 11: storage that is full, forbidden, or of somebody else's making is survived", async () => {
  const site = await newSite();
  const full = await newPage(browser, site, { user: "ada", boot });
  await known(full);
  await full.evaluate(() => {
    for (let size = 4_000_000; size > 0; size >>= 1) {
      try {
        for (let i = 0; ; i++) localStorage.setItem(`junk ${size} ${i}`, "x".repeat(size));
      } catch {}
    }
  });
  assert.equal(await full.evaluate(() => s.storage.local.set("shared", { mark: "y".repeat(100) })), false);
  assert.equal((await read(full))[0], "y".repeat(100), "kept in memory");
  await full.evaluate(() => localStorage.clear());
  await full.evaluate(() => localStorage.setItem("sojourn:shared", "not ours {"));
  await full.evaluate(() => s.storage.local.delete("shared"));
  await full.evaluate(() => localStorage.setItem("sojourn:shared", "not ours {"));
  assert.deepEqual(await full.evaluate(() => [s.storage.local.get("shared"), s.storage.local.keys()]), [null, []].map((x) => x ?? undefined));
  await full.context().close();

  for (const forbid of [
    () => {
      for (const name of ["localStorage", "sessionStorage"]) {
        Object.defineProperty(globalThis, name, { get() { throw new DOMException("denied", "SecurityError"); } });
      }
    },
  ]) {
    const page = await newPage(browser, site, { user: "ada", boot, init: forbid });
    await known(page);
    assert.deepEqual(await fill(page, "mine"), [false, false]);
    assert.deepEqual(await read(page), ["mine", "mine"]);
    await page.evaluate(() => s.end());
    assert.deepEqual(await read(page), [undefined, undefined], "ends with the session all the same");
    await page.context().close();
  }
});

test("row 11: a value ends with its time", async () => {
  const site = await newSite({ idle: 600_000, absolute: 1_200_000 });
  const page = await newPage(browser, site, { user: "ada", boot: { ...boot, storage: { ttlMs: 300 } } });
  await known(page);
  await fill(page, "soon gone");
  assert.deepEqual(await read(page), ["soon gone", "soon gone"]);
  await until("gone", async () => (await read(page)).every((value) => value === undefined));
  await page.context().close();
});

test("row 11: a tab's name is its own, and stays over a reload", async () => {
  const site = await newSite();
  const context = await browser.newContext();
  const page = await newPage(browser, site, { context, user: "ada", boot });
  await known(page);
  const tab = (of) => of.evaluate(() => s.storage.tab);
  const name = await tab(page);
  await page.evaluate(() => s.storage.session.set("own", 1));
  await page.reload();
  await page.waitForFunction(() => globalThis.s);
  assert.equal(await tab(page), name);
  const [copy] = await Promise.all([context.waitForEvent("page"), page.evaluate(() => void open(location.href))]);
  await copy.waitForFunction(() => globalThis.s);
  assert.notEqual(await tab(copy), name, "window.open copies sessionStorage");
  await copy.reload();
  await copy.waitForFunction(() => globalThis.s);
  await page.reload();
  await page.waitForFunction(() => globalThis.s);
  assert.equal(await tab(page), name);
  assert.notEqual(await tab(copy), name);
  await context.close();
});
