// Row 14 of what the SDK must do: members are shown at once, and two tabs that
// change them both keep what they can.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isTold, launch, login, newPage, newSite, until } from "./harness.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

async function two(site, options) {
  const context = await browser.newContext();
  await login(context, site, "ada");
  const pages = [];
  for (let i = 0; i < 2; i++) {
    const page = await newPage(browser, site, { context, boot: {} });
    await isTold(page, "live", { state: "open" });
    await page.evaluate((merging) => {
      const merge = ({ base = [], mine, theirs = [] }) => [...new Set([...theirs, ...mine.filter((item) => !base.includes(item))])];
      globalThis.m = createMirror(s, merging ? { merge } : {});
      globalThis.shown = [];
      m.subscribe(() => shown.push(structuredClone(m.data)));
    }, options?.merging);
    pages.push(page);
  }
  return { context, pages };
}

const data = (page) => page.evaluate(() => m.data);
const set = (page, key, value) => page.evaluate(([key, value]) => m.set(key, value).then(() => "ok", (error) => error.code), [key, value]);
const stored = (page) => page.evaluate(() => fetch("/_session/v1/data").then((r) => r.json()).then((answer) => answer.data));

test("row 14: a change shows at once, here and in the other tab, and is taken back if it is refused", async () => {
  const site = await newSite();
  const { context, pages: [a, b] } = await two(site);
  assert.equal(await a.evaluate(() => (void m.set("note", "one"), m.data.note)), "one", "before any answer");
  await until("the other tab", async () => (await data(b)).note === "one");
  assert.equal(await set(b, "note", undefined), "ok");
  await until("gone here too", async () => !("note" in (await data(a))));
  const { before, code, after, pending } = await a.evaluate(async () => {
    const done = m.set("secret", 1).catch((error) => error.code); // not open to pages
    const before = m.data.secret;
    return { before, code: await done, after: m.data.secret, pending: m.pending };
  });
  assert.deepEqual({ before, code, after, pending }, { before: 1, code: "not_writable", after: undefined, pending: false });
  await site.do("set", { owner: "ada", key: "note", data: "the application's" });
  for (const page of [a, b]) await until("the application's", async () => (await data(page)).note === "the application's");
  await context.close();
});

test("row 14: two tabs race: other members are no conflict, the same one is merged, or the later is refused", async () => {
  const site = await newSite();
  const { context, pages } = await two(site, { merging: true });
  const [a, b] = pages;
  const rounds = await Promise.all(
    pages.map((page, i) =>
      page.evaluate(async (i) => {
        const done = [];
        for (let n = 0; n < 8; n++) {
          done.push(m.set("cart", [...(m.data.cart ?? []), `${i}.${n}`]));
          done.push(m.set(`ui.${i}`, n));
          await new Promise((resolve) => setTimeout(resolve, 5 * Math.random()));
        }
        return (await Promise.allSettled(done)).filter(({ status }) => status === "rejected").map(({ reason }) => reason.code);
      }, i),
    ),
  );
  assert.deepEqual(rounds, [[], []]);
  const all = await stored(a);
  assert.deepEqual([all["ui.0"], all["ui.1"]], [7, 7]);
  assert.deepEqual([...all.cart].sort(), [0, 1].flatMap((i) => [0, 1, 2, 3, 4, 5, 6, 7].map((n) => `${i}.${n}`)));
  for (const page of [a, b]) await until("both show it", async () => JSON.stringify((await data(page)).cart) === JSON.stringify(all.cart));
  await context.close();

  const plain = await newSite();
  const { context: other, pages: [c, d] } = await two(plain);
  await c.evaluate(() => s.live.close()); // does not hear of it
  await c.evaluate(() => m.load());
  assert.equal(await set(d, "note", "theirs"), "ok");
  assert.equal(await set(c, "note", "mine"), "rev_conflict");
  assert.equal((await data(c)).note, "theirs", "rolled back to what is");
  await other.close();
});

test("row 14: without a network changes wait in memory, and are sent when it is back", async () => {
  const site = await newSite();
  const { context, pages: [a, b] } = await two(site);
  await set(a, "note", "before");
  await context.setOffline(true);
  await a.evaluate(() => void (globalThis.done = Promise.all([m.set("note", "offline"), m.set("cart", [1])])));
  await until("tried", () => a.evaluate(() => m.pending));
  assert.deepEqual(await a.evaluate(() => [m.data.note, m.data.cart, Object.keys(localStorage)]), ["offline", [1], []]);
  await context.setOffline(false);
  await a.evaluate(() => done);
  assert.deepEqual(await stored(b), { note: "offline", cart: [1] });
  assert.equal(await a.evaluate(() => m.pending), false);
  // What waits at the end of the session is dropped, and says so.
  await context.setOffline(true);
  await a.evaluate(() => void (globalThis.lost = m.set("note", "too late").catch((error) => error.code)));
  await site.do("revoke", { owner: "ada" });
  await context.setOffline(false);
  assert.match(await a.evaluate(() => lost), /^session_ended$/);
  assert.deepEqual(await data(a), {});
  await context.close();
});
