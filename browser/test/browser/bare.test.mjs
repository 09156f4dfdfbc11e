// Row 18 of what the SDK must do: it works under a strict policy, where parts of
// the browser are missing, as a classic script, and where there is no browser.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { createContext, runInContext } from "node:vm";
import { fileURLToPath } from "node:url";
import { isTold, launch, login, newPage, newSite, until } from "./harness.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const dist = (file) => fileURLToPath(new URL(`../../dist/${file}`, import.meta.url));

/** Goes through most of what there is. */
async function exercise(site, page) {
  await isTold(page, "live", { state: "open" });
  await page.evaluate(async () => {
    await s.set("cart", [1]);
    await s.update("cart", (cart) => [...cart, 2]);
    s.storage.local.set("a", 1);
    await s.extend();
    s.guard(true);
    s.guard(false);
    await s.send("app.hello", {});
    await s.fetch("/work");
    globalThis.devices = await s.devices();
  });
  assert.deepEqual(await page.evaluate(() => [devices.length, devices[0].current, s.storage.local.get("a")]), [1, true, 1]);
  await page.evaluate(() => s.get("cart")).then((cart) => assert.deepEqual(cart, [1, 2]));
  await page.evaluate(() => s.revoke(devices[0].id));
  await isTold(page, "ended", { reason: "logout" });
}

test("row 18: under a policy without eval, inline code, inline style, and with trusted types", async () => {
  const short = await newSite({ idle: 3_000, absolute: 60_000 });
  const site = await newSite();
  const context = await browser.newContext();
  const page = await context.newPage();
  const violations = [];
  page.on("console", (message) => /Content Security Policy|Trusted/i.test(message.text()) && !/data:/.test(message.text()) && violations.push(message.text()));
  await login(context, short, "ada");
  await page.goto(short.page({ live: false }));
  await page.waitForFunction(() => globalThis.s);
  await page.route("**/status", (route) => route.abort());
  await until("masked", async () => (await page.evaluate(() => getComputedStyle(document.querySelector("#secret")).visibility)) === "hidden");
  await page.unroute("**/status");
  await short.do("advance", { by: -3_000 });
  await until("shown", async () => (await page.evaluate(() => getComputedStyle(document.querySelector("#secret")).visibility)) === "visible");
  await page.context().clearCookies();
  await login(context, site, "grace");
  await page.goto(site.page({}));
  await page.waitForFunction(() => globalThis.s);
  await exercise(site, page);
  assert.deepEqual(violations, []);
  await context.close();
});

test("row 18: where parts of the browser are missing", async () => {
  for (const [what, init] of [
    ["no BroadcastChannel", () => delete globalThis.BroadcastChannel],
    ["no locks", () => delete Navigator.prototype.locks],
    ["no WebSocket", () => delete globalThis.WebSocket],
    ["no storage", () => Object.defineProperty(globalThis, "localStorage", { get() { throw new Error("denied"); } })],
  ]) {
    const site = await newSite();
    const page = await newPage(browser, site, { user: "ada", init, boot: { share: what === "no locks" } });
    await exercise(site, page).catch((error) => assert.fail(`${what}: ${error.stack}`));
    await page.context().close();
  }
});

test("row 18: as a classic script", async () => {
  const site = await newSite();
  const context = await browser.newContext();
  await login(context, site, "ada");
  const page = await context.newPage();
  await page.goto(`${site.url}/p/classic.html`);
  await until("connected", () => page.evaluate(() => globalThis.session?.live.state.state === "open"));
  assert.deepEqual(
    await page.evaluate(() => [Object.keys(Sojourn).includes("createSession"), Object.keys(globalThis).filter((name) => /sojourn/i.test(name))]),
    [true, ["Sojourn"]],
  );
  await context.close();
});

test("row 18: where there is no browser nothing is touched until a verb is used", async () => {
  for (const file of ["sojourn.global.js"]) {
    const bare = createContext({}); // not even timers
    const kinds = runInContext(`${readFileSync(dist(file), "utf8")}\n; const s = Sojourn.connect({ live: false }); [typeof s.status, s.snapshot.state, s.storage.local.keys().length].join()`, bare);
    assert.equal(kinds, "function,unknown,0");
  }
  for (const file of ["sojourn.js", "all.js", "live.js", "storage.js", "fetch.js", "mirror.js", "leave.js", "share.js"]) await import(dist(file));
});
