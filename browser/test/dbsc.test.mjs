// Sessions bound to their device, by a real browser and the real server: registers,
// refreshes, is stolen from, revoked, restarted, cut off from its store, and runs
// out of signatures.
//
// Needs bin/sojourn (go build -o bin/sojourn ./cmd/sojourn), redis-server, openssl
// and Chromium; the browser's path may be given as CHROMIUM. On Linux Chromium
// binds sessions only with both features of FEATURES, over HTTPS with a certificate
// that it calls valid: --ignore-certificate-errors is not enough, naming the key is.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const FEATURES = "EnableBoundSessionCredentialsSoftwareKeysForManualTesting,DeviceBoundSessions";
const WITHOUT_QUOTA = `${FEATURES}:RefreshQuota/false`;
const SESSION = "__Host-sojourn";
const BOUND = "__Host-sojourn-bound";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "sojourn-dbsc-"));
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const [port, redisPort] = [await freePort(), await freePort()];
const url = `https://localhost:${port}`;
const certificate = join(folder, "cert.pem");
let redis;
let server;
let shared; // a browser without quota, for tests that need no profile of their own

before(async () => {
  assert.ok(existsSync(executablePath), `no browser at ${executablePath}: install chromium, or name one in CHROMIUM`);
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
    "-addext", "subjectAltName=DNS:localhost", "-keyout", join(folder, "key.pem"), "-out", certificate], { stdio: "ignore" });
  redis = spawn("redis-server", ["--port", String(redisPort), "--bind", "127.0.0.1", "--save", "", "--dir", folder], { stdio: "ignore" });
  await until("redis answers", () => new Promise((resolve) => {
    const socket = connect(redisPort, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
    socket.on("connect", () => socket.end());
  }));
});

after(async () => {
  await shared?.close();
  await stop("SIGKILL");
  redis?.kill("SIGCONT");
  redis?.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

test("a device registers and refreshes", { timeout: 60_000 }, async (t) => {
  await start("5m");
  const b = await browser();
  t.after(b.close);

  await t.test("a login binds its session", async () => {
    await b.login();
    const cookies = Object.fromEntries((await b.context.cookies()).map((c) => [c.name, c]));
    const { httpOnly, secure, sameSite, path, domain } = cookies[BOUND];
    assert.deepEqual({ httpOnly, secure, sameSite, path, domain }, { httpOnly: true, secure: true, sameSite: "Lax", path: "/", domain: "localhost" });
    assert.ok(b.creations() > 0, "the browser tells of a new bound session");
    assert.equal(b.refreshes(), 0, "a fresh cookie is not refreshed");
    assert.equal(events("bound").length, 1);
    assert.deepEqual(await b.page.evaluate(() => document.cookie), "");
  });

  await t.test("requests wait for one refresh, and nobody is logged out", async () => {
    await b.dropBound();
    await b.page.reload();
    await b.shows("user-name", "Ada");
    assert.equal(b.refreshes(), 1);
    await b.dropBound();
    const users = await b.page.evaluate(() =>
      Promise.all(Array.from({ length: 24 }, (_, i) => fetch(`/demo/me?${i}`).then((r) => r.json()).then((me) => me.user?.id))),
    );
    assert.deepEqual(users, Array(24).fill("ada"));
    assert.equal(b.refreshes(), 2);
    assert.equal(events("refused").length, 0);
  });

  await t.test("a kill of the server changes nothing", async () => {
    await stop("SIGKILL");
    await start("5m");
    const before = b.refreshes();
    await b.page.reload();
    await b.shows("binding", "Bound to this device");
    assert.equal(b.refreshes(), before, "its cookie is still good");
    await b.dropBound();
    await b.page.reload();
    await b.shows("user-name", "Ada");
    assert.equal(b.refreshes(), before + 1);
  });
});

test("a stolen session cookie is worth nothing elsewhere", { timeout: 60_000 }, async (t) => {
  await start("10s"); // with an overlap of one second
  const b = await browser();
  t.after(b.close);
  await b.login();
  const jar = Object.fromEntries((await b.context.cookies()).map((c) => [c.name, c.value]));
  const stolen = `${SESSION}=${jar[SESSION]}`;
  const status = async (cookie) => JSON.parse((await ask("GET", "/_session/v1/status", { Cookie: cookie })).body).state;

  await until("the overlap is over", async () => (await status(stolen)) === "none");
  const me = await ask("GET", "/demo/me", { Cookie: stolen });
  assert.deepEqual({ status: me.status, user: JSON.parse(me.body).user, cookie: me.headers["set-cookie"] }, { status: 200, user: null, cookie: undefined });
  const write = await ask("POST", "/demo/visit", { Cookie: stolen });
  assert.equal(write.status, 401);
  const refused = events("refused");
  assert.ok(refused.length > 0 && refused.every((e) => e.owner === "ada" && /does not prove/.test(e.error)), JSON.stringify(refused[0]));
  assert.ok(!JSON.stringify(refused).includes(jar[SESSION].slice(-20)), "the audit holds a token");

  // With both, only as long as that cookie lasts; without the key there is no other.
  const both = `${stolen}; ${BOUND}=${jar[BOUND]}`;
  assert.equal(await status(both), "active");
  const name = b.session();
  const bare = await ask("POST", "/_session/dbsc/refresh", { Cookie: both, "Sec-Secure-Session-Id": name });
  assert.deepEqual([bare.status, bare.headers["set-cookie"]], [403, undefined]);
  assert.match(bare.headers["secure-session-challenge"], /^"[\w-]+";id="b[\w-]+"$/);
  await until("the stolen pair has ended", async () => (await status(both)) === "none");

  await b.page.reload();
  await b.shows("user-name", "Ada");
  await b.shows("binding", "Bound to this device");
});

test("an outage of the store ends no binding", { timeout: 60_000 }, async (t) => {
  await start("5m");
  const b = await browser();
  t.after(b.close);
  await b.login();
  await b.dropBound();
  redis.kill("SIGSTOP");
  try {
    const codes = await b.page.evaluate(() => Promise.all(["/demo/me", "/_session/v1/status"].map((path) => fetch(path).then((r) => r.status))));
    assert.deepEqual(codes, [503, 503]);
    assert.equal((await b.context.cookies()).filter((c) => c.name === SESSION).length, 1, "the cookie stays");
  } finally {
    redis.kill("SIGCONT");
  }
  await until("the browser has refreshed", async () => {
    await b.page.reload();
    return (await b.page.evaluate(() => fetch("/demo/me").then((r) => r.json()))).binding === "bound";
  });
  await b.shows("user-name", "Ada");
});

test("a revoked session's binding ends with it", { timeout: 60_000 }, async (t) => {
  await start("5m");
  const b = await browser();
  t.after(b.close);
  await b.login();
  execFileSync(join(root, "bin/sojourn"), ["sessions", "revoke", "--store", `redis://127.0.0.1:${redisPort}`, "--owner", "ada"], { stdio: "pipe" });
  await b.dropBound();
  await b.page.reload();
  await b.shows("state", "ended");
  const tried = b.refreshes();
  assert.ok(tried > 0, "the browser has asked");
  await b.page.reload();
  await b.page.evaluate(() => fetch("/demo/me").then((r) => r.text()));
  assert.equal(b.refreshes(), tried, "the browser has forgotten the binding");
  await b.page.getByTestId("start-again").click();
  await b.login(); // and begins a new one
});

test("the browser starts again, and has its key", { timeout: 60_000 }, async (t) => {
  await start("5m");
  const profile = join(folder, "profile");
  let b = await browser({ profile });
  t.after(() => b.close());
  await b.login({ remember: true });
  await new Promise((resolve) => setTimeout(resolve, 1500)); // Chromium writes its bindings behind
  await b.close();
  b = await browser({ profile });
  await b.page.goto(url);
  await b.shows("binding", "Bound to this device");
  await b.dropBound();
  await b.page.reload();
  await b.shows("user-name", "Ada");
  assert.equal(b.refreshes(), 1);
});

test("out of signatures is no logout", { timeout: 60_000 }, async (t) => {
  await start("10s");
  const b = await browser({ features: FEATURES });
  t.after(b.close);
  await b.login();
  await until("the quota is used up", async () => {
    await b.dropBound();
    return (await b.page.evaluate(() => fetch("/demo/me").then((r) => r.status))) === 503;
  });
  assert.ok(events("refused").every((e) => /quota_exceeded/.test(e.error)), "a legitimate request was taken for a thief's");
  assert.equal((await b.context.cookies()).filter((c) => c.name === SESSION).length, 1, "the cookie stays");
});

test("a browser that does not speak it stays as it is", { timeout: 60_000 }, async (t) => {
  await start("5m");
  const b = await browser({ features: "EnableBoundSessionCredentialsSoftwareKeysForManualTesting" });
  t.after(b.close);
  await b.login({ binding: "Not bound to this device" });
  await b.page.reload();
  await b.shows("user-name", "Ada");
  assert.equal(b.creations(), 0);
});

// A browser with a page on the demo: a context of its own in the shared one, or,
// with other features or a profile, another.
async function browser({ features, profile } = {}) {
  let context;
  if (!features && !profile) {
    shared ??= await chromium.launch({ executablePath, ignoreDefaultArgs: true, args: flags(WITHOUT_QUOTA, mkdtempSync(join(folder, "profile-"))) });
    context = await shared.newContext();
  } else {
    profile ??= mkdtempSync(join(folder, "profile-"));
    context = await chromium.launchPersistentContext(profile, { executablePath, ignoreDefaultArgs: true, args: flags(features ?? WITHOUT_QUOTA, profile) });
  }
  const page = context.pages()[0] ?? (await context.newPage());
  const devtools = await context.newCDPSession(page);
  const told = [];
  devtools.on("Network.deviceBoundSessionEventOccurred", (event) => told.push(event));
  await devtools.send("Network.enable");
  await devtools.send("Network.enableDeviceBoundSessions", { enable: true });
  const shows = (id, text) => until(`${id} shows ${text}`, async () => (await page.getByTestId(id).innerText()).includes(text));
  let open = true;
  return {
    context,
    page,
    shows,
    creations: () => told.filter((e) => e.creationEventDetails?.fetchResult === "Success").length,
    refreshes: () => told.filter((e) => e.refreshEventDetails).length,
    session: () => told.findLast((e) => e.sessionId)?.sessionId,
    dropBound: () => devtools.send("Network.deleteCookies", { name: BOUND, url }),
    async login({ remember = false, binding = "Bound to this device" } = {}) {
      if (!page.url().startsWith(url)) await page.goto(url);
      if (remember) await page.getByTestId("remember").check();
      await page.getByTestId("login-ada").click();
      await shows("user-name", "Ada");
      await shows("binding", binding);
    },
    async close() {
      if (open) await context.close();
      open = false;
    },
  };
}

function flags(features, profile) {
  const key = new X509Certificate(readFileSync(certificate)).publicKey.export({ type: "spki", format: "der" });
  const spki = createHash("sha256").update(key).digest("base64");
  return ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", `--enable-features=${features}`, `--ignore-certificate-errors-spki-list=${spki}`, "--remote-debugging-pipe",
    `--user-data-dir=${profile}`, "about:blank"];
}

// What the server has written down since it was started last.
function events(kind) {
  const file = join(folder, "audit.jsonl");
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : [];
  return lines.map((line) => JSON.parse(line)).filter((e) => e.event === kind);
}

// A client that is no browser.
function ask(method, path, headers) {
  return new Promise((resolve, reject) => {
    const r = request(url + path, { method, headers, ca: readFileSync(certificate) }, (res) => {
      let body = "";
      res.on("data", (part) => (body += part)).on("end", () => resolve({ status: res.statusCode, headers: res.headers, body }));
    });
    r.on("error", reject).end();
  });
}

async function start(lifetime) {
  await stop("SIGTERM");
  rmSync(join(folder, "audit.jsonl"), { force: true });
  server = spawn(join(root, "bin/sojourn"), ["serve", "--listen", `127.0.0.1:${port}`, "--store", `redis://127.0.0.1:${redisPort}`, "--tls-cert", certificate,
    "--tls-key", join(folder, "key.pem"), "--dbsc", "--dbsc-lifetime", lifetime, "--audit", join(folder, "audit.jsonl")], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (text) => (said += text));
  await until("the server is ready", async () => {
    assert.equal(server.exitCode, null, `the server ended:\n${said}`);
    return (await ask("GET", "/readyz", {}).catch(() => undefined))?.status === 200;
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
