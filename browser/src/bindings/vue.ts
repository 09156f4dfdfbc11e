import { getCurrentInstance, onMounted, onScopeDispose, shallowRef, type ShallowRef } from "vue";
import type { KeyOf } from "../data.ts";
import type { Stop } from "../emitter.ts";
import { createExpiry, type Expiry, type ExpirySession, type ExpiryState } from "../expiry.ts";
import type { Session } from "../session.ts";
import { NOTHING, type Snapshot } from "../snapshot.ts";
import { createMember, type Member, type MemberState } from "./member.ts";

/** Follows a source from when the component is mounted, so never on a server, until it goes. */
function follow<T>(subscribe: (fn: () => void) => Stop, now: () => T, before: T): Readonly<ShallowRef<T>> {
  const ref = shallowRef(before);
  let stop: Stop | undefined;
  const look = () => {
    ref.value = now();
  };
  const start = () => {
    stop = subscribe(look);
    look();
  };
  if (getCurrentInstance()) onMounted(start);
  else start();
  onScopeDispose(() => stop?.(), true);
  return ref;
}

/** How the session stands. Until the component is mounted nothing is known. */
export function useSnapshot(session: Pick<Session, "subscribe" | "snapshot">): Readonly<ShallowRef<Snapshot>> {
  return follow(session.subscribe, () => session.snapshot, NOTHING);
}

/** The warning before the end: its state and its verbs. */
export function useExpiry(session: ExpirySession): { readonly state: Readonly<ShallowRef<ExpiryState>> } & Omit<Expiry, "state" | "subscribe"> {
  const expiry = createExpiry(session);
  const { subscribe, extend, end, dismiss } = expiry;
  return { state: follow(subscribe, () => expiry.state, expiry.state), extend, end, dismiss };
}

/** A member of the session, and what sets it: `const cart = useMember(session, "cart")`. */
export function useMember<D extends object, K extends KeyOf<D>>(
  session: Session<D>,
  key: K,
): { readonly state: Readonly<ShallowRef<MemberState<D[K]>>> } & Pick<Member<D[K]>, "set" | "update" | "reload"> {
  const member = createMember(session, key);
  const { subscribe, set, update, reload } = member;
  return { state: follow(subscribe, () => member.state, member.state), set, update, reload };
}
