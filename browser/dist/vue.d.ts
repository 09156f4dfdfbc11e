import { type ShallowRef } from "vue";
import { type Session, type Snapshot, type KeyOf, type Stop } from "./index.js";
import { type ExpirySession, type ExpiryState, type Expiry } from "./expiry.js";

/** How the session stands. Until the component is mounted nothing is known. */
declare function useSnapshot(session: Pick<Session, "subscribe" | "snapshot">): Readonly<ShallowRef<Snapshot>>;

/** The warning before the end: its state and its verbs. */
declare function useExpiry(session: ExpirySession): {
    readonly state: Readonly<ShallowRef<ExpiryState>>;
} & Omit<Expiry, "state" | "subscribe">;

/** A member of the session, and what sets it: `const cart = useMember(session, "cart")`. */
declare function useMember<D extends object, K extends KeyOf<D>>(session: Session<D>, key: K): {
    readonly state: Readonly<ShallowRef<MemberState<D[K]>>>;
} & Pick<Member<D[K]>, "set" | "update" | "reload">;

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

export { useSnapshot, useExpiry, useMember };
