import { type Session } from "./index.js";

/**
 * `<sojourn-session>`: the session for pages without a framework.
 *
 * It shows how the session stands in its attributes `state` (unknown, none, active
 * or ended), `warning` and `unconfirmed`, for style sheets; and tells each change
 * by the event `sojourn-change`. Within it
 *
 *     <output data-session="time">             shows what remains, as m:ss
 *     <button data-session="extend">           extends
 *     <button data-session="end">              logs out; also "end-others", "end-all"
 *
 * A verb that fails is told by the event `sojourn-error`. `<sojourn-timeout>`
 * within uses the same session.
 *
 * Attributes to set: `base` (where the API is), `leave-to` (where to go at the end).
 */
declare class SojournSession extends Base {
    #private;
    /** The session. Set your own before the element is connected, or take the one it makes. */
    get session(): Session;
    set session(session: Session);
    connectedCallback(): void;
    disconnectedCallback(): void;
}

/** What custom elements extend. Where there is no document, such as on a server that renders pages, it is of no use but does no harm. */
declare const Base: typeof HTMLElement;

declare global {
    interface HTMLElementTagNameMap {
        "sojourn-session": SojournSession;
    }
}

export { SojournSession };
