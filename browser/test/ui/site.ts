// A site for the tests of what users see: pages under a strict policy, the files
// of dist, and a session that the test sets as it likes.
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import type { FakeRequest } from "../fake.ts";
import { FakeServer } from "../server.ts";

/** No inline script or style, no eval, no text that becomes markup. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

const TYPES: Record<string, string> = { js: "text/javascript", css: "text/css", html: "text/html" };
const HEADERS = ["X-Session-CSRF", "X-Session-Handle", "If-Match", "X-Session-Activity"];

export interface Site {
  readonly origin: string;
  /** The Content-Security-Policy of all answers; "" for none. */
  policy: string;
  /** The session of whoever comes. Set a new one for each test. */
  session: FakeServer;
  /** Files of the test, by path: "/page.js". */
  readonly files: Map<string, string>;
  /** Requests to the API: "POST /extend". */
  readonly asked: string[];
  close(): Promise<void>;
}

export async function startSite(): Promise<Site> {
  const files = new Map<string, string>();
  const asked: string[] = [];
  const http = createServer((request, response) => {
    void answer(request).then(async ({ status, headers, body }) => {
      response.writeHead(status, { ...(site.policy && { "Content-Security-Policy": site.policy }), "Cache-Control": "no-store", ...headers });
      response.end(body);
    });
  });

  async function answer(request: IncomingMessage): Promise<{ status: number; headers: Record<string, string>; body: string | Buffer }> {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const type = TYPES[path.split(".").at(-1) ?? ""] ?? "text/html";
    const own = files.get(path);
    if (own !== undefined) return { status: 200, headers: { "Content-Type": `${type}; charset=utf-8` }, body: own };
    if (path.startsWith("/_session/v1/") && path.endsWith(".js")) {
      const body = await readFile(path.replace("/_session/v1", "dist")).catch(() => undefined);
      return { status: body ? 200 : 404, headers: { "Content-Type": "text/javascript; charset=utf-8" }, body: body ?? "" };
    }
    if (!path.startsWith("/_session/v1/")) return { status: 404, headers: {}, body: "" };
    const method = request.method ?? "GET";
    const below = path.replace("/_session/v1", "");
    let body = "";
    for await (const chunk of request) body += chunk;
    asked.push(`${method} ${below}`);
    const sent = Object.fromEntries(HEADERS.flatMap((name) => (request.headers[name.toLowerCase()] ? [[name, String(request.headers[name.toLowerCase()])]] : [])));
    const fake: FakeRequest = { line: `${method} ${path}`, method, path: below, headers: sent, body: body || undefined, init: {} };
    const reply = await site.session.serve(fake);
    return { status: reply.status, headers: Object.fromEntries(reply.headers), body: await reply.text() };
  }

  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const site: Site = {
    policy: POLICY,
    origin: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    session: new FakeServer(),
    files,
    asked,
    async close() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return site;
}

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

/** Opens a page whose time the test moves, and collects what goes wrong in it. */
export async function open(context: BrowserContext, url: string): Promise<{ page: Page; faults: string[] }> {
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) faults.push(message.text());
  });
  await page.addInitScript(() => addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.sourceFile}`)));
  await page.clock.install({ time: new Date(Date.UTC(2026, 0, 1)) });
  await page.goto(url);
  return { page, faults };
}

/** Polls until `holds` gives true. */
export async function until(what: string, holds: () => Promise<boolean> | boolean, ms = 10_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
