import assert from "node:assert/strict";
import { test } from "node:test";
import { createSession, SojournError } from "../src/index.ts";
import { fakeBrowser, json, problem } from "./fake.ts";
import { FakeServer } from "./server.ts";

interface Members {
  cart: string[];
  theme: string;
  n: number;
  note: string;
}

function start(members: Partial<Members> = {}) {
  const server = new FakeServer();
  server.data = new Map(Object.entries(members));
  const browser = fakeBrowser(server.serve);
  const page = () => createSession<Members>({ environment: browser });
  const writes = () => browser.requests.filter((r) => r.method !== "GET").map((r) => r.headers["If-Match"]);
  return { server, browser, page, s: page(), writes };
}

const conflict = (error: unknown) => error instanceof SojournError && error.code === "rev_conflict";

test("members are read together and one by one", async () => {
  const { s, browser } = start({ cart: ["a"], theme: "dark" });
  assert.deepEqual(await s.data(), { cart: ["a"], theme: "dark" });
  assert.deepEqual(await s.get("cart"), ["a"]);
  assert.equal(await s.get("n"), undefined);
  assert.equal(await createSession({ environment: browser }).get("n"), undefined);
});

test("members may have the names of methods", async () => {
  const { server, browser } = start();
  const s = createSession({ environment: browser });
  assert.equal(await s.get("toString"), undefined);
  await s.set("toString", 1);
  server.write("n", 1);
  await s.set("toString", 2);
  assert.deepEqual(await s.data(), { toString: 2, n: 1 });
});

test("a member that was never read is replaced, whatever it was", async () => {
  const { s, server, writes } = start({ theme: "dark" });
  await s.set("theme", "light");
  server.write("theme", "other");
  await s.set("theme", "light");
  await s.delete("theme");
  assert.deepEqual(writes(), ["*", "*", "*"]);
  assert.equal(server.data.size, 0);
});

test("a write is conditional on what was read", async () => {
  const { s, writes } = start({ theme: "dark" });
  await s.get("theme");
  await s.set("theme", "light");
  await s.set("theme", "blue");
  await s.get("n");
  await s.set("n", 1);
  assert.deepEqual(writes(), ['"17"', '"18"', '"19"']);
});

test("a member that changed since it was read is not overwritten (P2)", async () => {
  for (const change of [["theirs"], undefined]) {
    const { s, server } = start({ cart: ["a"] });
    await s.data();
    server.write("cart", change);
    await assert.rejects(s.set("cart", ["mine"]), conflict);
    await assert.rejects(s.set("cart", ["mine"]), conflict, "as long as it is not read again");
    await assert.rejects(s.delete("cart"), conflict);
    await assert.rejects(s.patch({ cart: ["mine"], n: 1 }), conflict);
    assert.deepEqual(server.data.get("cart"), change);
    await s.get("cart");
    await s.set("cart", ["mine"]);
    assert.deepEqual(server.data.get("cart"), ["mine"]);
  }
});

test("a member that another creates is not overwritten (P2)", async () => {
  for (const read of ["data", "get"] as const) {
    const { s, server } = start();
    await (read === "data" ? s.data() : s.get("note"));
    server.write("note", "theirs");
    await assert.rejects(s.set("note", "mine"), conflict);
    assert.equal(server.data.get("note"), "theirs");
  }
});

test("changes of other members are no conflict", async () => {
  const { s, server, writes } = start({ cart: ["a"], theme: "dark" });
  await s.data();
  server.write("theme", "light");
  await s.set("cart", ["a", "b"]);
  assert.deepEqual(writes(), ['"17"', '"18"']);
  assert.deepEqual(Object.fromEntries(server.data), { cart: ["a", "b"], theme: "light" });
});

test("reading another member later does not hide a change (P2)", async () => {
  const { s, server } = start({ cart: ["a"], theme: "dark" });
  await s.get("cart");
  server.write("cart", ["theirs"]);
  await s.get("theme");
  await assert.rejects(s.patch({ cart: ["mine"], theme: "light" }), conflict);
  await assert.rejects(s.set("cart", ["mine"]), conflict);
});

test("what the page does to a value it read is not what it read", async () => {
  const { s, server } = start({ cart: ["a"] });
  const cart = (await s.get("cart")) ?? [];
  server.write("theme", "light");
  cart.push("b");
  const stored = s.set("cart", cart);
  cart.push("too late");
  await stored;
  assert.deepEqual(server.data.get("cart"), ["a", "b"]);
});

test("a member that is writable and not readable is never in conflict", async () => {
  const { s, server } = start();
  server.writeOnly.add("theme");
  await s.data();
  await s.set("theme", "a");
  server.write("n", 1);
  await s.set("theme", "b");
  assert.equal(server.data.get("theme"), "b");
});

test("patch makes several changes at once", async () => {
  const { s, server, browser } = start({ cart: ["a"], theme: "dark" });
  await s.data();
  server.write("note", "theirs");
  await s.patch({ cart: null, n: 2 });
  assert.deepEqual(Object.fromEntries(server.data), { theme: "dark", n: 2, note: "theirs" });
  assert.equal(browser.requests.at(-1)?.headers["Content-Type"], "application/merge-patch+json");
  assert.equal(browser.requests.at(-1)?.line, "PATCH /_session/v1/data");
  await s.set("n", 3);
  assert.equal(server.data.get("n"), 3);
});

test("update runs again on the newer value", async () => {
  const { s, server, browser } = start({ n: 1 });
  const seen: unknown[] = [];
  let others = 3;
  server.before = (r) => {
    if (r.method === "PUT" && others-- > 0) server.write("n", (server.data.get("n") as number) + 10);
  };
  const stored = await s.update("n", (n) => {
    seen.push(n);
    return (n ?? 0) + 1;
  });
  assert.equal(stored, 32);
  assert.deepEqual(seen, [1, 11, 21, 31]);
  assert.equal(server.data.get("n"), 32);
  assert.equal(browser.requests.filter((r) => r.method === "GET").length, 1, "a refusal brings the newer value");
});

test("update of an absent member creates it, and undefined writes nothing", async () => {
  const { s, server, writes } = start();
  assert.equal(await s.update("n", (n) => n), undefined);
  assert.deepEqual(writes(), []);
  assert.equal(await s.update("n", (n) => (n ?? 0) + 1), 1);
  assert.equal(server.data.get("n"), 1);
});

test("update gives up after sixteen refusals", async () => {
  const { s, server, writes } = start({ n: 1 });
  server.before = (r) => void (r.method === "PUT" && server.rev++);
  await assert.rejects(s.update("n", (n) => (n ?? 0) + 1), conflict);
  assert.equal(writes().length, 16);
});

test("set gives up after sixteen refusals", async () => {
  const { s, server, writes } = start({ n: 1 });
  await s.get("n");
  server.before = (r) => void (r.method === "PUT" && server.rev++);
  await assert.rejects(s.set("n", 2), conflict);
  assert.equal(writes().length, 16);
});

test("a 412 without a revision is not repeated", async () => {
  const browser = fakeBrowser((r) => (r.method === "GET" ? json(1, { headers: { ETag: '"1"' } }) : problem(412, "rev_conflict")));
  const s = createSession<Members>({ environment: browser });
  await assert.rejects(s.update("n", () => 2), conflict);
  await assert.rejects(s.set("n", 2), conflict);
  assert.equal(browser.requests.length, 3);
});

test("an update without a revision to build on is refused", async () => {
  const s = createSession<Members>({ environment: fakeBrowser(() => json(1)) });
  await assert.rejects(s.update("n", () => 2), { code: "protocol" });
});

test("counters of many pages add up (P2)", async () => {
  const { server, browser, page } = start();
  server.before = async (r) => {
    await browser.delay((r.body?.length ?? 1) * 3);
  };
  const updates = Array.from({ length: 4 }, page).flatMap((p) => [1, 2, 3].map(() => p.update("n", (n) => (n ?? 0) + 1)));
  const all = Promise.allSettled(updates);
  await browser.advance(5_000);
  const done = (await all).filter(({ status }) => status === "fulfilled").length;
  assert.equal(server.data.get("n"), done);
  assert.equal(done, 12);
});

test("a page is never in conflict with itself", async () => {
  const { s, server, writes } = start({ n: 0 });
  await s.data();
  await Promise.all([s.set("n", 1), s.set("n", 2), s.update("n", (n) => (n ?? 0) + 1), s.set("n", 4)]);
  assert.equal(server.data.get("n"), 4);
  assert.deepEqual(writes(), ['"17"', '"18"', '"19"', '"20"']);
});

test("a failed write does not stop the next one", async () => {
  const { s, server } = start();
  let fail = true;
  server.before = () => (fail ? problem(503, "store_unavailable") : undefined);
  const first = s.set("n", 1);
  const failed = assert.rejects(first, { code: "store_unavailable" });
  await failed;
  fail = false;
  await s.set("n", 2);
  assert.equal(server.data.get("n"), 2);
});

test("a late answer does not hide a newer one", async () => {
  const { s, browser, writes } = start({ n: 1 });
  await s.get("n");
  const serve = browser.serve;
  browser.serve = async (r) => {
    const answer = await serve(r);
    if (r.method === "GET") await browser.delay(100); // true when it left, and late
    return answer;
  };
  const late = s.get("n");
  await s.set("n", 2);
  await browser.advance(100);
  assert.equal(await late, 1);
  await s.set("n", 3);
  assert.deepEqual(writes(), ['"17"', '"18"']);
});

test("what was read of one session is no ground to write to another", async () => {
  const { s, server, writes } = start({ n: 1 });
  await s.status();
  await s.get("n");
  server.h = "handle-2";
  await assert.rejects(s.set("n", 2), { code: "session_changed" });
  await s.status();
  await s.set("n", 2);
  assert.deepEqual(writes(), ['"17"', "*"]);
});
