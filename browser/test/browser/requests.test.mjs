// Rows 12 and 13 of what the SDK must do: requests of the application itself, and
// answers that come for somebody else.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isTold, launch, login, newPage, newSite, until } from "./harness.mjs";

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const STATUS = "GET /_session/v1/status";
const open = async (site, user = "ada") => {
  const page = await newPage(browser, site, { user, boot: { live: false } });
  await isTold(page, "status", { state: "active" });
  return page;
};

test("row 12: twenty 401s are one question", async () => {
  const site = await newSite();
  const page = await open(site);
  const asked = await site.count(STATUS);
  await site.do("revoke", { owner: "ada" });
  const answers = await page.evaluate(() => Promise.all(Array.from({ length: 20 }, () => s.fetch("/work").then((r) => r.status))));
  assert.deepEqual(answers, Array(20).fill(401));
  assert.equal(await site.count(STATUS), asked + 1);
  await isTold(page, "ended", { reason: "revoked" });
  await page.context().close();
});

test("row 12: while the session lives, what may be repeated is, once", async () => {
  const site = await newSite();
  const page = await open(site);
  await site.do("refuse", { paths: ["/work"], status: 401 }); // a node that is behind
  const count = async (how) => {
    const before = await site.count(`${how.method ?? "GET"} /work`);
    assert.equal(await page.evaluate((how) => s.fetch("/work", how).then((r) => r.status), how), 401);
    return (await site.count(`${how.method ?? "GET"} /work`)) - before;
  };
  assert.equal(await count({}), 2);
  assert.equal(await count({ method: "POST", body: "draft" }), 1);
  assert.equal(await count({ method: "POST", body: "draft", headers: { "Idempotency-Key": "k" } }), 2);
  assert.ok((await site.do("log")).filter((r) => r.Path === "/work" && r.Method === "POST").every((r) => r.CSRF));
  await site.do("refuse");
  assert.deepEqual(await page.evaluate(() => s.fetch("/work", { method: "POST", body: "draft" }).then((r) => r.json())), { owner: "ada", body: "draft" });
  await page.context().close();
});

test("row 12: after the end a draft waits for its user, and is dropped for another", async () => {
  for (const [user, expected] of [
    ["ada", { owner: "ada", body: "draft" }],
    ["grace", "session_changed"],
  ]) {
    const site = await newSite();
    const page = await open(site);
    await site.do("revoke", { owner: "ada" });
    const got = await page.evaluate((user) => {
      globalThis.drafts = [];
      s.fetch.onReauth(async ({ request, status }) => {
        drafts.push([request.method, await request.clone().text(), status.state]);
        await s.login(() => fetch(`/login?user=${user}`, { method: "POST" }));
        return true;
      });
      return s.fetch("/work", { method: "POST", body: "draft" }).then((r) => r.json(), (error) => error.code);
    }, user);
    assert.deepEqual(got, expected);
    assert.deepEqual(await page.evaluate(() => drafts), [["POST", "draft", "ended"]]);
    assert.equal(await site.count("POST /work"), user === "ada" ? 2 : 1);
    await page.context().close();
  }
});

test("row 12: an outage is no logout, other origins are left alone, and window.fetch can be replaced", async () => {
  const site = await newSite();
  const other = await newSite();
  const page = await open(site);
  await site.do("refuse", { paths: ["/work", "/_session/v1/status"], status: 401 });
  await page.evaluate(() => s.fetch("/work").then((r) => r.status));
  await until("asked", async () => (await site.count(STATUS)) > 1);
  assert.equal(await page.evaluate(() => s.snapshot.state), "active");
  await site.do("refuse");
  await page.evaluate((url) => s.fetch(url, { mode: "no-cors", method: "POST" }).catch(() => {}), `${other.url}/work`);
  assert.ok((await other.do("log")).every((r) => !r.CSRF));
  await page.evaluate(() => {
    globalThis.undo = s.fetch.install();
    return fetch("/work", { method: "POST", body: "x" });
  });
  assert.equal((await site.do("log")).at(-1).CSRF, true);
  await page.evaluate(() => (undo(), fetch("/work", { method: "POST" })));
  assert.equal((await site.do("log")).at(-1).CSRF, false);
  await page.context().close();
});

test("row 13: an answer that outlives its session is nobody's", async () => {
  const site = await newSite();
  const page = await open(site);
  await page.evaluate(() => s.set("cart", "ada's"));
  // Its answer is made for ada, and comes when grace has logged in.
  for (const [path, ask] of [
    ["**/data", () => s.data()],
    ["**/work", () => s.fetch("/work").then((r) => r.text())],
    [
      "**/work",
      () =>
        new Promise((resolve) => {
          const request = new s.XMLHttpRequest();
          const events = [];
          for (const type of ["progress", "load", "error", "readystatechange"]) {
            request.addEventListener(type, () => events.push(`${type} ${request.readyState} ${request.responseText}`));
          }
          request.onloadend = () => resolve(events.filter((event) => /error|load|ada/.test(event)).join());
          request.open("GET", "/work");
          request.send();
        }),
    ],
  ]) {
    let release;
    await page.route(path, async (route) => {
      const response = await route.fetch();
      await new Promise((resolve) => (release = resolve));
      await route.fulfill({ response });
    });
    const late = page.evaluate(`(${ask})().catch((error) => error.code)`);
    await until("under way", () => release);
    const context = page.context();
    await page.evaluate(() => s.end());
    await page.evaluate(() => s.login(() => fetch("/login?user=grace", { method: "POST" })));
    release();
    const got = await late;
    if (path === "**/data") {
      // The caller that asked gets what it asked for, and nothing of it is kept.
      await page.evaluate(() => s.set("cart", "grace's"));
      assert.equal(await page.evaluate(() => s.get("cart")), "grace's");
    } else assert.ok(got === "session_changed" || got === "error 0 ", `${got}`);
    await page.unroute(path);
    await page.evaluate(() => s.login(() => fetch("/login?user=ada", { method: "POST" })));
    assert.ok(context);
  }
  await page.context().close();
});

test("XMLHttpRequest is marked as the page's own, and its 401 is looked into", async () => {
  const site = await newSite();
  const page = await open(site);
  const send = (method) =>
    page.evaluate(
      (method) =>
        new Promise((resolve) => {
          const request = new s.XMLHttpRequest();
          request.onload = () => resolve(request.status);
          request.open(method, "/work");
          request.send(method === "POST" ? "x" : null);
        }),
      method,
    );
  assert.equal(await send("POST"), 200);
  assert.deepEqual((await site.do("log")).filter((r) => r.Path === "/work").map((r) => r.CSRF), [true]);
  assert.equal(await send("GET"), 200);
  await site.do("revoke", { owner: "ada" });
  assert.equal(await send("GET"), 401);
  await isTold(page, "ended", { reason: "revoked" });
  await page.context().close();
});
