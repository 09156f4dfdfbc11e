import type { Stop } from "./emitter.ts";
import { linkOf } from "./link.ts";
import type { Status } from "./status.ts";

/** What the user wanted to send when the session had ended. */
export interface Draft {
  /** As it was to be sent, body and all. */
  readonly request: Request;
  /** How the session stands by now. */
  readonly status: Status;
}

/**
 * Asks the user to log in again, with `session.login`, and says whether the draft
 * is to be sent then. Keep what the user typed, whatever comes of it.
 */
export type Reauth = (draft: Draft) => boolean | Promise<boolean>;

/** `fetch` for an application's own requests to its own origin. Others pass through as they are. */
export interface SessionFetch {
  (input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /** Calls `fn` for each request that came too late. */
  onReauth(fn: Reauth): Stop;
  /** Puts it in the place of `window.fetch`. */
  install(): Stop;
}

/**
 * Makes a `fetch` that knows of the session. It marks requests as the page's own.
 * A 401 is looked into, once for all requests that get one: if the session lives,
 * a GET, or a request with an Idempotency-Key, is sent once more; if not, `onReauth`
 * is asked, and what it lets pass is sent only if the same user is back. An answer
 * that was meant for another session than the page is about by then is refused
 * with `session_changed`.
 */
export function createFetch(session: object): SessionFetch {
  const { env, Failure, check, handle, status } = linkOf(session);
  let reauth: Reauth | undefined;

  const userOf = (now: Status | undefined) => (now?.state === "active" ? now.u : undefined);

  async function send(kept: Request): Promise<Response> {
    const request = kept.clone();
    const whose = handle();
    if (!/^(GET|HEAD)$/.test(request.method)) request.headers.set("X-Session-CSRF", "1");
    if (whose) request.headers.set("X-Session-Handle", whose);
    const response = await env.fetch(request);
    if (whose && handle() && whose !== handle()) throw changed();
    return response;
  }

  const changed = () => new Failure("session_changed", "the answer is another session's");

  async function wrapped(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const request = new Request(input, init);
    if (new URL(request.url).origin !== location.origin) return env.fetch(request);
    const whose = handle();
    const user = userOf(status());
    const response = await send(request);
    if (response.status !== 401) return response;
    let now = status();
    try {
      if (!now || now.state === "active") now = await check(); // else it is known already
    } catch {
      return response; // an outage says nothing
    }
    if (now.state === "active") {
      if (now.h !== whose) throw changed();
      return /^(GET|HEAD)$/.test(request.method) || request.headers.has("Idempotency-Key") ? send(request) : response;
    }
    if (!whose || !reauth || !(await reauth({ request: request.clone(), status: now }))) return response;
    if (!user || userOf(status()) !== user) throw changed();
    return send(request);
  }

  return Object.assign(wrapped, {
    onReauth(fn: Reauth): Stop {
      reauth = fn;
      return () => {
        if (reauth === fn) reauth = undefined;
      };
    },
    install(): Stop {
      const plain = globalThis.fetch;
      globalThis.fetch = wrapped;
      return () => {
        globalThis.fetch = plain;
      };
    },
  });
}
