import { type Stop } from "./index.js";

/** What is to be sent when the page is hidden, or closed: a message to the application, or changes of members. */
type Parting = {
    readonly type: string;
    readonly data?: unknown;
    readonly id?: string;
} | {
    readonly changes: Readonly<Record<string, unknown>>;
};

/**
 * Calls `fn` each time the page is hidden, which is the last thing a page is sure
 * to hear of, and sends what it gives, even if the page is gone by then. It may
 * arrive although no answer does; changes may be repeated, and a message has an
 * `id`. What is too large is told as the event `error` and not sent.
 */
declare function onLeave(session: object, fn: () => Parting | undefined): Stop;

/**
 * Lets the browser ask before the page is left, from now until the answer is
 * called: only while there are changes that would be lost.
 */
declare function guard(): Stop;

export { type Parting, onLeave, guard };
