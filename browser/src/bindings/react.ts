import { createContext, createElement, useCallback, useContext, useMemo, useSyncExternalStore, type ReactNode } from "react";
import type { KeyOf } from "../data.ts";
import { createExpiry, type Expiry, type ExpiryState } from "../expiry.ts";
import type { Json } from "../json.ts";
import type { Session } from "../session.ts";
import { NOTHING, type Snapshot } from "../snapshot.ts";
import type { SojournTimeout } from "../timeout/element.ts";
import type { Messages } from "../timeout/messages.ts";
import { createMember, type Member, type MemberState } from "./member.ts";

const Context = createContext<unknown>(undefined);

/** Gives a session to the components within. Make it once, outside of them. */
export function SessionProvider({ session, children }: { session: Session<never> | Session; children?: ReactNode }): ReactNode {
  return createElement(Context.Provider, { value: session }, children);
}

/** Gives the session around, for its verbs. It never changes, so this renders nothing again. */
export function useSession<D extends object = Record<string, Json>>(): Session<D> {
  const session = useContext(Context);
  if (!session) throw new Error("useSession: there is no SessionProvider around this component");
  return session as Session<D>;
}

/** How the session stands. On a server, and in the first render of what it rendered, nothing is known. */
export function useSnapshot(): Snapshot {
  const session = useSession();
  return useSyncExternalStore(session.subscribe, () => session.snapshot, () => NOTHING);
}

/** The warning before the end: its state and its verbs. */
export function useExpiry(): ExpiryState & Omit<Expiry, "state" | "subscribe"> {
  const session = useSession();
  const expiry = useMemo(() => createExpiry(session), [session]);
  const initial = useMemo(() => expiry.state, [expiry]);
  const state = useSyncExternalStore(expiry.subscribe, () => expiry.state, () => initial);
  return { ...state, extend: expiry.extend, end: expiry.end, dismiss: expiry.dismiss };
}

/** A member of the session, and what sets it: `const [cart, setCart] = useMember<Members, "cart">("cart")`. */
export function useMember<D extends object, K extends KeyOf<D> = KeyOf<D>>(
  key: K,
): [value: D[K] | undefined, set: (value: D[K]) => Promise<void>, more: MemberState<D[K]> & Pick<Member<D[K]>, "update" | "reload">] {
  const session = useSession<D>();
  const member = useMemo(() => createMember(session, key), [session, key]);
  const initial = useMemo(() => member.state, [member]);
  const state = useSyncExternalStore(member.subscribe, () => member.state, () => initial);
  return [state.value, member.set, { ...state, update: member.update, reload: member.reload }];
}

/** `<sojourn-timeout>` for the session around. Import "@sojourn/browser/timeout" too: it brings the element. */
export function SessionTimeout({ messages, ...attributes }: { login?: string; lang?: string; messages?: Partial<Messages> }): ReactNode {
  const session = useSession();
  // Properties by hand: React before 19 sets attributes only, and so does any before the element is defined.
  const ref = useCallback(
    (element: SojournTimeout | null) => {
      if (element) Object.assign(element, { session }, messages && { messages });
    },
    [session, messages],
  );
  return createElement("sojourn-timeout", { ...attributes, ref });
}
