import { type Session, type Reason, type Stop } from "./index.js";

/** What a warning needs of a session. */
type ExpirySession = Pick<Session, "snapshot" | "subscribe" | "extend" | "end" | "pauseActivity">;

/** What is to be shown of the coming end. It never changes; a change is another object. */
interface ExpiryState {
    /** `warning`: the end is near, ask the user. `ended`: the session that was shown is over. */
    readonly phase: "quiet" | "warning" | "ended";
    /**
     * True while what is private must not be seen: the session has ended, or only
     * the server can tell whether it has.
     */
    readonly masked: boolean;
    /** What remains, in whole seconds, while warning; else 0. Never negative. */
    readonly seconds: number;
    /** False when nothing can move the end any more: all a user can do is save their work. */
    readonly extendable: boolean;
    /** What is under way. */
    readonly busy: "extend" | "end" | undefined;
    /** Why the last `extend` or `end` failed. The warning stays. */
    readonly error: unknown;
    /** Why the session has ended. */
    readonly reason: Reason | undefined;
    /** The idle timeout, once known: what to tell users up front (WCAG 2.2 §2.2.6). */
    readonly idleMs: number | undefined;
}

/** The warning before the end of a session, without any looks. */
interface Expiry {
    readonly state: ExpiryState;
    /** Calls `fn` after each change of `state`. Watch is kept while somebody listens. */
    subscribe(fn: () => void): Stop;
    /** Extends the session. Never rejects: `state.error` tells; the warning goes only once the server agreed. */
    extend(): Promise<void>;
    /** Ends the session. Never rejects, as `extend`. */
    end(): Promise<void>;
    /** Closes a warning that cannot be answered by extending; it is back at zero. */
    dismiss(): void;
}

/**
 * Makes the warning of a session. Nothing but a status of the server takes it
 * back; while it stands, the user's input does not extend the session.
 *
 *     quiet ──the end is near──▶ warning ──a later end──▶ quiet
 *       └──────────┴───over──▶ ended ──another session──▶ quiet
 */
declare function createExpiry(session: ExpirySession): Expiry;

export { type ExpirySession, type ExpiryState, type Expiry, createExpiry };
