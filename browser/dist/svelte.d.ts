import { type Stop, type Session, type Snapshot, type KeyOf } from "./index.js";
import { type ExpirySession, type ExpiryState, type Expiry } from "./expiry.js";

/** What Svelte asks of a store, so that `$name` reads it: any version, and no import of it. */
interface Store<T> {
    subscribe(run: (value: T) => void): Stop;
}

/** How the session stands: `const snapshot = snapshotStore(session)`, then `$snapshot.state`. */
declare function snapshotStore(session: Pick<Session, "subscribe" | "snapshot">): Store<Snapshot>;

/** The warning before the end: its state as a store, and its verbs. */
declare function expiryStore(session: ExpirySession): Store<ExpiryState> & Omit<Expiry, "state" | "subscribe">;

/** A member of the session: `const cart = memberStore(session, "cart")`, then `$cart.value` and `cart.set(…)`. */
declare function memberStore<D extends object, K extends KeyOf<D>>(session: Session<D>, key: K): Store<MemberState<D[K]>> & Pick<Member<D[K]>, "set" | "update" | "reload">;

/** A member of the session as a page shows it. Never changed, only replaced. */
interface MemberState<T> {
    /** Undefined while it is not set, or not known yet. */
    readonly value: T | undefined;
    /** Whether it was read. */
    readonly ready: boolean;
    /** Why the last reading or writing failed; undefined once one has succeeded. */
    readonly error: unknown;
}

/** Keeps one member in view. */
interface Member<T> {
    readonly state: MemberState<T>;
    subscribe(fn: () => void): Stop;
    /** Shows the value at once, and what was there before if the server refuses it. */
    set(value: T): Promise<void>;
    /** As the session's `update`. */
    update(fn: (value: T | undefined) => T | undefined): Promise<void>;
    reload(): Promise<void>;
}

export { type Store, snapshotStore, expiryStore, memberStore };
