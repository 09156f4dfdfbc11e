import { type ReactNode } from "react";
import { type Session, type Json, type Snapshot, type KeyOf, type Stop } from "./index.js";
import { type ExpiryState, type Expiry } from "./expiry.js";
import { type Messages } from "./timeout.js";

/** Gives a session to the components within. Make it once, outside of them. */
declare function SessionProvider({ session, children }: {
    session: Session<never> | Session;
    children?: ReactNode;
}): ReactNode;

/** Gives the session around, for its verbs. It never changes, so this renders nothing again. */
declare function useSession<D extends object = Record<string, Json>>(): Session<D>;

/** How the session stands. On a server, and in the first render of what it rendered, nothing is known. */
declare function useSnapshot(): Snapshot;

/** The warning before the end: its state and its verbs. */
declare function useExpiry(): ExpiryState & Omit<Expiry, "state" | "subscribe">;

/** A member of the session, and what sets it: `const [cart, setCart] = useMember<Members, "cart">("cart")`. */
declare function useMember<D extends object, K extends KeyOf<D> = KeyOf<D>>(key: K): [value: D[K] | undefined, set: (value: D[K]) => Promise<void>, more: MemberState<D[K]> & Pick<Member<D[K]>, "update" | "reload">];

/** `<sojourn-timeout>` for the session around. Import "@sojourn/browser/timeout" too: it brings the element. */
declare function SessionTimeout({ messages, ...attributes }: {
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

export { SessionProvider, useSession, useSnapshot, useExpiry, useMember, SessionTimeout };
