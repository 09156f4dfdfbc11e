// Rows 1 to 3 and 5 of what the SDK must do: the time that is left, by a server
// that is asked, on a machine whose clocks lie.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isTold, launch, newPage, newSite, rawBrowser, showsSecret, toldOf, until } from "./harness.mjs";

const HOUR = 3_600_000;
let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const STATUS = "GET /_session/v1/status";
const snapshot = (page) => page.evaluate(() => ({ ...s.snapshot, error: s.snapshot.error?.code }));

/** A clock that can be set. Sleep is no other: performance.now stands still in it, and Date does not. */
function clocks() {
  const { now } = Date;
  globalThis.shift = 0;
  Date.now = () => now() + globalThis.shift;
}

test("row 1: a clock that is set an hour forward or back ends nothing", async () => {
  for (const shift of [HOUR, -HOUR]) {
    const site = await newSite({ idle: 10 * 60_000 });
    const page = await newPage(browser, site, { user: "ada", boot: { live: false }, init: clocks });
    await isTold(page, "status", { state: "active" });
    const asked = await site.count(STATUS);
    await page.evaluate((shift) => (globalThis.shift = shift), shift);
    await page.evaluate(() => s.countdown(() => {}, 100)); // somebody looks
    await until("the server was asked", async () => (await site.count(STATUS)) > asked);
    await until("it is certain again", async () => (await snapshot(page)).confirmed);
    const left = await page.evaluate(() => new Promise((resolve) => s.countdown(({ remainingMs, confirmed }) => confirmed && resolve(remainingMs))));
    assert.ok(left > 590_000 && left <= 600_000, `${left} ms left`);
    assert.deepEqual(await toldOf(page, "ended"), []);
    assert.equal(await site.count(STATUS), asked + 1, "asked once");
    await page.context().close();
  }
});

test("row 1: after sleep nothing is certain, one question tells the end", async () => {
  const site = await newSite({ idle: 10 * 60_000 });
  const page = await newPage(browser, site, { user: "ada", boot: { live: false }, init: clocks });
  await isTold(page, "status", { state: "active" });
  const asked = await site.count(STATUS);
  let held;
  await page.route("**/status", (route) => (held = route)); // until it is seen what the page shows
  await site.do("advance", { by: 2 * HOUR });
  await page.evaluate((ms) => {
    globalThis.shift = ms;
    s.countdown(() => {}, 100);
  }, 2 * HOUR);
  await until("asked", () => held);
  const { state, confirmed, seconds } = await snapshot(page);
  assert.deepEqual({ state, confirmed, seconds }, { state: "active", confirmed: false, seconds: 0 });
  assert.equal(await showsSecret(page), false, "the page is hidden while only the server can know");
  assert.deepEqual(await toldOf(page, "ended"), []);
  await held.continue();
  await isTold(page, "ended", { state: "ended", reason: "expired" });
  assert.equal(await site.count(STATUS), asked + 1, "one question");
  await page.context().close();
});

test("row 2: a session of 60 days sets no timer that overflows", async () => {
  const site = await newSite({ idle: 60 * 24 * HOUR, absolute: 90 * 24 * HOUR });
  const page = await newPage(browser, site, {
    user: "ada",
    boot: { live: false },
    init: () => {
      globalThis.delays = [];
      const { setTimeout } = globalThis;
      globalThis.setTimeout = (fn, ms) => (delays.push(ms), setTimeout(fn, ms));
    },
  });
  await isTold(page, "status", { state: "active" });
  await page.evaluate(() => s.countdown(() => {}, Infinity));
  const delays = await page.evaluate(() => delays);
  assert.ok(delays.length > 0 && delays.every((ms) => ms <= HOUR), `${delays}`);
  assert.equal(await site.count(STATUS), 1, "nothing fires at once");
  await page.context().close();
});

test("row 2: a tab that is hidden and throttled knows the end, and never counts below zero", async () => {
  // Throttled to one wake-up a minute after a second, not after five minutes.
  const raw = await rawBrowser(["--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/1"]);
  try {
    const site = await newSite({ idle: 10 * 60_000, absolute: HOUR }); // ticks for long enough
    const tab = await raw.tab(`${site.url}/p/page.html`);
    await tab.evaluate(() => fetch("/login?user=ada", { method: "POST" }).then(() => {}));
    await tab.evaluate(() => {
      globalThis.s = boot({ live: false });
      globalThis.ticks = [];
      s.countdown(({ remainingMs, confirmed }) => ticks.push({ remainingMs, confirmed, at: performance.now() }));
    });
    await tab.isTold("status", { state: "active" });
    await raw.tab(site.page()); // comes in front
    await until("hidden", () => tab.evaluate(() => document.visibilityState === "hidden"));
    await site.do("advance", { by: HOUR });
    await until("ticks are throttled", () =>
      tab.evaluate(() => ticks.length > 2 && ticks.at(-1).at - ticks.at(-2).at > 2500), 75_000);
    await tab.show();
    await tab.isTold("ended", { reason: "expired" });
    const ticks = await tab.evaluate(() => ticks);
    assert.ok(ticks.every(({ remainingMs }) => remainingMs >= 0));
  } finally {
    await raw.close();
  }
});

test("row 3: zero during an outage hides the page and ends nothing", async () => {
  const site = await newSite({ idle: 3_000, absolute: HOUR });
  const page = await newPage(browser, site, { user: "ada", boot: { live: false } });
  await isTold(page, "status", { state: "active" });
  assert.equal(await showsSecret(page), true);
  await page.route("**/status", (route) => route.abort());
  await until("uncertain", async () => !(await snapshot(page)).confirmed);
  assert.equal(await showsSecret(page), false, "hidden");
  await isTold(page, "error", { code: "network" });
  assert.equal((await snapshot(page)).state, "active");
  assert.deepEqual(await toldOf(page, "ended"), []);
  // Meanwhile another tab has kept the session.
  await site.do("advance", { by: -3_000 });
  await page.unroute("**/status");
  await until("the server's word", async () => (await snapshot(page)).confirmed);
  assert.equal((await snapshot(page)).state, "active");
  assert.equal(await showsSecret(page), true, "shown again");
  assert.deepEqual(await toldOf(page, "ended"), []);
  await page.context().close();
});

test("row 5: the warning stays until the server has extended", async () => {
  const site = await newSite({ idle: 40_000, absolute: HOUR });
  const page = await newPage(browser, site, { user: "ada", boot: { live: false } });
  await isTold(page, "status", { state: "active" });
  await site.do("advance", { by: 21_000 });
  await page.evaluate(() => s.status());
  await isTold(page, "warning", { warning: true });
  assert.ok((await snapshot(page)).seconds <= 20);
  const extend = () => page.evaluate(() => s.extend().then(() => "ok", (error) => error.code));
  for (const [refuse, code] of [
    [(route) => route.fulfill({ status: 500, body: "oops" }), "protocol"],
    [(route) => route.abort(), "network"],
  ]) {
    await page.route("**/extend", refuse);
    assert.equal(await extend(), code);
    const now = await snapshot(page);
    assert.deepEqual({ warning: now.warning, error: now.error, state: now.state }, { warning: true, error: code, state: "active" });
    await page.unroute("**/extend");
  }
  for (let i = 0; i < 10; i++) {
    assert.equal(await extend(), "ok");
    const now = await snapshot(page);
    assert.deepEqual({ warning: now.warning, error: now.error, seconds: now.seconds }, { warning: false, error: undefined, seconds: undefined });
    await site.do("advance", { by: 25_000 });
    await page.evaluate(() => s.status());
    await until("warned again", async () => (await snapshot(page)).warning);
  }
  assert.equal((await toldOf(page, "warning")).length, 11);
  await page.context().clearCookies();
  assert.equal(await extend(), "session_none");
  assert.equal((await snapshot(page)).state, "none");
  await page.context().close();
});
