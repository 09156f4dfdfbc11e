import type { Environment } from "./environment.ts";
import { SojournError, type ErrorFacts, type Problem } from "./errors.ts";
import { isObject } from "./json.ts";

/** What a request may carry. */
export interface Question {
  /** JSON text. */
  body?: string;
  /** The media type of the body. Default application/json. */
  type?: string;
  /** Sent as If-Match: a revision of the data, or "*" for whatever is stored. */
  rev?: number | "*";
  /** The session that is meant; the server refuses if the cookie is another's. */
  handle?: string | undefined;
  /** Sent as Idempotency-Key. */
  key?: string;
  /** Whether the browser is to send it also when the page is gone. */
  keepalive?: boolean;
}

/** A good answer. */
export interface Answer {
  /** The parsed JSON; undefined if there was no body. */
  readonly body: unknown;
  /** The revision of the data, if the answer told it. */
  readonly rev: number | undefined;
  /** The session that answered. */
  readonly handle: string | undefined;
}

/** Sends one request. Every answer that is not a good one is a SojournError. */
export type Ask = (method: string, path: string, question?: Question) => Promise<Answer>;

/**
 * Gives `name` as one segment of a path, or throws `invalid_argument`: URLs drop
 * the segments "." and "..", encoded or not, and would name another resource.
 */
export function segment(name: string): string {
  if (/^\.{0,2}$/.test(name)) throw new SojournError("invalid_argument", `"${name}" cannot stand in an address`);
  return encodeURIComponent(name);
}

/** Makes the transport. A request without an answer is given up after `timeoutMs`. */
export function createAsk(env: Environment, base: string, timeoutMs: number): Ask {
  return async (method, path, { body, type = "application/json", rev, handle, key, keepalive } = {}) => {
    const headers: Record<string, string> = {};
    const signal = env.timeout(timeoutMs);
    const init: RequestInit = { method, headers, cache: "no-store", signal };
    if (method !== "GET") headers["X-Session-CSRF"] = "1";
    if (keepalive) init.keepalive = true;
    if (key) headers["Idempotency-Key"] = key;
    if (handle) headers["X-Session-Handle"] = handle;
    if (rev !== undefined) headers["If-Match"] = rev === "*" ? rev : `"${rev}"`;
    if (body !== undefined) {
      headers["Content-Type"] = type;
      init.body = body;
    }
    try {
      const response = await env.fetch(base + path, init);
      return read(response, await response.text());
    } catch (cause) {
      if (cause instanceof SojournError) throw cause;
      throw signal.aborted
        ? new SojournError("timeout", "no answer in time", { cause })
        : new SojournError("network", "the server could not be reached", { cause });
    }
  };
}

function read({ status, ok, headers }: Response, text: string): Answer {
  let body: unknown;
  let good = ok && status === 204;
  if (/[/+]json\b/.test(headers.get("Content-Type") ?? "")) {
    try {
      body = JSON.parse(text);
      good = ok;
    } catch {
      // Cut off, or not JSON after all: not a good answer.
    }
  }
  const tag = /^(?:W\/)?"(\d+)"$/.exec(headers.get("ETag") ?? "")?.[1]; // proxies that compress weaken it
  const rev = tag ? +tag : undefined;
  if (good) return { body, rev, handle: headers.get("X-Session-Handle") ?? undefined };

  const wait = parseFloat(headers.get("Retry-After") ?? ""); // as a date, which we never send, it is ignored
  const facts: ErrorFacts = { status, rev, retryAfterMs: wait >= 0 ? wait * 1000 : undefined };
  if (!ok && isObject(body) && typeof body["code"] === "string") {
    const problem = (facts.problem = body as Problem);
    throw new SojournError(problem.code, problem.detail ?? problem.title ?? problem.code, facts);
  }
  // A proxy's login page is a 200 too: an answer in another language is none.
  throw new SojournError("protocol", `an answer (${status}) that is not Sojourn's`, facts);
}
