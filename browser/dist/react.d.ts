import { type ReactNode } from "react";
import { type Session, type Snapshot, type KeyOf, type Stop } from "./index.js";
import { type ExpirySession, type ExpiryState, type Expiry } from "./expiry.js";
import { type Messages } from "./timeout.js";

/** How the session stands. On a server, and while what it rendered is taken over, nothing is known. */
declare function useSnapshot(session: Pick<Session, "subscribe" | "snapshot">): Snapshot;

/** The warning before the end: its state and its verbs. */
declare function useExpiry(session: ExpirySession): ExpiryState & Omit<Expiry, "state" | "subscribe">;

/** A member of the session, what sets it, and all else: `const [cart, setCart] = useMember(session, "cart")`. */
declare function useMember<D extends object, K extends KeyOf<D>>(session: Session<D>, key: K): [value: D[K] | undefined, set: Member<D[K]>["set"], more: MemberState<D[K]> & Pick<Member<D[K]>, "update" | "reload">];

/** `<sojourn-timeout>` for a session. Import "@sojourn/browser/timeout" too: it brings the element. */
declare function SessionTimeout(props: {
    session: ExpirySession;
    login?: string;
    lang?: string;
    messages?: Partial<Messages>;
}): ReactNode;

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

export { useSnapshot, useExpiry, useMember, SessionTimeout };
