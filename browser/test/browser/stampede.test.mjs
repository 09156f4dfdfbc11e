// Row 17 of what the SDK must do, for many at once.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, newPage, newSite, until } from "./harness.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

test("row 17: two hundred pages do not come back all at once", async () => {
  const site = await newSite();
  // Two hundred pages cost too much: each of ten stands for twenty.
  const users = Array.from({ length: 10 }, (_, i) => `user${i}`);
  const pages = [];
  for (const user of users) {
    const page = await newPage(browser, site, { user });
    await page.evaluate(() => {
      globalThis.all = Array.from({ length: 20 }, () => boot({ activity: false }));
    });
    pages.push(page);
  }
  const opened = async () => {
    let count = 0;
    for (const page of pages) count += await page.evaluate(() => all.filter((one) => one.live.state.state === "open").length);
    return count;
  };
  await until("200 connections", async () => (await opened()) === 200, 20_000);
  const before = (await site.do("log")).length;
  await site.do("down");
  await site.do("up");
  const back = async () => (await site.do("log")).slice(before).filter((r) => r.Path === "/_session/v1/ws");
  await until("all are back", async () => (await back()).length >= 200, 20_000);
  const at = (await back()).map((r) => r.At).sort((x, y) => x - y);
  const busiest = Math.max(...at.map((from) => at.filter((time) => time >= from && time < from + 100).length));
  assert.ok(at[150] - at[0] > 300, `three quarters came within ${at[150] - at[0]} ms`);
  assert.ok(busiest < 80, `${busiest} of 200 in the same tenth of a second`);
  for (const page of pages) await page.context().close();
});
