// Rows 6 and 7 of what the SDK must do: only people keep a session alive, and its
// tabs agree.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isTold, launch, login, newPage, newSite, toldOf, until } from "./harness.mjs";

const HOUR = 3_600_000;
let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const snapshot = (page) => page.evaluate(() => ({ ...s.snapshot, error: s.snapshot.error?.code }));

async function tabs(site, count, boot) {
  const context = await browser.newContext();
  await login(context, site, "ada");
  const pages = [];
  for (let i = 0; i < count; i++) pages.push(await newPage(browser, site, { context, boot }));
  for (const page of pages) await isTold(page, "status", { state: "active" });
  return { context, pages };
}

test("row 6: open sockets and scripts' events keep nothing alive, it ends in time (P8)", async () => {
  const site = await newSite({ idle: 8_000, absolute: HOUR, ping: 1_000 });
  const begin = Date.now();
  const { context, pages } = await tabs(site, 3, {});
  for (const page of pages) await isTold(page, "live", { state: "open", transport: "ws" });
  for (const page of pages) {
    await page.evaluate(() =>
      setInterval(() => {
        for (const type of ["pointerdown", "keydown", "touchstart", "wheel", "mousemove"]) window.dispatchEvent(new Event(type, { bubbles: true }));
        document.body.click();
      }, 100),
    );
  }
  for (const page of pages) await isTold(page, "ended", { reason: "expired" });
  const lived = Date.now() - begin;
  assert.ok(lived >= 7_900 && lived < 11_000, `lived ${lived} ms, expected 8 s`);
  assert.equal(await site.count("POST /_session/v1/extend"), 0);
  await context.close();
});

test("row 6: what a hand does extends, in steps, and not while a prompt is open", async () => {
  const site = await newSite({ idle: 8_000, absolute: HOUR });
  const { context, pages } = await tabs(site, 1, { live: false });
  const [page] = pages;
  const extensions = () => site.count("POST /_session/v1/extend");
  await site.do("advance", { by: 3_000 });
  const begin = Date.now();
  while (Date.now() - begin < 4_500) {
    await page.keyboard.press("a");
    await page.mouse.wheel(0, 10);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await until("an extension", async () => (await extensions()) >= 2);
  const sent = await extensions();
  assert.ok(sent <= 4, `${sent} extensions in 4.5 s, expected one in 2 s`);
  assert.equal((await snapshot(page)).warning, false, "it was extended");
  await page.evaluate(() => (globalThis.go = s.pauseActivity()));
  await page.keyboard.press("a");
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  await page.keyboard.press("a");
  await isTold(page, "warning", { warning: true });
  assert.equal(await extensions(), sent, "a prompt is open: keys do not answer it");
  await page.evaluate(() => go());
  await page.keyboard.press("a");
  await until("extended", async () => !(await snapshot(page)).warning);
  await context.close();
});

for (const broadcast of [true, false]) {
  test(`row 7: what one tab does all tabs know${broadcast ? "" : ", without BroadcastChannel"}`, async () => {
    const site = await newSite({ idle: 60_000, absolute: HOUR });
    const context = await browser.newContext();
    if (!broadcast) await context.addInitScript(() => delete globalThis.BroadcastChannel);
    await login(context, site, "ada");
    const pages = [];
    for (let i = 0; i < 3; i++) pages.push(await newPage(browser, site, { context, boot: { live: false } }));
    for (const page of pages) await isTold(page, "status", { state: "active" });
    const [a, b, c] = pages;
    assert.equal(await a.evaluate(() => typeof BroadcastChannel), broadcast ? "function" : "undefined");
    // Activity in one keeps all unwarned.
    await site.do("advance", { by: 25_000 });
    await a.keyboard.press("a");
    await until("the others have heard", async () => (await b.evaluate(() => s.snapshot.status.expiresInMs)) > 55_000);
    // Extending in one ends the warning of all, within a second.
    await site.do("advance", { by: 41_000 });
    for (const page of pages) await page.evaluate(() => s.status());
    for (const page of pages) await isTold(page, "warning");
    await a.evaluate(() => s.extend());
    await until("no warning", async () => !(await snapshot(b)).warning && !(await snapshot(c)).warning, 1_000);
    // So does logging out.
    await c.evaluate(() => s.end());
    for (const page of pages) await isTold(page, "ended", {}, 2_000);
    assert.deepEqual(await toldOf(a, "ended"), [{ state: "none" }], "the cookie is gone, so the server knows of none");
    await context.close();
  });
}
