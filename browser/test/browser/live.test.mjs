// Row 17 of what the SDK must do: the live connection comes back, by other ways if
// it must, without a stampede, and knows when to stop.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isTold, launch, login, newPage, newSite, toldOf, until } from "./harness.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const V1 = "/_session/v1";
const state = (page) => page.evaluate(() => s.live.state);
const open = (page, transport) =>
  until(`open over ${transport}`, async () => JSON.stringify(await state(page)) === JSON.stringify({ state: "open", transport }), 20_000);
const messages = async (page) => (await toldOf(page, "message")).map(({ data }) => data);

test("row 17: every transport tells everything, once and in order, over a restart", async () => {
  for (const transport of ["ws", "sse", "poll"]) {
    const site = await newSite();
    const page = await newPage(browser, site, { user: "ada", boot: { live: { transports: [transport] } } });
    await open(page, transport);
    assert.deepEqual(await page.evaluate(() => s.send("app.hello", { n: 1 })), { echo: { n: 1 } });
    assert.equal(await page.evaluate(() => s.send("app.refuse").catch((error) => error.code)), transport === "ws" ? "rejected" : "message_rejected");
    const publish = (data) => site.do("publish", { owner: "ada", type: "app.n", data });
    for (let n = 0; n < 3; n++) await publish(n);
    await isTold(page, "message", { data: 2 });
    await site.do("down");
    await publish(3);
    await publish(4);
    await site.do("up");
    await isTold(page, "message", { data: 4 }, 20_000);
    assert.deepEqual(await messages(page), [0, 1, 2, 3, 4]);
    assert.deepEqual(await toldOf(page, "reset"), []);
    await site.do("set", { owner: "ada", key: "cart", data: [7] });
    await isTold(page, "data", { values: { cart: [7] } });
    await site.do("revoke", { owner: "ada" });
    await isTold(page, "ended", { reason: "revoked" });
    assert.equal((await state(page)).state, "off");
    await page.context().close();
  }
});

test("row 17: it falls to what works, and climbs back", async () => {
  const site = await newSite();
  await site.do("refuse", { paths: [`${V1}/ws`], status: 502 });
  const page = await newPage(browser, site, { user: "ada", init: () => (Math.random = () => 0.05), boot: {} });
  await open(page, "sse");
  assert.equal(await site.count(`GET ${V1}/ws`), 2, "two attempts that never opened");
  await site.do("refuse", { paths: [`${V1}/ws`, `${V1}/events`], status: 502 });
  await page.evaluate(() => s.live.use()); // begins anew
  await open(page, "poll");
  await site.do("publish", { owner: "ada", type: "app.n", data: 1 });
  await isTold(page, "message", { data: 1 });
  await page.context().close();

  // Five minutes later.
  const context = await browser.newContext();
  await context.clock.install();
  await site.do("refuse", { paths: [`${V1}/ws`], status: 502 });
  const late = await newPage(browser, site, { context, user: "ada", boot: {} });
  await until("sse", async () => (await context.clock.runFor(500), (await state(late)).transport === "sse"));
  await site.do("refuse");
  await context.clock.runFor(290_000);
  assert.equal((await state(late)).transport, "sse");
  await context.clock.runFor(20_000);
  await until("ws", async () => (await context.clock.runFor(500), (await state(late)).transport === "ws" && (await state(late)).state === "open"));
  await context.close();
});

test("row 17: without a server it backs off; offline and online are felt; a short loss is nobody's business", async () => {
  const site = await newSite();
  const page = await newPage(browser, site, { user: "ada", boot: {} });
  await open(page, "ws");
  const told = async () => (await toldOf(page, "live")).map(({ state }) => state);
  const before = (await told()).length;
  await site.do("down");
  await site.do("up");
  await until("back", async () => (await site.count(`GET ${V1}/ws`)) === 2);
  await open(page, "ws");
  assert.equal((await told()).length, before, "nothing was shown");
  await page.context().setOffline(true);
  await site.do("down");
  await isTold(page, "live", { state: "lost", transport: "ws" });
  await site.do("up");
  await page.context().setOffline(false);
  const online = Date.now();
  await open(page, "ws");
  assert.ok(Date.now() - online < 3_000, "at once");
  await page.context().close();
});

test("row 17: a server that says nothing any more is left (4000), one that will not have us is not asked again", async () => {
  const site = await newSite({ ping: 1_000 });
  const context = await browser.newContext();
  await login(context, site, "ada");
  const page = await context.newPage();
  const sockets = [];
  await page.routeWebSocket("**/ws?*", (socket) => {
    sockets.push(socket);
    if (sockets.length > 1) return void socket.connectToServer();
    socket.onMessage(() => {});
    socket.onClose((code) => (socket.closed = code));
    socket.send(JSON.stringify({ type: "hello", data: { recovered: true, cursor: "a.1", ping_ms: -14_000, spread_ms: 1_000 } })); // 1 s
    socket.send(JSON.stringify({ type: "ping", data: { spread_ms: 1 } }));
    for (const n of [2, 2, 3, 1]) socket.send(JSON.stringify({ id: `a.${n}`, type: "app.n", data: n })); // sent again: told once
  });
  await page.goto(site.page({}));
  await until("given up", () => sockets[0]?.closed === 4000);
  await until("another", () => sockets.length > 1);
  assert.deepEqual(await messages(page), [2, 3]);
  assert.match(sockets[1].url(), /cursor=a\.3$/, "it goes on after what was handled");
  await open(page, "ws");
  await context.close();

  for (const code of [4403, 4429]) {
    const refusing = await browser.newContext();
    await login(refusing, site, "ada");
    const refused = await refusing.newPage();
    let attempts = 0;
    await refused.routeWebSocket("**/ws?*", (socket) => (attempts++, socket.close({ code })));
    await refused.goto(site.page({}));
    await isTold(refused, "error", { code: "refused" });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    assert.equal(attempts, 1);
    assert.equal((await state(refused)).state, "off");
    await refusing.close();
  }
});

test("row 17: what was missed is told, not guessed", async () => {
  const site = await newSite();
  const context = await browser.newContext();
  const page = await newPage(browser, site, { context, user: "ada", boot: { live: { transports: ["poll"] } } });
  await open(page, "poll");
  let spoilt = false;
  await page.route("**/poll?*", (route) => {
    const url = spoilt ? route.request().url() : route.request().url().replace(/cursor=[^&]*/, "cursor=gone.7");
    spoilt = true;
    return route.continue({ url });
  });
  await site.do("publish", { owner: "ada", type: "app.n", data: 1 });
  await isTold(page, "reset", { state: "active" });
  await site.do("publish", { owner: "ada", type: "app.n", data: 2 });
  await isTold(page, "message", { data: 2 });
  await context.close();
});

test("row 17: a login in the page moves the connection, one elsewhere too", async () => {
  const site = await newSite();
  const context = await browser.newContext();
  await context.request.post(`${site.url}/begin`);
  const pages = [];
  for (let i = 0; i < 2; i++) pages.push(await newPage(browser, site, { context, boot: {} }));
  for (const page of pages) await open(page, "ws");
  await pages[0].evaluate(() => s.login(() => fetch("/login?user=ada", { method: "POST" })));
  await site.do("publish", { owner: "ada", type: "app.n", data: "for ada" });
  for (const page of pages) {
    await open(page, "ws");
    assert.deepEqual(await toldOf(page, "ended"), []);
  }
  await site.do("publish", { owner: "ada", type: "app.n", data: "again" });
  for (const page of pages) await isTold(page, "message", { data: "again" });
  await context.close();
});
