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
  return async (method, path, { body, type = "application/json", rev, handle } = {}) => {
    const headers: Record<string, string> = { Accept: "application/json" };
    const abort = new AbortController();
    const init: RequestInit = { method, headers, credentials: "same-origin", cache: "no-store", signal: abort.signal };
    if (method !== "GET") headers["X-Session-CSRF"] = "1";
    if (handle) headers["X-Session-Handle"] = handle;
    if (rev !== undefined) headers["If-Match"] = rev === "*" ? rev : `"${rev}"`;
    if (body !== undefined) {
      headers["Content-Type"] = type;
      init.body = body;
    }
    const timer = env.setTimeout(() => abort.abort(), timeoutMs);
    try {
      const response = await env.fetch(base + path, init);
      return read(response, await response.text());
    } catch (cause) {
      if (cause instanceof SojournError) throw cause;
      throw abort.signal.aborted
        ? new SojournError("timeout", `no answer within ${timeoutMs} ms`, { cause })
        : new SojournError("network", "the server could not be reached", { cause });
    } finally {
      env.clearTimeout(timer);
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
  const tag = /^(?:W\/)?"(\d+)"$/.exec(headers.get("ETag") ?? ""); // proxies that compress weaken it
  const rev = tag ? Number(tag[1]) : undefined;
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
