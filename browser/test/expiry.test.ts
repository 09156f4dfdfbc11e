import assert from "node:assert/strict";
import { test } from "node:test";
import { createExpiry, type ExpiryState } from "../src/expiry.ts";
import { createSession, type Snapshot } from "../src/index.ts";
import { fakeBrowser, problem, settle } from "./fake.ts";
import { FakeServer } from "./server.ts";

async function start(expiresInMs = 600_000) {
  const server = new FakeServer();
  server.expiresInMs = expiresInMs;
  const browser = fakeBrowser(server.serve);
  const session = createSession({ environment: browser });
  const expiry = createExpiry(session);
  const states: ExpiryState[] = [];
  const stop = expiry.subscribe(() => states.push(expiry.state));
  await settle();
  return { server, browser, session, expiry, states, stop };
}

test("it warns exactly when the server says, and counts from there", async () => {
  const { browser, expiry, states } = await start();
  await browser.advance(480_000 - 1);
  assert.equal(expiry.state.phase, "quiet");
  assert.equal(expiry.state.idleMs, 900_000);
  assert(states.length <= 2, `${states.length} changes while nothing happened`);
  await browser.advance(1);
  assert.deepEqual([expiry.state.phase, expiry.state.seconds], ["warning", 120]);
  await browser.advance(30_000);
  assert.equal(expiry.state.seconds, 90);
  assert.equal(states.filter((s) => s.phase === "warning").length, 31);
});

test("it goes only when the server has agreed, ten times over (WCAG 2.2.1)", async () => {
  const { server, browser, expiry } = await start(900_000);
  for (let i = 0; i < 10; i++) {
    await browser.advance(780_000); // the fake gives 900 s with each extension
    assert.equal(expiry.state.phase, "warning", `extension ${i}`);
    server.before = () => browser.delay(300).then(() => undefined);
    const extended = expiry.extend();
    await browser.advance(299);
    assert.deepEqual([expiry.state.phase, expiry.state.busy], ["warning", "extend"]);
    await browser.advance(1);
    await extended;
    assert.deepEqual([expiry.state.phase, expiry.state.busy], ["quiet", undefined]);
    server.before = () => {};
  }
});

for (const [what, refuse, code] of [
  ["500", () => problem(500, "internal"), "internal"],
  ["503", () => problem(503, "store_unavailable"), "store_unavailable"],
  ["offline", () => Promise.reject(new TypeError("down")), "network"],
  ["a proxy's 401", () => new Response("<html>", { status: 401 }), "protocol"],
] as const) {
  test(`after ${what} it stays, with the error`, async () => {
    const { server, browser, expiry } = await start(121_000);
    await browser.advance(1_000);
    server.expiresInMs = 110_000;
    server.before = ({ path }) => (path === "/extend" ? refuse() : undefined);
    await expiry.extend();
    assert.equal(expiry.state.phase, "warning");
    assert.equal((expiry.state.error as { code?: string }).code, code);
    await browser.advance(1_000);
    assert.equal((expiry.state.error as { code?: string }).code, code, "it is there to be read");
    server.before = () => {};
    await expiry.extend();
    assert.deepEqual([expiry.state.phase, expiry.state.error], ["quiet", undefined]);
  });
}

test("a session that ended elsewhere is told by the answer", async () => {
  const { server, browser, expiry } = await start(121_000);
  await browser.advance(1_000);
  server.state = "ended";
  server.reason = "revoked";
  await expiry.extend();
  const { phase, masked, reason, error } = expiry.state;
  assert.deepEqual({ phase, masked, reason, error }, { phase: "ended", masked: true, reason: "revoked", error: undefined });
});

test("zero ends nothing, but masks (P9)", async () => {
  const { server, browser, expiry, states } = await start(121_000);
  server.before = () => Promise.reject(new TypeError("down"));
  await browser.advance(10 * 60_000);
  assert.deepEqual([expiry.state.phase, expiry.state.masked, expiry.state.seconds], ["warning", true, 0]);
  assert(states.every((s) => s.seconds >= 0));
  server.before = () => {};
  server.expiresInMs = 500_000; // another tab had extended it
  await browser.advance(31_000);
  assert.deepEqual([expiry.state.phase, expiry.state.masked], ["quiet", false]);
});

test("another tab's extension takes the warning away", async () => {
  const { server, browser, session, expiry } = await start(121_000);
  await browser.advance(10_000);
  assert.equal(expiry.state.phase, "warning");
  server.expiresInMs = 800_000;
  await session.status();
  assert.equal(expiry.state.phase, "quiet");
});

test("what cannot be extended can be dismissed, until zero", async () => {
  const { server, browser, expiry } = await start(121_000);
  await browser.advance(1_000);
  expiry.dismiss();
  assert.equal(expiry.state.phase, "warning", "an answer is wanted");
  const { serve } = server;
  browser.serve = async (request) => {
    const answer = await serve(request);
    if (!/status|extend/.test(request.path)) return answer;
    return new Response(JSON.stringify({ ...((await answer.json()) as object), extendable: false, expires_in_ms: 60_000 }), { headers: answer.headers });
  };
  await expiry.extend();
  assert.deepEqual([expiry.state.phase, expiry.state.extendable], ["warning", false]);
  expiry.dismiss();
  assert.equal(expiry.state.phase, "quiet");
  await browser.advance(59_000);
  assert.equal(expiry.state.phase, "quiet");
  browser.serve = () => Promise.reject(new TypeError("down"));
  await browser.advance(2_000);
  assert.deepEqual([expiry.state.phase, expiry.state.masked], ["warning", true]);
});

test("logging out from it", async () => {
  const { browser, expiry } = await start(121_000);
  await browser.advance(1_000);
  await expiry.end();
  assert.deepEqual([expiry.state.phase, expiry.state.reason], ["ended", "logout"]);
});

test("without a session there is nothing to warn of; a new one is quiet again", async () => {
  const server = new FakeServer();
  server.state = "none";
  const browser = fakeBrowser(server.serve);
  const session = createSession({ environment: browser });
  const expiry = createExpiry(session);
  const stop = expiry.subscribe(() => {});
  await settle();
  assert.equal(expiry.state.phase, "quiet");
  server.state = "active";
  await session.status();
  server.state = "ended";
  await session.status();
  assert.equal(expiry.state.phase, "ended");
  server.state = "active";
  server.h = "handle-2";
  await session.status();
  assert.deepEqual([expiry.state.phase, expiry.state.masked], ["quiet", false]);
  stop();
  stop();
  assert.equal(browser.timers.size, 0, "nothing is left to count");
});

test("two clicks extend once, and the object changes only with its content", async () => {
  const { browser, expiry } = await start(121_000);
  await browser.advance(1_000);
  const before = expiry.state;
  assert.equal(expiry.state, before);
  await Promise.all([expiry.extend(), expiry.extend(), expiry.end()]);
  assert.equal(browser.requests.filter((r) => r.path === "/extend").length, 1);
  assert.equal(browser.requests.filter((r) => r.method === "DELETE").length, 0);
  assert.notEqual(expiry.state, before);
});

test("input extends nothing while the warning asks", () => {
  let pauses = 0;
  const status = { state: "active", h: "h", rev: 1, expiresInMs: 1, idleMs: 900_000, absoluteInMs: 1, warnMs: 1, extendable: true } as const;
  const warning: Snapshot = { state: "active", status, confirmed: true, warning: true, seconds: 100, extendable: true, error: undefined };
  const listeners = new Set<() => void>();
  const session = {
    snapshot: warning,
    subscribe: (fn: () => void) => (listeners.add(fn), () => void listeners.delete(fn)),
    extend: () => Promise.resolve(status),
    end: () => Promise.resolve(),
    pauseActivity: () => (pauses++, () => void pauses--),
  };
  const expiry = createExpiry(session);
  const stop = expiry.subscribe(() => {});
  assert.equal(pauses, 1);
  session.snapshot = { ...warning, warning: false, seconds: undefined };
  for (const fn of listeners) fn();
  assert.equal(pauses, 0);
  session.snapshot = warning;
  for (const fn of listeners) fn();
  assert.equal(pauses, 1);
  stop();
  assert.equal(pauses, 0);
  assert.equal(listeners.size, 0);
});
