import type { KeyOf } from "../data.ts";
import type { Stop } from "../emitter.ts";
import { createExpiry, type Expiry, type ExpirySession, type ExpiryState } from "../expiry.ts";
import type { Session } from "../session.ts";
import type { Snapshot } from "../snapshot.ts";
import { createMember, type Member, type MemberState } from "./member.ts";

/** What Svelte asks of a store, so that `$name` reads it: any version, and no import of it. */
export interface Store<T> {
  subscribe(run: (value: T) => void): Stop;
}

/** On a server a store tells its value and follows nothing. */
function store<T>(subscribe: (fn: () => void) => Stop, now: () => T): Store<T> {
  return {
    subscribe(run) {
      run(now());
      if (!globalThis.document) return () => {};
      let last = now();
      const look = () => {
        const next = now();
        if (next !== last) run((last = next));
      };
      const stop = subscribe(look);
      look(); // subscribing may have changed it
      return stop;
    },
  };
}

/** How the session stands: `const snapshot = snapshotStore(session)`, then `$snapshot.state`. */
export function snapshotStore(session: Pick<Session, "subscribe" | "snapshot">): Store<Snapshot> {
  return store(session.subscribe, () => session.snapshot);
}

/** The warning before the end: its state as a store, and its verbs. */
export function expiryStore(session: ExpirySession): Store<ExpiryState> & Omit<Expiry, "state" | "subscribe"> {
  const expiry = createExpiry(session);
  const { extend, end, dismiss } = expiry;
  return { ...store(expiry.subscribe, () => expiry.state), extend, end, dismiss };
}

/** A member of the session: `const cart = memberStore(session, "cart")`, then `$cart.value` and `cart.set(…)`. */
export function memberStore<D extends object, K extends KeyOf<D>>(
  session: Session<D>,
  key: K,
): Store<MemberState<D[K]>> & Pick<Member<D[K]>, "set" | "update" | "reload"> {
  const member = createMember(session, key);
  const { set, update, reload } = member;
  return { ...store(member.subscribe, () => member.state), set, update, reload };
}
