import assert from "node:assert/strict";
import { test } from "node:test";
import { runInContext, createContext } from "node:vm";
import { build } from "esbuild";
import { createSession, type Status } from "../src/index.ts";
import { fakeBrowser, json, problem, settle } from "./fake.ts";
import { FakeServer } from "./server.ts";

function start() {
  const server = new FakeServer();
  const browser = fakeBrowser(server.serve);
  const s = createSession({ environment: browser });
  const statuses: Status[] = [];
  const ended: Status[] = [];
  s.on("status", (status) => statuses.push(status));
  const stop = s.on("ended", (status) => ended.push(status));
  return { server, browser, s, statuses, ended, stop };
}

test("status is told in full", async () => {
  const { s } = start();
  assert.deepEqual(await s.status(), {
    state: "active",
    h: "handle-1",
    rev: 17,
    expiresInMs: 600_000,
    idleMs: 900_000,
    absoluteInMs: 27_912_000,
    warnMs: 120_000,
    extendable: true,
  });
});

test("extend says why, and tells the new status", async () => {
  const { s, browser } = start();
  const status = await s.extend();
  assert(status.state === "active" && status.expiresInMs === 900_000);
  assert.equal(browser.requests.at(-1)?.body, '{"cause":"user","active_ms_ago":0}');
  await s.extend("activity", 1200);
  assert.equal(browser.requests.at(-1)?.body, '{"cause":"activity","active_ms_ago":1200}');
});

test("an extension that is refused changes nothing", async () => {
  const { s, server, statuses, ended } = start();
  await s.status();
  server.before = () => problem(409, "absolute_limit");
  await assert.rejects(s.extend(), { code: "absolute_limit" });
  assert.equal(statuses.at(-1)?.state, "active");
  assert.deepEqual(ended, []);
});

test("logout: ended is told once, and late answers revive nothing (P1)", async () => {
  const { s, server, browser, statuses, ended } = start();
  await s.status();
  const first = server.serve;
  browser.serve = async (r) => {
    const answer = await first(r); // as of now
    if (r.path === "/status") await browser.delay(1_000); // but it comes late
    return answer;
  };
  const late = s.status();
  await s.end();
  await browser.advance(1_000);
  assert.equal((await late).state, "active");
  assert.deepEqual(statuses.at(-1), { state: "ended", reason: "logout" });
  assert.deepEqual(ended, [{ state: "ended", reason: "logout" }]);
});

test("a logout that may not have happened has not", async () => {
  const { s, server, ended } = start();
  await s.status();
  server.before = () => problem(503, "store_unavailable");
  await assert.rejects(s.end(), { code: "store_unavailable" });
  assert.deepEqual(ended, []);
});

test("scopes of a logout", async () => {
  const { s, browser, ended } = start();
  await s.status();
  await s.end({ scope: "others" });
  assert.equal(browser.requests.at(-1)?.line, "DELETE /_session/v1/");
  assert.equal(browser.requests.at(-1)?.body, '{"scope":"others"}');
  assert.deepEqual(ended, []);
  await s.end({ scope: "all" });
  assert.equal(ended.length, 1);
});

test("logging out works whoever is logged in, logging others out does not", async () => {
  const { s, server } = start();
  await s.status();
  server.h = "handle-2";
  await assert.rejects(s.end({ scope: "others" }), { code: "session_changed" });
  const { s: t, server: other } = start();
  await t.status();
  other.h = "handle-2";
  await t.end();
  assert.equal(other.state, "ended");
});

test("any verb that is told of the end tells it", async () => {
  for (const [state, told] of [
    ["ended", { state: "ended", reason: "revoked" }],
    ["none", { state: "none" }],
  ] as const) {
    const { s, server, browser, ended } = start();
    await s.status();
    const asked = browser.requests.length;
    server.state = state;
    server.reason = "revoked";
    const calls = Array.from({ length: 20 }, () => s.get("x"));
    for (const call of calls) await assert.rejects(call, { code: `session_${state}` });
    assert.deepEqual(ended, [told]);
    assert.equal(browser.requests.length, asked + 20, "nothing more was asked");
  }
});

test("a page that never had a session is not told of an end", async () => {
  const { s, server, ended } = start();
  server.state = "ended";
  assert.equal((await s.status()).state, "ended");
  await s.end();
  assert.deepEqual(ended, []);
});

test("another session is not this one: verbs wait for its status", async () => {
  const { s, server, statuses } = start();
  await s.status();
  server.h = "handle-2";
  await assert.rejects(s.get("x"), { code: "session_changed" });
  await settle();
  const now = statuses.at(-1);
  assert(now?.state === "active" && now.h === "handle-2");
  assert.equal(await s.get("x"), undefined);
});

test("a session that moved at a login has not ended", async () => {
  const { s, server, browser, ended } = start();
  await s.status();
  const old = problem(401, "session_ended", { reason: "moved" });
  server.before = (r) => {
    if (r.path === "/data") return old;
    server.before = () => {}; // the login's cookie has come
    return json({ state: "ended", h: "handle-1", reason: "moved" });
  };
  server.h = "handle-2";
  await assert.rejects(s.data(), { code: "session_ended" });
  await settle();
  const asked = browser.requests.length;
  const now = await s.status();
  assert(now.state === "active" && now.h === "handle-2");
  assert.deepEqual(ended, []);
  server.before = () => json({ state: "ended", h: "handle-2", reason: "moved" });
  await s.status();
  assert.equal(browser.requests.length, asked + 3, "asked again once");
  assert.equal(ended.length, 1);
});

test("a refusal in an application's words is looked into", async () => {
  const { s, server, browser, ended } = start();
  await s.status();
  const asked = browser.requests.length;
  server.before = () => new Response("log in, please", { status: 401 });
  await assert.rejects(s.data(), { code: "protocol", status: 401 });
  await settle();
  assert.deepEqual(ended, []);
  assert.equal(browser.requests.length, asked + 2);
  server.before = (r) => (r.path === "/data" ? new Response("log in, please", { status: 401 }) : undefined);
  server.state = "ended";
  await assert.rejects(s.data(), { code: "protocol" });
  await settle();
  assert.equal(ended.length, 1);
});

test("a page is bound to a session by its first answer, too", async () => {
  const server = new FakeServer();
  const s = createSession({ environment: fakeBrowser(server.serve) });
  await s.data();
  server.h = "handle-2";
  await assert.rejects(s.data(), { code: "session_changed" });
});

test("listening to ended keeps watch", async () => {
  const { server, browser, ended, stop } = start();
  await browser.advance(599_999);
  assert.deepEqual(ended, []);
  server.state = "ended";
  await browser.advance(1);
  assert.equal(ended.length, 1);
  stop();
  assert.equal(browser.timers.size, 0);
  assert.equal(browser.wakers.size, 0);
});

test("devices are listed and ended", async () => {
  const device = { id: "d2", current: false, label: "", user_agent: "UA", ip: "::1", created_ms_ago: 9, last_seen_ms_ago: 3 };
  const browser = fakeBrowser((r) => (r.method === "GET" ? json({ devices: [device] }) : new Response(null, { status: 204 })));
  const s = createSession({ environment: browser });
  assert.deepEqual(await s.devices(), [
    { id: "d2", current: false, label: "", userAgent: "UA", ip: "::1", createdMsAgo: 9, lastSeenMsAgo: 3 },
  ]);
  await s.revoke("d2");
  assert.equal(browser.requests.at(-1)?.line, "DELETE /_session/v1/devices/d2");
});

test("revoking one's own device is a logout", async () => {
  const { s, browser, ended } = start();
  await s.status();
  browser.serve = () => new Response(null, { status: 204 });
  await s.revoke("another");
  assert.deepEqual(ended, []);
  await s.revoke("handle-1");
  assert.deepEqual(ended, [{ state: "ended", reason: "logout" }]);
});

test("verbs may be taken off the object", async () => {
  const { get, set, status } = createSession({ environment: fakeBrowser(new FakeServer().serve) });
  await status();
  await set("a", 1);
  assert.equal(await get("a"), 1);
});

test("it can be imported and made where there is no browser", async () => {
  const { outputFiles } = await build({
    entryPoints: ["src/index.ts"],
    bundle: true,
    write: false,
    format: "iife",
    globalName: "sdk",
  });
  const bare = createContext({}); // not even fetch or timers
  const kind: unknown = runInContext(`${outputFiles[0]?.text ?? ""}; typeof sdk.createSession().status`, bare);
  assert.equal(kind, "function");
});
