import { type InjectionKey, type ShallowRef } from "vue";
import { type Session, type Json, type Snapshot, type KeyOf, type Stop } from "./index.js";
import { type ExpiryState, type Expiry } from "./expiry.js";

/** Under this an application provides its session: `app.provide(sessionKey, session)`. */
declare const sessionKey: InjectionKey<Session>;

/** Gives a session to the components below this one. */
declare function provideSession(session: Session<never> | Session): void;

/** Gives the session that was provided, for its verbs. */
declare function useSession<D extends object = Record<string, Json>>(): Session<D>;

/** How the session stands. */
declare function useSnapshot(): Readonly<ShallowRef<Snapshot>>;

/** The warning before the end: its state and its verbs. */
declare function useExpiry(): {
    readonly state: Readonly<ShallowRef<ExpiryState>>;
} & Omit<Expiry, "state" | "subscribe">;

/** A member of the session, and what sets it. */
declare function useMember<D extends object, K extends KeyOf<D> = KeyOf<D>>(key: K): {
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

export { sessionKey, provideSession, useSession, useSnapshot, useExpiry, useMember };
