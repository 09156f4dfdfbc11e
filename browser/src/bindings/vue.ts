import { getCurrentInstance, inject, onMounted, onScopeDispose, provide, shallowRef, type InjectionKey, type ShallowRef } from "vue";
import type { KeyOf } from "../data.ts";
import type { Stop } from "../emitter.ts";
import { createExpiry, type Expiry, type ExpiryState } from "../expiry.ts";
import type { Json } from "../json.ts";
import type { Session } from "../session.ts";
import { NOTHING, type Snapshot } from "../snapshot.ts";
import { createMember, type Member, type MemberState } from "./member.ts";

/** Under this an application provides its session: `app.provide(sessionKey, session)`. */
export const sessionKey: InjectionKey<Session> = Symbol("sojourn");

/** Gives a session to the components below this one. */
export function provideSession(session: Session<never> | Session): void {
  provide(sessionKey, session as Session);
}

/** Gives the session that was provided, for its verbs. */
export function useSession<D extends object = Record<string, Json>>(): Session<D> {
  const session = inject(sessionKey, undefined);
  if (!session) throw new Error("useSession: no session was provided");
  return session as unknown as Session<D>;
}

/** Follows a source from when the component is mounted, so never on a server, until it goes. */
function follow<T>(subscribe: (fn: () => void) => Stop, now: () => T, before: T): Readonly<ShallowRef<T>> {
  const ref = shallowRef(before);
  let stop: Stop = () => {};
  const start = () => {
    stop = subscribe(() => (ref.value = now()));
    ref.value = now();
  };
  if (getCurrentInstance()) onMounted(start);
  else start();
  onScopeDispose(() => stop(), true);
  return ref;
}

/** How the session stands. */
export function useSnapshot(): Readonly<ShallowRef<Snapshot>> {
  const session = useSession();
  return follow(session.subscribe, () => session.snapshot, NOTHING);
}

/** The warning before the end: its state and its verbs. */
export function useExpiry(): { readonly state: Readonly<ShallowRef<ExpiryState>> } & Omit<Expiry, "state" | "subscribe"> {
  const expiry = createExpiry(useSession());
  const { extend, end, dismiss } = expiry;
  return { state: follow(expiry.subscribe, () => expiry.state, expiry.state), extend, end, dismiss };
}

/** A member of the session, and what sets it. */
export function useMember<D extends object, K extends KeyOf<D> = KeyOf<D>>(
  key: K,
): { readonly state: Readonly<ShallowRef<MemberState<D[K]>>> } & Pick<Member<D[K]>, "set" | "update" | "reload"> {
  const member = createMember<D, K>(useSession<D>(), key);
  const { set, update, reload } = member;
  return { state: follow(member.subscribe, () => member.state, member.state), set, update, reload };
}
