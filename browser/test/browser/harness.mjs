// What the tests in a real browser share: sites of the test server, Chromium as
// people have it, and raw tabs that can truly be hidden.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** Playwright's own, which hide what happens to pages: no back/forward cache, no throttled timers, no sleeping tabs. */
const HIDING = ["--disable-back-forward-cache", "--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding"];

assert.ok(existsSync(executablePath), `no browser at ${executablePath}: install chromium, or name one in CHROMIUM`);
assert.ok(process.env.PEER, "PEER is not set: run npm run test:browser");

async function order(body) {
  const response = await fetch(process.env.PEER, { method: "POST", body: JSON.stringify(body) });
  assert.ok(response.ok, `the test server: ${response.ok || (await response.text())}`);
  return response.json();
}

/** Makes a site, and gives what can be done to it: `do("advance", { by: 1000 })`. */
export async function newSite(shape = {}) {
  const { site, url } = await order({ do: "make", ...shape });
  return {
    url,
    page: (boot) => `${url}/p/page.html${boot ? `?boot=${encodeURIComponent(JSON.stringify(boot))}` : ""}`,
    do: (what, how = {}) => order({ ...how, do: what, site }),
    /** How often a path was asked for: `count("GET /_session/v1/status")`. */
    async count(line) {
      return (await order({ do: "log", site })).filter((r) => `${r.Method} ${r.Path}` === line).length;
    },
  };
}

export function launch(args = []) {
  return chromium.launch({ executablePath, args: [...FLAGS, ...args], ignoreDefaultArgs: HIDING });
}

/** A page of `site`, in a browser of its own user's; `user`: logged in. */
export async function newPage(browser, site, { user, boot, context, init } = {}) {
  context ??= await browser.newContext();
  if (init) await context.addInitScript(init);
  if (user) await login(context, site, user);
  const page = await context.newPage();
  page.on("pageerror", (error) => assert.fail(`the page failed: ${error.stack}`));
  await page.goto(site.page(boot));
  await page.waitForFunction(() => globalThis.sdk);
  return page;
}

export async function login(context, site, user) {
  const answer = await context.request.post(`${site.url}/login?user=${user}`);
  assert.equal(answer.status(), 200);
}

/** Waits until `holds`; what it throws is told if it never does. */
export async function until(what, holds, ms = 10_000) {
  const deadline = performance.now() + ms;
  for (let last; ; ) {
    try {
      if (await holds()) return;
      last = undefined;
    } catch (error) {
      last = error;
    }
    assert.ok(performance.now() < deadline, `waited ${ms} ms: ${what}${last ? ` (${last.message})` : ""}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Waits until the page was told something: the name of an event, and what its detail has. */
export const isTold = (page, name, part = {}, ms) =>
  until(`${name} ${JSON.stringify(part)}`, async () => (await toldOf(page, name)).some((detail) => has(detail, part)), ms);

export const toldOf = (page, name) => page.evaluate((name) => told.filter((t) => t.name === name).map((t) => t.detail), name);

const has = (detail, part) => Object.entries(part).every(([key, value]) => JSON.stringify(detail?.[key]) === JSON.stringify(value));

/** Whether the page shows what is secret: it is a large red area. */
export async function showsSecret(page) {
  const shot = await page.screenshot({ type: "png" });
  return page.context().browser() && (await isRed(page.context(), shot));
}

async function isRed(context, shot) {
  const judge = await context.newPage();
  try {
    return await judge.evaluate(async (data) => {
      const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
      const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
      canvas.drawImage(image, 0, 0);
      const [r, g, b] = canvas.getImageData(image.width >> 1, image.height >> 2, 1, 1).data;
      return r > 200 && g < 60 && b < 60;
    }, shot.toString("base64"));
  } finally {
    await judge.close();
  }
}

/**
 * Chromium without Playwright, which keeps every tab visible and awake: real tabs
 * of one window. `evaluate` takes a function and JSON.
 */
export async function rawBrowser(args = []) {
  const profile = mkdtempSync(join(tmpdir(), "sojourn-chromium-"));
  const child = spawn(executablePath, [...FLAGS, "--headless=new", "--remote-debugging-pipe", `--user-data-dir=${profile}`, ...args, "about:blank"], {
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
  });
  const [, , , write, read] = child.stdio;
  let id = 0;
  let rest = "";
  const waiting = new Map();
  read.setEncoding("utf8");
  read.on("data", (chunk) => {
    const messages = (rest + chunk).split("\0");
    rest = messages.pop();
    for (const text of messages) {
      const { id, result, error } = JSON.parse(text);
      const ask = waiting.get(id);
      waiting.delete(id);
      if (error) ask?.reject(new Error(error.message));
      else ask?.resolve(result);
    }
  });
  const send = (method, params = {}, sessionId) =>
    new Promise((resolve, reject) => {
      waiting.set(++id, { resolve, reject });
      write.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });

  return {
    async tab(url) {
      const { targetId } = await send("Target.createTarget", { url });
      const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
      const evaluate = async (fn, ...args) => {
        const expression = `(${fn})(...${JSON.stringify(args)})`;
        const { result, exceptionDetails } = await send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true }, sessionId);
        if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
        return result.value;
      };
      await until("the page has loaded", () => evaluate(() => Boolean(globalThis.sdk)));
      return {
        evaluate,
        send: (method, params) => send(method, params, sessionId),
        show: () => send("Target.activateTarget", { targetId }),
        isTold: (name, part, ms) => until(`${name} ${JSON.stringify(part)}`, async () =>
          (await evaluate((name) => told.filter((t) => t.name === name).map((t) => t.detail), name)).some((detail) => has(detail, part ?? {})), ms),
      };
    },
    async close() {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      send("Browser.close").catch(() => {});
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }); // its children end later
    },
  };
}

export const folder = fileURLToPath(new URL(".", import.meta.url));
