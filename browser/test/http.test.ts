import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createSession, isSojournError, SojournError, type ErrorCode } from "../src/index.ts";
import { fakeBrowser, json, problem, type FakeBrowser } from "./fake.ts";

const session = (environment: FakeBrowser, base?: string) =>
  createSession({ environment, ...(base === undefined ? {} : { base }) });

async function failure(promise: Promise<unknown>): Promise<SojournError> {
  try {
    await promise;
  } catch (error) {
    assert(error instanceof SojournError, `${error} is no SojournError`);
    return error;
  }
  return assert.fail("resolved");
}

test("requests are same-origin, uncached, and marked where unsafe", async () => {
  const browser = fakeBrowser((r) => (r.method === "GET" ? json({ state: "none" }) : json({ rev: 1 })));
  await session(browser).status();
  await session(browser, "/app/_session/v1/").set("a/b c", [1]);
  const [get, put] = browser.requests;
  assert(get && put);
  assert.equal(get.line, "GET /_session/v1/status");
  assert.equal(get.init.credentials ?? "same-origin", "same-origin"); // the default
  assert.equal(get.init.cache, "no-store");
  assert.equal(get.headers["X-Session-CSRF"], undefined);
  assert.equal(get.body, undefined);
  assert.equal(put.line, "PUT /app/_session/v1/data/a%2Fb%20c");
  assert.equal(put.headers["X-Session-CSRF"], "1");
  assert.equal(put.headers["Content-Type"], "application/json");
  assert.equal(put.body, "[1]");
});

test("every refusal of the wire is a SojournError of its code", async () => {
  const cases: [number, ErrorCode][] = [
    [401, "session_none"],
    [401, "session_ended"],
    [403, "cross_site"],
    [404, "not_found"],
    [409, "absolute_limit"],
    [413, "body_too_large"],
    [428, "precondition_required"],
    [501, "unsupported"],
    [503, "store_unavailable"],
  ];
  for (const [status, code] of cases) {
    const browser = fakeBrowser(() => problem(status, code, { reason: "revoked" }, { "Retry-After": "2" }));
    const error = await failure(session(browser).data());
    assert.equal(error.code, code);
    assert.equal(error.status, status);
    assert.equal(error.message, `detail of ${code}`);
    assert.equal(error.problem?.title, code);
    assert.equal(error.retryAfterMs, 2000);
    assert.equal(error.temporary, status === 503);
    assert(isSojournError(error, code) && !isSojournError(error, "network") && !isSojournError(new Error()));
  }
});

test("an answer that is not Sojourn's says nothing about the session (P9)", async () => {
  const html = (status: number) => new Response("<html>", { status, headers: { "Content-Type": "text/html" } });
  const answers: [() => Response, boolean][] = [
    [() => html(502), true],
    [() => html(200), false], // a proxy's login page
    [() => html(401), false],
    [() => json({ error: "mine" }, { status: 401 }), false],
    [() => new Response('{"state":', { headers: { "Content-Type": "application/json" } }), false],
    [() => json({ state: "strange" }), false],
    [() => json(null), false],
  ];
  for (const [answer, temporary] of answers) {
    const s = session(fakeBrowser(answer));
    const ended: unknown[] = [];
    s.on("status", (status) => ended.push(status));
    const error = await failure(s.status());
    assert.equal(error.code, "protocol");
    assert.equal(error.temporary, temporary);
    assert.deepEqual(ended, []);
  }
  assert.equal((await failure(session(fakeBrowser(() => html(200))).end())).code, "protocol");
  assert.equal((await failure(session(fakeBrowser(() => json({}))).devices())).code, "protocol");
  assert.equal((await failure(session(fakeBrowser(() => json({}))).data())).code, "protocol");
});

test("no answer is network, no answer in time is timeout", async () => {
  const cause = new TypeError("Failed to fetch");
  const down = await failure(session(fakeBrowser(() => Promise.reject(cause))).status());
  assert.equal(down.code, "network");
  assert.equal(down.status, 0);
  assert.equal(down.cause, cause);
  assert(down.temporary);

  const browser = fakeBrowser(() => new Promise(() => {}));
  const waiting = failure(session(browser).status());
  await browser.advance(9_999);
  assert.equal(browser.requests[0]?.init.signal?.aborted, false);
  await browser.advance(1);
  const late = await waiting;
  assert.equal(late.code, "timeout");
  assert(late.temporary);
  assert.equal(browser.timers.size, 0);
});

test("a timer of an answered request is cleared", async () => {
  const browser = fakeBrowser(() => json({ state: "none" }));
  await session(browser).status();
  assert.equal(browser.timers.size, 0);
});

test("what cannot be sent is not: DELETE /data/.. would be a logout", async () => {
  const browser = fakeBrowser();
  const s = createSession<Record<string, unknown>>({ environment: browser });
  const loop: unknown[] = [];
  loop.push(loop);
  const calls = [
    ...["", ".", ".."].flatMap((key) => [s.delete(key), s.get(key), s.set(key, 1), s.revoke(key)]),
    ...[undefined, 1n, () => 1, loop].map((value) => s.set("key", value)),
  ];
  for (const call of calls) assert.equal((await failure(call)).code, "invalid_argument");
  assert.deepEqual(browser.requests, []);
});

test("the codes are those of the server", () => {
  const server = readFileSync("../webapi/problem.go", "utf8").matchAll(/^\tcode\w+\s+code = "(\w+)"$/gm);
  const union = /type WireCode =([^;]+);/.exec(readFileSync("src/errors.ts", "utf8"))?.[1] ?? "";
  const ours = union.matchAll(/"(\w+)"/g);
  assert.deepEqual([...ours].map((m) => m[1]).sort(), [...server].map((m) => m[1]).sort());
});
