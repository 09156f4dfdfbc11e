// Live connections and writes are for the session's own origin only: what Chromium
// sends from a sibling subdomain, which has the cookie, and from another site, and
// what the server answers.
//
//   https://app.example.test   the server, behind a witness that terminates TLS
//                              and writes down what passes
//   https://evil.example.test  a page of somebody else in the same site
//   https://other.test         one in another site
//
// Needs bin/sojourn (go build -o bin/sojourn ./cmd/sojourn), openssl and Chromium;
// the browser's path may be given as CHROMIUM.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { createServer as createSocketServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "sojourn-origin-"));
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const [port, witnessPort, evilPort] = [await freePort(), await freePort(), await freePort()];
const app = `https://app.example.test:${witnessPort}`;
const wire = `wss://app.example.test:${witnessPort}/_session/v1/ws`;
const seen = []; // {path, origin, site, cookie, status}
const closing = [];
let server;
let browser;

before(async () => {
  assert.ok(existsSync(executablePath), `no browser at ${executablePath}: install chromium, or name one in CHROMIUM`);
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
    "-subj", "/CN=example.test", "-addext", "subjectAltName=DNS:*.example.test", "-keyout", key, "-out", cert], { stdio: "ignore" });
  const tls = { key: readFileSync(key), cert: readFileSync(cert) };
  server = spawn(join(root, "bin/sojourn"), ["serve", "--listen", `127.0.0.1:${port}`, "--store", "memory:", "--trusted-proxy", "127.0.0.1/32"], { stdio: "ignore", cwd: folder });
  await until("the server answers", () => ask("/healthz").then((r) => r.status === 200, () => false));
  await listen(createSecureServer(tls, witness).on("upgrade", witnessUpgrade), witnessPort);
  await listen(createSecureServer(tls, (_, res) => res.setHeader("Content-Type", "text/html").end("<title>evil</title>")), evilPort);
  browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
      "--host-resolver-rules=MAP *.example.test 127.0.0.1,MAP other.test 127.0.0.1", "--ignore-certificate-errors"],
  });
});

after(async () => {
  await browser?.close();
  for (const s of closing) {
    s.closeAllConnections();
    s.close();
  }
  server?.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

test("only the origin itself is served", { timeout: 60_000 }, async (t) => {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const own = await context.newPage();
  await own.goto(app);
  const status = await own.evaluate(() => fetch("/demo/login", { method: "POST", headers: { "Content-Type": "application/json", "X-Session-CSRF": "1" },
    body: JSON.stringify({ user: "ada", remember: false }) }).then((r) => r.status));
  assert.equal(status, 200);

  await t.test("its own page connects over all transports", async () => {
    assert.match(await own.evaluate(open, wire), /"type":"hello"/);
    assert.match(await own.evaluate(stream, "/_session/v1/events"), /"type":"hello"/);
    assert.equal(await own.evaluate(() => fetch("/_session/v1/poll?wait=0").then((r) => r.status)), 200);
    assert.deepEqual(last("/ws"), { path: "/ws", origin: app, site: last("/ws").site, cookie: true, status: 101 });
  });

  for (const [name, from] of [["a sibling subdomain", `https://evil.example.test:${evilPort}`], ["another port of the same host", `https://app.example.test:${evilPort}`]]) {
    await t.test(`${name} is refused, although the browser sends the cookie`, async () => {
      const page = await context.newPage();
      await page.goto(from);
      assert.equal(await page.evaluate(open, wire), "closed 1006");
      const { site, ...upgrade } = last("/ws");
      assert.deepEqual(upgrade, { path: "/ws", origin: from, cookie: true, status: 403 });
      assert.equal(await page.evaluate(stream, `${app}/_session/v1/events`), "error");
      assert.deepEqual(last("/events"), { path: "/events", origin: from, site: "same-site", cookie: true, status: 403 });
      assert.equal(await page.evaluate((url) => fetch(url, { mode: "no-cors", credentials: "include" }).then(() => "read", () => "blocked"), `${app}/_session/v1/poll?wait=0`), "blocked");
      assert.deepEqual(last("/poll"), { path: "/poll", origin: undefined, site: "same-site", cookie: true, status: 403 });
      await page.close();
    });
  }

  await t.test("a cookie without an Origin is refused, no browser sends that", async () => {
    const [cookie] = await context.cookies(app);
    const upgrade = { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol": "session.v1" };
    assert.equal((await ask("/_session/v1/ws", { ...upgrade, Cookie: `${cookie.name}=${cookie.value}` })).status, 403);
  });

  await t.test("a sandboxed frame, whose origin is null, is refused", async () => {
    const page = await context.newPage();
    await page.goto(`https://evil.example.test:${evilPort}`);
    await page.setContent(`<iframe sandbox="allow-scripts" srcdoc="<script>new WebSocket('${wire}', 'session.v1')</script>"></iframe>`);
    await until("the frame has tried", () => last("/ws").origin === "null");
    await until("it was answered", () => last("/ws").status !== undefined);
    assert.equal(last("/ws").status, 403);
  });

  for (const [name, from, site, cookie] of [
    ["a sibling subdomain", `https://evil.example.test:${evilPort}`, "same-site", true], // SameSite is no origin check
    ["another site", `https://other.test:${evilPort}`, "cross-site", false],
  ]) {
    await t.test(`a forged request of ${name} changes nothing`, async () => {
      const page = await context.newPage();
      await page.goto(from);
      await page.evaluate((url) => fetch(url, { method: "POST", mode: "no-cors", credentials: "include", body: "{}" }).catch(() => {}), `${app}/demo/visit`);
      assert.deepEqual(last("/demo/visit"), { path: "/demo/visit", origin: from, site, cookie, status: 403 });
      await Promise.all([page.waitForURL(`${app}/demo/note`), page.evaluate(submit, `${app}/demo/note`)]);
      assert.deepEqual(last("/demo/note"), { path: "/demo/note", origin: from, site, cookie, status: 403 });
      await page.close();
      assert.deepEqual(await own.evaluate(() => fetch("/_session/v1/data").then((r) => r.json())).then((b) => b.data), {});
    });
  }

  await t.test("its own page may write", async () => {
    assert.equal(await own.evaluate(() => fetch("/demo/visit", { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" }).then((r) => r.status)), 200);
  });

  await t.test("no session is told by a close code, which a script can see", async () => {
    await own.evaluate(() => fetch("/_session/v1/", { method: "DELETE", headers: { "X-Session-CSRF": "1" } }));
    assert.equal(await own.evaluate(open, wire), "closed 4404");
  });
});

/** Runs in the page: the first frame of a WebSocket, or how it was closed. */
function open(url) {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, "session.v1");
    socket.onmessage = (e) => {
      resolve(e.data);
      socket.close();
    };
    socket.onclose = (e) => resolve(`closed ${e.code}`);
  });
}

/** Runs in the page: sends a form, as a page that lies in wait does. */
function submit(url) {
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: url, enctype: "text/plain" });
  document.body.append(form);
  form.submit();
}

/** Runs in the page: the first event of a stream, or that it failed. */
function stream(url) {
  return new Promise((resolve) => {
    const source = new EventSource(url, { withCredentials: true });
    const end = (text) => {
      source.close();
      resolve(text);
    };
    source.addEventListener("hello", (e) => end(e.data));
    source.onerror = () => end("error");
  });
}

const last = (path) => seen.findLast((one) => one.path === path) ?? {};

function note(req) {
  const one = { path: new URL(req.url, app).pathname.replace("/_session/v1", ""), origin: req.headers.origin, site: req.headers["sec-fetch-site"],
    cookie: /(^|; )sojourn=/.test(req.headers.cookie ?? ""), status: undefined };
  seen.push(one);
  return one;
}

function forward(req) {
  return request({ host: "127.0.0.1", port, method: req.method, path: req.url, headers: { ...req.headers, "x-forwarded-proto": "https" } });
}

function witness(req, res) {
  const one = note(req);
  const up = forward(req);
  up.on("response", (answer) => {
    one.status = answer.statusCode;
    res.writeHead(answer.statusCode, answer.headers);
    answer.pipe(res);
  });
  up.on("error", () => res.destroy());
  res.on("close", () => up.destroy());
  req.pipe(up);
}

function witnessUpgrade(req, socket, head) {
  const one = note(req);
  const up = forward(req);
  const answerHead = (answer) => `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\n` +
    answer.rawHeaders.map((text, i) => text + (i % 2 ? "\r\n" : ": ")).join("") + "\r\n";
  up.on("response", (answer) => {
    one.status = answer.statusCode;
    socket.write(answerHead(answer));
    answer.pipe(socket);
  });
  up.on("upgrade", (answer, back, rest) => {
    one.status = answer.statusCode;
    socket.write(answerHead(answer));
    socket.write(rest);
    back.write(head);
    back.pipe(socket).on("error", () => back.destroy());
    socket.pipe(back).on("error", () => socket.destroy());
  });
  up.on("error", () => socket.destroy());
  up.end();
}

function ask(path, headers = {}) {
  return new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", port, path, headers: { Host: `app.example.test:${witnessPort}`, ...headers } })
      .on("response", (answer) => resolve({ status: answer.resume().statusCode }))
      .on("upgrade", (answer, socket) => {
        socket.destroy();
        resolve({ status: answer.statusCode });
      })
      .on("error", reject)
      .end();
  });
}

function listen(s, at) {
  closing.push(s);
  return new Promise((resolve) => s.listen(at, "127.0.0.1", resolve));
}

async function until(what, holds, ms = 15_000) {
  for (const end = Date.now() + ms; !(await holds()); await new Promise((resolve) => setTimeout(resolve, 20))) {
    assert.ok(Date.now() < end, `not within ${ms} ms: ${what}`);
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createSocketServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
