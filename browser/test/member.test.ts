import assert from "node:assert/strict";
import { test } from "node:test";
import { createMember, type MemberState } from "../src/bindings/member.ts";
import { createSession } from "../src/index.ts";
import { fakeBrowser, problem, settle } from "./fake.ts";
import { FakeServer } from "./server.ts";

interface Members {
  cart: string[];
}

async function start() {
  const server = new FakeServer();
  server.data.set("cart", ["tea"]);
  const browser = fakeBrowser(server.serve);
  const session = createSession<Members>({ environment: browser });
  await session.status();
  const cart = createMember(session, "cart");
  const states: MemberState<string[]>[] = [];
  const stop = cart.subscribe(() => states.push(cart.state));
  await settle();
  return { server, browser, session, cart, states, stop };
}

test("it is read when somebody looks, once", async () => {
  const { browser, cart } = await start();
  cart.subscribe(() => {});
  await settle();
  assert.deepEqual(cart.state, { value: ["tea"], ready: true, error: undefined });
  assert.equal(cart.state, cart.state);
  assert.equal(browser.requests.filter((r) => r.path === "/data/cart").length, 1);
});

test("what is set is shown at once, and taken back if the server refuses", async () => {
  const { server, browser, cart } = await start();
  server.before = () => browser.delay(100).then(() => undefined);
  const written = cart.set(["tea", "lamp"]);
  assert.deepEqual(cart.state.value, ["tea", "lamp"]);
  await browser.advance(100);
  await written;
  assert.deepEqual(server.data.get("cart"), ["tea", "lamp"]);

  server.before = () => problem(413, "session_too_large");
  await assert.rejects(cart.set(["too much"]), { code: "session_too_large" });
  assert.deepEqual(cart.state.value, ["tea", "lamp"]);
  assert.equal((cart.state.error as { code?: string }).code, "session_too_large");
  server.before = () => {};
  await cart.update((items = []) => [...items, "key"]);
  assert.deepEqual(cart.state, { value: ["tea", "lamp", "key"], ready: true, error: undefined });
});

test("of two writes the last is shown, however the answers come", async () => {
  const { server, browser, cart } = await start();
  let n = 0;
  server.before = () => (n++ === 0 ? browser.delay(500).then(() => undefined) : undefined);
  const first = cart.set(["first"]);
  const second = cart.set(["second"]);
  await browser.advance(500);
  await Promise.all([first, second]);
  assert.deepEqual(cart.state.value, ["second"]);
});

test("a reading that comes after a write does not undo it", async () => {
  const { server, browser, cart } = await start();
  const { serve } = server;
  browser.serve = async (request) => {
    const answer = await serve(request);
    if (request.method === "GET") await browser.delay(300); // as it was before
    return answer;
  };
  const read = cart.reload();
  await settle();
  await cart.set(["new"]);
  await browser.advance(300);
  await read;
  assert.deepEqual(cart.state.value, ["new"]);
});

test("another session's value is never shown, and its own is read", async () => {
  const { server, session, cart, states } = await start();
  server.h = "handle-2";
  server.data.set("cart", ["another's"]);
  states.length = 0;
  await session.status();
  await settle();
  assert.deepEqual(states[0], { value: undefined, ready: false, error: undefined });
  assert.deepEqual(cart.state.value, ["another's"]);
  server.state = "ended";
  await session.status();
  assert.equal(cart.state.value, undefined);
});

test("an outage is told, and what was known stays", async () => {
  const { server, cart } = await start();
  server.before = () => problem(503, "store_unavailable");
  await cart.reload();
  assert.deepEqual(cart.state.value, ["tea"]);
  assert.equal((cart.state.error as { code?: string }).code, "store_unavailable");
});

test("nobody looks: nothing is asked, nothing is kept waiting", async () => {
  const { browser, cart, session, stop } = await start();
  stop();
  stop();
  browser.requests.length = 0;
  await session.status();
  await settle();
  assert.deepEqual(browser.requests.map((r) => r.path), ["/status"]);
  assert.equal(browser.timers.size, 0);
  const again = cart.subscribe(() => {});
  await settle();
  assert.deepEqual(cart.state.value, ["tea"]);
  again();
});
