// A person in a real browser, on the real server: creates, reads, changes,
// extends and ends a session that survives a restart of the server. Then several,
// whose tabs are live.
//
// Needs bin/sojourn (go build -o bin/sojourn ./cmd/sojourn) and Chromium; the
// browser's path may be given as CHROMIUM. SOJOURN_SCREENSHOTS=1 renews the
// pictures in docs/.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "sojourn-demo-"));
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const port = await freePort();
const url = `http://127.0.0.1:${port}`;
let server;
let browser;

before(async () => {
  assert.ok(existsSync(executablePath), `no browser at ${executablePath}: install chromium, or name one in CHROMIUM`);
  await start();
  browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
});

after(async () => {
  await browser?.close();
  await stop("SIGTERM");
  rmSync(folder, { recursive: true, force: true });
});

test("a session from its first item to its end, over a restart", { timeout: 120_000 }, async (t) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  const faults = watch(page);
  const at = (id) => page.getByTestId(id);
  const shows = (id, text) => until(`${id} shows ${text}`, async () => (await at(id).innerText()).includes(text));
  await page.goto(url);

  await t.test("looking begins nothing", async () => {
    await shows("state", "No session");
    assert.deepEqual(await context.cookies(), []);
  });

  await t.test("adding to the cart creates it", async () => {
    await at("add-tea").click();
    await shows("state", "anonymous");
    await shows("quantity-tea", "1");
    const [cookie, ...more] = await context.cookies();
    assert.equal(more.length, 0);
    assert.deepEqual(
      { name: cookie.name, httpOnly: cookie.httpOnly, sameSite: cookie.sameSite, path: cookie.path, expires: cookie.expires },
      { name: "sojourn", httpOnly: true, sameSite: "Lax", path: "/", expires: -1 },
    );
    assert.equal(await page.evaluate(() => document.cookie), "", "a script can read the cookie");
  });

  await t.test("login brings the cart along, under a new token", async () => {
    const [before] = await context.cookies();
    await at("login-ada").click();
    await shows("user-name", "Ada");
    await shows("quantity-tea", "1");
    const [now] = await context.cookies();
    assert.notEqual(now.value.slice(0, 28), before.value.slice(0, 28));
  });

  await t.test("members are written, changed, read and deleted", async () => {
    await at("count").click();
    await shows("visits", "1");
    await at("note").fill("Remember the milk");
    await at("note-save").click();
    await shows("value-note", "Remember the milk");
    await at("note").fill("And the bread");
    await at("note-save").click();
    await shows("value-note", "And the bread");
    await page.reload();
    await until("the note is read back", async () => (await at("note").inputValue()) === "And the bread");
    await at("delete-note").click();
    await until("the note is gone", async () => (await at("value-note").count()) === 0);
  });

  await t.test("two tabs that write at once both keep what they wrote", async () => {
    const other = await context.newPage();
    await other.goto(url);
    await other.getByTestId("add-lamp").waitFor();
    await Promise.all(
      [page, other].flatMap((tab) => [0, 1, 2].map(() => tab.getByTestId(tab === page ? "add-tea" : "add-lamp").click())),
    );
    await until("both quantities", async () => {
      const data = await page.evaluate(() => fetch("/_session/v1/data").then((r) => r.json()));
      return data.data.cart?.tea === 4 && data.data.cart?.lamp === 3;
    });
    await other.close();
  });

  await t.test("the time left runs, and is extended", async () => {
    const left = () => page.evaluate(() => fetch("/_session/v1/status").then((r) => r.json()).then((s) => s.expires_in_ms));
    const first = await left();
    await until("time runs", async () => (await left()) < first - 1500);
    await at("extend").click();
    await until("extended", async () => (await left()) > first - 1000);
    assert.match(await at("idle-left").innerText(), /^\d+:\d\d/);
  });

  await t.test("it survives a restart, and a kill, of the server", async () => {
    for (const signal of ["SIGTERM", "SIGKILL"]) {
      await stop(signal);
      await start();
      await page.reload();
      await shows("user-name", "Ada");
      await shows("quantity-tea", "4");
      await shows("visits", "1");
    }
  });

  await t.test("another device is listed, and revoked", async () => {
    const phone = await browser.newContext({
      viewport: { width: 390, height: 844 },
      userAgent: "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
    });
    const second = await phone.newPage();
    await second.goto(url);
    await second.getByTestId("login-ada").click();
    await until("the phone is in", async () => (await second.getByTestId("user-name").innerText()).includes("Ada"));
    await page.reload();
    await until("two devices", async () => (await at("device").count()) === 1 && (await at("device-current").count()) === 1);
    await pictures(page, second);
    await at("revoke").click();
    await until("one device", async () => (await at("device").count()) === 0);
    await until("the phone is told", async () => (await second.getByTestId("state").innerText()).includes("ended"));
    assert.ok(await second.getByTestId("banner").isVisible());
    await phone.close();
    await shows("user-name", "Ada");
  });

  await t.test("logout ends it for good", async () => {
    const [cookie] = await context.cookies();
    await at("logout").click();
    await until("logged out", async () => await at("anonymous").isVisible());
    assert.deepEqual(await context.cookies(), []);
    const replay = await fetch(`${url}/_session/v1/status`, { headers: { Cookie: `sojourn=${cookie.value}` } });
    assert.deepEqual({ state: (await replay.json()).state, cookie: replay.headers.get("set-cookie") }, { state: "ended", cookie: null });
  });

  assert.deepEqual(faults, [], "errors on the page");
  await context.close();
});

test("two tabs of two people are live, over every transport", { timeout: 120_000 }, async (t) => {
  const people = [];
  for (const user of ["ada", "grace"]) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const tabs = [await context.newPage(), await context.newPage()];
    const faults = tabs.map(watch);
    await tabs[0].goto(url);
    await tabs[0].getByTestId(`login-${user}`).click();
    await shows(tabs[0], "live-state", "WebSocket");
    await tabs[1].goto(url);
    people.push({ context, tabs, faults });
  }
  const [ada, grace] = people;
  const [here, there] = ada.tabs;

  for (const [transport, name] of [["ws", "WebSocket"], ["sse", "server-sent events"], ["poll", "long polling"]]) {
    await t.test(`${name}: a change in one tab shows in the other, and a word reaches everybody`, async () => {
      for (const tab of [...ada.tabs, ...grace.tabs]) {
        await tab.getByTestId(`use-${transport}`).check({ force: true });
        await shows(tab, "live-state", name);
      }
      const note = `by ${transport}`;
      await here.getByTestId("note").fill(note);
      await here.getByTestId("note-save").click();
      await until(`${note} in the other tab`, async () => (await there.getByTestId("note").inputValue()) === note, 2_500); // less than a look
      const said = `Hello over ${name}`;
      await there.getByTestId("talk-text").fill(said);
      await there.getByTestId("talk-send").click();
      for (const tab of [...ada.tabs, ...grace.tabs]) await shows(tab, "talk-lines", `Ada ${said}`);
    });
  }

  await t.test("who is here", async () => {
    for (const tab of [...ada.tabs, ...grace.tabs]) {
      await shows(tab, "here-ada", "Ada");
      await shows(tab, "here-grace", "Grace");
    }
    const late = await grace.context.newPage();
    await late.goto(url);
    await shows(late, "talk-lines", "Hello over WebSocket"); // said before it came
    await late.close();
  });

  await t.test("a restart of the server loses no session and no connection for long", async () => {
    await stop("SIGTERM");
    await start();
    await here.getByTestId("note").fill("after the restart");
    await until("the page has the server again", async () => (await here.getByTestId("live-state").innerText()).includes("long polling"), 40_000);
    await here.getByTestId("note-save").click();
    await until("in the other tab", async () => (await there.getByTestId("note").inputValue()) === "after the restart", 40_000);
  });

  await t.test("a revoked device ends at once, in all its tabs", async () => {
    const phone = await browser.newContext({
      viewport: { width: 390, height: 844 },
      userAgent: "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
    });
    const second = await phone.newPage();
    await second.goto(url);
    await second.getByTestId("login-ada").click();
    await shows(second, "live-state", "WebSocket");
    await until("the phone is listed without a reload", async () => (await here.getByTestId("device").count()) === 1);
    await second.getByTestId("talk-text").fill("Hello from my phone.");
    await second.getByTestId("talk-send").click();
    await grace.tabs[0].getByTestId("talk-text").fill("It is faster than a nanosecond of wire, nearly.");
    await grace.tabs[0].getByTestId("talk-send").click();
    for (const tab of [here, second]) await shows(tab, "talk-lines", "nearly");
    await livePictures(here, second);
    await here.getByTestId("revoke").click();
    await until("the phone is told", async () => (await second.getByTestId("state").innerText()).includes("ended"), 2_500);
    assert.ok(await second.getByTestId("banner").isVisible());
    await shows(second, "live-state", "not connected");
    await phone.close();
  });

  await t.test("logging out everywhere ends the other tab", async () => {
    await here.getByTestId("logout-all").click();
    for (const tab of ada.tabs) await until("logged out", () => tab.getByTestId("anonymous").isVisible(), 2_500);
    await shows(grace.tabs[0], "user-name", "Grace");
  });

  for (const { context, faults } of people) {
    assert.deepEqual(faults.flat(), [], "errors on a page");
    await context.close();
  }
});

test("the page asks before the end, and stays", { timeout: 60_000 }, async () => {
  await stop("SIGTERM");
  await start("--idle", "12s");
  const context = await browser.newContext();
  const page = await context.newPage();
  const faults = watch(page);
  await page.goto(url);
  await page.getByTestId("login-linus").click();
  const dialog = page.getByRole("alertdialog");
  await dialog.waitFor({ timeout: 15_000 }); // at half of the idle time
  if (process.env.SOJOURN_SCREENSHOTS) await page.screenshot({ path: join(root, "docs/demo-expiry.png") });
  await dialog.getByRole("button").first().click();
  await dialog.waitFor({ state: "hidden" });
  await shows(page, "user-name", "Linus");
  await dialog.waitFor({ timeout: 15_000 });
  await until("it has ended", async () => (await page.getByTestId("state").innerText()).includes("ended"), 20_000);
  await shows(page, "banner", "expired");
  assert.equal(await dialog.isVisible(), false);
  assert.deepEqual(faults, []);
  await context.close();
});

const shows = (page, id, text) => until(`${id} shows ${text}`, async () => (await page.getByTestId(id).first().innerText()).includes(text), 20_000);

// The live card, for the docs, when asked for.
async function livePictures(desktop, phone) {
  if (!process.env.SOJOURN_SCREENSHOTS) return;
  const card = desktop.locator("#live");
  await card.scrollIntoViewIfNeeded();
  await card.screenshot({ path: join(root, "docs/demo-live.png") });
  await desktop.emulateMedia({ colorScheme: "dark" });
  await card.screenshot({ path: join(root, "docs/demo-live-dark.png") });
  await desktop.emulateMedia({ colorScheme: "light" });
  await phone.locator("#live").screenshot({ path: join(root, "docs/demo-live-phone.png") });
}

// Pictures for the docs, when asked for.
async function pictures(desktop, phone) {
  if (!process.env.SOJOURN_SCREENSHOTS) return;
  await desktop.waitForTimeout(400);
  await desktop.evaluate(() => scrollTo(0, 0));
  await desktop.screenshot({ path: join(root, "docs/demo.png") });
  await desktop.emulateMedia({ colorScheme: "dark" });
  await desktop.screenshot({ path: join(root, "docs/demo-dark.png") });
  await desktop.emulateMedia({ colorScheme: "light" });
  await phone.screenshot({ path: join(root, "docs/demo-phone.png") });
}

// Mistakes of the page itself; refused and interrupted requests are part of the test.
function watch(page) {
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) faults.push(message.text());
  });
  return faults;
}

async function start(...flags) {
  server = spawn(join(root, "bin/sojourn"), ["serve", "--listen", `127.0.0.1:${port}`, "--store", `sqlite:${join(folder, "demo.db")}`, ...flags], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (text) => (said += text));
  await until("the server is ready", async () => {
    assert.equal(server.exitCode, null, `the server ended:\n${said}`);
    return (await fetch(`${url}/readyz`).catch(() => undefined))?.ok;
  });
}

async function stop(signal) {
  if (!server || server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise((resolve) => server.once("exit", resolve));
  server.kill(signal);
  await ended;
}

async function until(what, holds, ms = 15_000) {
  const deadline = performance.now() + ms;
  for (let last; ; ) {
    try {
      if (await holds()) return;
    } catch (error) {
      if (error.code === "ERR_ASSERTION") throw error;
      last = error;
    }
    assert.ok(performance.now() < deadline, `waited ${ms} ms: ${what}${last ? ` (${last.message})` : ""}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
