import { setImmediate as turn } from "node:timers/promises";
import type { Environment, PageEvent } from "../src/environment.ts";

/** A browser whose time moves only when told, and whose network is a function. */
export interface FakeBrowser extends Environment {
  /** Lets time pass, with all timers that are due and what they set off. */
  advance(ms: number): Promise<void>;
  /** Stops the page and its monotonic clock, as a sleeping laptop does. */
  sleep(ms: number): void;
  /** Sets the wall clock, as a user does. */
  setWall(ms: number): void;
  /** Shows or hides the page. */
  show(visible: boolean): Promise<void>;
  /** Restores the page as the back button does. */
  restore(): Promise<void>;
  /** Lets something happen to the page. */
  tell(what: PageEvent): Promise<void>;
  masked: boolean;
  readonly left: string[];
  /** Timers come no sooner than this, as in a throttled page. */
  throttleMs: number;
  /** Answers requests; may await `delay`. */
  serve: (request: FakeRequest) => Promise<Response> | Response;
  delay(ms: number): Promise<void>;
  readonly requests: FakeRequest[];
  readonly timers: ReadonlyMap<unknown, { readonly at: number }>;
  readonly wakers: ReadonlySet<unknown>;
  readonly reports: unknown[];
}

export interface FakeRequest {
  readonly line: string; // "GET /_session/v1/status"
  readonly method: string;
  readonly path: string; // below the base
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly init: RequestInit;
}

/** Lets everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 8; i++) await turn();
}

export function fakeBrowser(
  serve: FakeBrowser["serve"] = () => new Response(null, { status: 204 }),
  tabs: Set<{ name: string; fn: (text: string) => void }> = new Set(),
): FakeBrowser {
  let now = 1000;
  let wall = Date.UTC(2026, 0, 1);
  let visible = true;
  let id = 0;
  const timers = new Map<unknown, { at: number; fn: () => void }>();
  const deadlines = new Map<unknown, { at: number; fn: () => void }>(); // of requests, answered or not
  const left: string[] = [];
  const wakers = new Set<(what: PageEvent) => void>();
  const reports: unknown[] = [];
  const requests: FakeRequest[] = [];
  const wake = async (what: PageEvent) => {
    for (const fn of wakers) fn(what);
    await settle();
  };
  const browser: FakeBrowser = {
    serve,
    throttleMs: 0,
    requests,
    timers,
    wakers,
    reports,
    now: () => now,
    wall: () => wall,
    random: () => 0.5,
    hidden: () => !visible,
    report: (error) => void reports.push(error),
    setTimeout(fn, ms) {
      const delay = ms > 2 ** 31 - 1 ? 0 : ms; // as browsers overflow
      timers.set(++id, { at: now + Math.max(browser.throttleMs, delay), fn });
      return id;
    },
    clearTimeout: (timer) => void timers.delete(timer),
    channel(name, fn) {
      const joined = { name, fn };
      tabs.add(joined);
      return {
        post(text) {
          for (const other of tabs) if (other !== joined && other.name === name) other.fn(text);
        },
        close: () => void tabs.delete(joined),
      };
    },
    mask: (on) => void (browser.masked = on),
    leave: (url) => void left.push(url),
    tell: (what) => wake(what),
    masked: false,
    left,
    timeout(ms) {
      const abort = new AbortController();
      deadlines.set(++id, { at: now + ms, fn: () => abort.abort() });
      return abort.signal;
    },
    onPage(fn) {
      wakers.add(fn);
      return () => void wakers.delete(fn);
    },
    fetch(url, init = {}) {
      const input = url as string;
      const path = input.replace("/_session/v1", "");
      const method = init.method ?? "GET";
      const request: FakeRequest = {
        line: `${method} ${input}`,
        method,
        path,
        headers: init.headers as Record<string, string>,
        body: init.body as string | undefined,
        init,
      };
      requests.push(request);
      return new Promise((resolve, reject) => {
        init.signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
        Promise.resolve(request).then((r) => browser.serve(r)).then(resolve, reject);
      });
    },
    delay: (ms) => new Promise((resolve) => void browser.setTimeout(resolve, ms)),
    async advance(ms) {
      const end = now + ms;
      await settle();
      for (;;) {
        const next = [...timers, ...deadlines].sort(([, a], [, b]) => a.at - b.at)[0];
        if (!next || next[1].at > end) break;
        timers.delete(next[0]);
        deadlines.delete(next[0]);
        wall += Math.max(0, next[1].at - now);
        now = Math.max(now, next[1].at);
        next[1].fn();
        await settle();
      }
      wall += end - now;
      now = end;
    },
    sleep(ms) {
      wall += ms;
    },
    setWall(ms) {
      wall = ms;
    },
    async show(yes) {
      visible = yes;
      await wake(yes ? "seen" : "hidden");
    },
    restore: () => wake("woke"),
  };
  return browser;
}

export function json(body: unknown, init: { status?: number; headers?: Record<string, string> } = {}): Response {
  const headers = { "Content-Type": "application/json", ...init.headers };
  return new Response(JSON.stringify(body), { status: init.status ?? 200, headers });
}

export function problem(status: number, code: string, more: object = {}, headers: Record<string, string> = {}): Response {
  const body = { type: `about:${code}`, title: code, status, code, detail: `detail of ${code}`, ...more };
  return json(body, { status, headers: { "Content-Type": "application/problem+json", ...headers } });
}
