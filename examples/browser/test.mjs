// Builds each example, serves it as its reader would, in front of a real session
// server, and does in Chromium what a person does: logs in in two tabs, fills the
// cart, is asked whether to stay, stays, and logs out everywhere.
//
// Needs ../../bin/sojourn (go build -o bin/sojourn ./cmd/sojourn) and Chromium; the
// browser's path may be given as CHROMIUM.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { build, preview } from "vite";

const root = fileURLToPath(new URL(".", import.meta.url));
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const closing = [];
let browser;

before(async () => {
  assert.ok(existsSync(executablePath), `no browser at ${executablePath}: install chromium, or name one in CHROMIUM`);
  browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
});

after(async () => {
  await browser?.close();
  for (const close of closing) await close();
});

test("the examples", { concurrency: true, timeout: 120_000 }, async (t) => {
  const tests = ["react", "vue", "svelte", "element"].map((app) => t.test(app, async () => click(await show(app))));
  await Promise.all(tests);
});

/** Builds an example and serves it; gives its address. */
async function show(app) {
  const target = await startServer();
  const folder = join(root, app);
  await build({ root: folder, logLevel: "warn" });
  const proxy = { "/_session": { target, ws: true }, "/demo": { target } };
  const { httpServer, close } = await preview({ root: folder, preview: { port: 0, host: "127.0.0.1", proxy }, logLevel: "warn" });
  closing.push(async () => {
    httpServer.closeAllConnections();
    await close();
  });
  return `http://127.0.0.1:${httpServer.address().port}/`;
}

/** Starts a session server; gives its address. Half of so short an idle timeout is the warning: it comes after 8 s. */
async function startServer() {
  const flags = ["--listen", "127.0.0.1:0", "--store", "memory:", "--idle", "16s", "--log-format", "json"];
  const server = spawn(join(root, "../../bin/sojourn"), ["serve", ...flags], { stdio: ["ignore", "pipe", "pipe"] });
  closing.push(async () => {
    if (server.exitCode !== null) return;
    const ended = new Promise((resolve) => server.once("exit", resolve));
    server.kill("SIGTERM");
    await ended;
  });
  let said = "";
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (text) => (said += text));
  const address = () => /http:\/\/127\.0\.0\.1:[1-9]\d*/.exec(said)?.[0];
  await until(() => `the server is ready: ${said}`, async () => {
    return address() && (await fetch(`${address()}/readyz`).catch(() => undefined))?.ok;
  });
  return address();
}

async function click(url) {
  const context = await browser.newContext({ locale: "en-US" });
  const faults = [];
  const open = async () => {
    const page = await context.newPage();
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("console", (message) => message.type() === "error" && !/Failed to load resource/.test(message.text()) && faults.push(message.text()));
    await page.goto(url);
    return page;
  };
  const one = await open();
  const says = (page, text) => until(`the page says ${text}`, async () => (assert.equal(await page.getByRole("status").first().innerText(), text), true));
  const tea = (page, n) => until(`${n} tea`, async () => (await page.getByRole("status").nth(1).innerText()) === String(n));
  const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
  const asked = (page) => page.getByRole("alertdialog").isVisible();

  await says(one, "Not logged in.");
  await press(one, "Log in");
  await says(one, "Logged in.");
  await tea(one, 0);
  await press(one, "Add tea");
  await tea(one, 1);

  const two = await open();
  await says(two, "Logged in.");
  await tea(two, 1);
  await press(two, "Add tea");
  await tea(two, 2);
  await tea(one, 2); // told by the live connection

  await until("the warning in both tabs", async () => (await asked(one)) && (await asked(two)));
  await one.keyboard.press("Tab");
  await one.keyboard.press("Enter");
  await until("both tabs know", async () => !(await asked(one)) && !(await asked(two)));
  await says(one, "Logged in.");

  await press(two, "Log out everywhere");
  await says(two, "Not logged in.");
  await says(one, "Not logged in.");
  assert.equal(await asked(one), false);
  assert.equal(await one.getByRole("button", { name: "Add tea" }).isVisible(), false);
  assert.deepEqual(faults, []);
  await context.close();
}

async function until(what, holds, ms = 15_000) {
  const deadline = performance.now() + ms;
  for (let last; ; ) {
    try {
      if (await holds()) return;
    } catch (error) {
      last = error;
    }
    assert.ok(performance.now() < deadline, `waited ${ms} ms: ${typeof what === "string" ? what : what()}${last ? ` (${last.message})` : ""}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
