import assert from "node:assert/strict";
import { test } from "node:test";
import { createSession, type Tick } from "../src/index.ts";
import { fakeBrowser, problem, settle } from "./fake.ts";
import { FakeServer } from "./server.ts";

const HOUR = 3_600_000;

async function start(expiresInMs = 600_000) {
  const server = new FakeServer();
  server.expiresInMs = expiresInMs;
  const browser = fakeBrowser(server.serve);
  const s = createSession({ environment: browser });
  const ticks: Tick[] = [];
  const stop = s.countdown((tick) => ticks.push(tick));
  await settle();
  const last = () => ticks.at(-1) ?? assert.fail("no tick");
  const asked = () => browser.requests.filter((r) => r.path === "/status").length;
  return { server, browser, s, ticks, last, asked, stop };
}

test("it counts exactly, and says so once a second", async () => {
  const { browser, ticks, asked } = await start(3_250);
  assert.deepEqual(ticks.map((t) => [t.remainingMs, t.seconds]), [[3_250, 4]]);
  ticks.length = 0;
  await browser.advance(3_249);
  assert.deepEqual(ticks.map((t) => [t.remainingMs, t.seconds, t.confirmed]), [
    [3_000, 3, true],
    [2_000, 2, true],
    [1_000, 1, true],
  ]);
  assert.equal(asked(), 1);
});

test("half of the way to the server and back is taken off", async () => {
  const { server, browser, s, last } = await start();
  server.before = () => browser.delay(400).then(() => undefined);
  void s.status();
  await browser.advance(400);
  assert.equal(last().remainingMs, 600_000 - 200);
});

test("the user's clock is not trusted", async () => {
  for (const jump of [HOUR, -HOUR]) {
    const { browser, server, ticks, last, asked } = await start();
    await browser.advance(10_500);
    browser.setWall(browser.wall() + jump);
    server.expiresInMs = 589_000;
    await browser.advance(500);
    assert.equal(last().remainingMs, 589_000);
    assert.equal(asked(), 2, "a jump may have been a sleep: the server is asked, once");
    await browser.advance(60_000);
    assert.equal(asked(), 2);
    assert.equal(last().remainingMs, 529_000);
    assert(ticks.every((t) => !t.confirmed || (t.remainingMs <= 600_000 && t.remainingMs >= 529_000)));
  }
});

test("after a sleep nothing is certain until the server has spoken", async () => {
  const { browser, server, s, ticks, last, asked } = await start();
  const ended: unknown[] = [];
  s.on("ended", (status) => ended.push(status));
  await browser.advance(10_000);
  browser.sleep(2 * HOUR); // the monotonic clock stands still
  server.before = () => browser.delay(100).then(() => undefined);
  server.expiresInMs = 300_000; // another tab kept it alive
  ticks.length = 0;
  await browser.advance(1_000);
  assert.equal(last().confirmed, false);
  assert.deepEqual(ended, []);
  await browser.advance(100);
  assert.equal(last().confirmed, true);
  assert.equal(last().remainingMs, 300_000 - 50);
  assert.equal(asked(), 2);

  browser.sleep(2 * HOUR);
  server.state = "ended";
  await browser.advance(1_200);
  assert.deepEqual(last().status, { state: "ended", h: "handle-1", reason: "expired" });
  assert.equal(ended.length, 1);
  assert.equal(asked(), 3);
});

test("an answer asked for before a sleep proves nothing", async () => {
  const { browser, server, s, last, asked } = await start();
  server.before = () => browser.delay(500).then(() => undefined);
  void s.status();
  await browser.advance(100);
  browser.sleep(2 * HOUR);
  await browser.restore();
  assert.equal(last().confirmed, false);
  await browser.advance(450);
  assert.equal(last().confirmed, false, "the old answer has come");
  assert.equal(asked(), 3);
  await browser.advance(500);
  assert.equal(last().confirmed, true);
});

test("zero ends nothing: the server is asked", async () => {
  const { browser, server, s, ticks, last, asked } = await start(2_000);
  const ended: unknown[] = [];
  s.on("ended", (status) => ended.push(status));
  server.expiresInMs = 900_000; // extended in another tab
  await browser.advance(2_000);
  assert(ticks.some((t) => t.remainingMs === 0 && !t.confirmed && t.seconds === 0));
  assert.equal(last().remainingMs, 900_000);
  assert.equal(last().confirmed, true);
  assert.equal(asked(), 2);
  assert.deepEqual(ended, []);
});

test("at zero an outage is not a logout (P9): it asks again, ever later", async () => {
  const { browser, server, s, last, asked, ticks } = await start(2_000);
  const ended: unknown[] = [];
  const errors: string[] = [];
  s.on("ended", (status) => ended.push(status));
  s.on("error", (error) => errors.push(error.code));
  server.before = () => Promise.reject(new TypeError("down"));
  await browser.advance(2_000 + 10 * 60_000);
  assert.equal(last().confirmed, false);
  assert.equal(last().status.state, "active");
  assert(ticks.every((t) => t.remainingMs >= 0));
  assert.deepEqual(ended, []);
  assert(errors.length >= 20 && errors.length <= 60, `${errors.length} attempts in 10 minutes`);
  assert.deepEqual([...new Set(errors)], ["network"]);

  const before = asked();
  server.before = () => problem(503, "store_unavailable", {}, { "Retry-After": "120" });
  await browser.advance(150_000);
  assert.equal(asked() - before, 2, "Retry-After is kept");

  server.before = () => {};
  server.state = "ended";
  await browser.advance(120_000);
  assert.equal(ended.length, 1);
  assert.equal(last().confirmed, true);
  assert.equal(browser.timers.size, 0, "nothing is left to count");
});

test("a server that insists on zero is asked once a second", async () => {
  const { browser, asked } = await start(0);
  await browser.advance(10_000);
  assert(asked() >= 9 && asked() <= 11, `${asked()}`);
});

test("long timers are split: browsers fire those of 30 days at once", async () => {
  const { browser, s, stop } = await start(60 * 24 * HOUR);
  stop();
  const ticks: Tick[] = [];
  s.countdown((tick) => ticks.push(tick), Infinity);
  assert([...browser.timers.values()].every(({ at }) => at - browser.now() <= HOUR));
  await browser.advance(3 * HOUR);
  assert(ticks.length >= 3 && ticks.length <= 5);
  assert.equal(ticks.at(-1)?.remainingMs, 60 * 24 * HOUR - 3 * HOUR);
});

test("a timer that comes late in a visible page asks the server", async () => {
  for (const visible of [true, false]) {
    const { browser, last, asked } = await start();
    await browser.show(visible);
    browser.throttleMs = 60_000;
    await browser.advance(70_000);
    assert.equal(asked(), visible ? 2 : 1);
    assert.equal(last().confirmed, true);
  }
});

test("coming into view asks the server, but not at every glance", async () => {
  const { browser, asked, last } = await start();
  await browser.show(false);
  await browser.advance(10_000);
  await browser.show(true);
  assert.equal(asked(), 2);
  await browser.show(false);
  await browser.advance(1_000);
  await browser.show(true);
  assert.equal(asked(), 2);
  assert(last().confirmed);
});

test("the back button after a logout elsewhere: hide, ask, then know", async () => {
  const { browser, server, asked, ticks, last } = await start();
  server.state = "ended";
  server.reason = "logout";
  ticks.length = 0;
  await browser.advance(100);
  await browser.restore();
  assert.equal(ticks[0]?.confirmed, false);
  assert.equal(asked(), 2);
  assert.equal(last().status.state, "ended");
});

test("a login in another tab is noticed in view", async () => {
  const { browser, server, last } = await start();
  server.state = "none";
  await browser.advance(100);
  await browser.restore();
  assert.equal(last().status.state, "none");
  server.state = "active";
  await browser.show(false);
  await browser.advance(5_000);
  await browser.show(true);
  assert.equal(last().status.state, "active");
  assert.equal(last().remainingMs, 600_000);
});

test("stopping leaves nothing behind, and another begins where it was", async () => {
  const { browser, s, ticks, stop, asked } = await start();
  stop();
  stop();
  assert.equal(browser.timers.size, 0);
  assert.equal(browser.wakers.size, 0);
  const n = ticks.length;
  await browser.advance(60_000);
  assert.equal(ticks.length, n);
  const later: Tick[] = [];
  s.countdown((tick) => later.push(tick));
  assert.equal(later[0]?.remainingMs, 540_000);
  assert.equal(asked(), 1);
});

test("a display that throws stops no other", async () => {
  const { browser, s, ticks } = await start();
  s.countdown(() => {
    throw new Error("mine");
  });
  const n = ticks.length;
  await browser.advance(2_000);
  assert.equal(ticks.length, n + 2);
  assert.equal(browser.reports.length, 3);
});

test("an extension is shown at once", async () => {
  const { s, last, browser } = await start(60_000);
  await browser.advance(30_000);
  await s.extend();
  assert.equal(last().remainingMs, 900_000);
});

test("an unknown status is asked for until it is known", async () => {
  const server = new FakeServer();
  const browser = fakeBrowser(server.serve);
  server.before = () => Promise.reject(new TypeError("down"));
  const ticks: Tick[] = [];
  createSession({ environment: browser }).countdown((tick) => ticks.push(tick));
  await browser.advance(5_000);
  assert.equal(ticks.length, 0);
  server.before = () => {};
  await browser.advance(10_000);
  assert(ticks.length > 0);
});
