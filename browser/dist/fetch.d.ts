import { type Status, type Stop } from "./index.js";

/** What the user wanted to send when the session had ended. */
interface Draft {
    /** As it was to be sent, body and all. */
    readonly request: Request;
    /** How the session stands by now. */
    readonly status: Status;
}

/**
 * Asks the user to log in again, with `session.login`, and says whether the draft
 * is to be sent then. Keep what the user typed, whatever comes of it.
 */
type Reauth = (draft: Draft) => boolean | Promise<boolean>;

/** `fetch` for an application's own requests to its own origin. Others pass through as they are. */
interface SessionFetch {
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
declare function createFetch(session: object): SessionFetch;

export { type Draft, type Reauth, type SessionFetch, createFetch };
