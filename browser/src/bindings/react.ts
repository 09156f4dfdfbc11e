import { createElement, useCallback, useMemo, useSyncExternalStore, type ReactNode } from "react";
import type { KeyOf } from "../data.ts";
import { createExpiry, type Expiry, type ExpirySession, type ExpiryState } from "../expiry.ts";
import type { Session } from "../session.ts";
import { NOTHING, type Snapshot } from "../snapshot.ts";
import type { SojournTimeout } from "../timeout/element.ts";
import type { Messages } from "../timeout/messages.ts";
import { createMember, type Member, type MemberState } from "./member.ts";

/** What `subscribe` tells of, by `now`. What a server rendered, and the first render of it here, has `before`. */
const useStore = <T>(subscribe: (fn: () => void) => () => void, now: () => T, before: T): T =>
  useSyncExternalStore(subscribe, now, () => before);

/** How the session stands. On a server, and while what it rendered is taken over, nothing is known. */
export function useSnapshot(session: Pick<Session, "subscribe" | "snapshot">): Snapshot {
  return useStore(session.subscribe, () => session.snapshot, NOTHING);
}

/** The warning before the end: its state and its verbs. */
export function useExpiry(session: ExpirySession): ExpiryState & Omit<Expiry, "state" | "subscribe"> {
  const [expiry, before] = useMemo(() => {
    const made = createExpiry(session);
    return [made, made.state];
  }, [session]);
  const { subscribe, extend, end, dismiss } = expiry;
  return { ...useStore(subscribe, () => expiry.state, before), extend, end, dismiss };
}

/** A member of the session, what sets it, and all else: `const [cart, setCart] = useMember(session, "cart")`. */
export function useMember<D extends object, K extends KeyOf<D>>(
  session: Session<D>,
  key: K,
): [value: D[K] | undefined, set: Member<D[K]>["set"], more: MemberState<D[K]> & Pick<Member<D[K]>, "update" | "reload">] {
  const [member, before] = useMemo(() => {
    const made = createMember(session, key);
    return [made, made.state];
  }, [session, key]);
  const { subscribe, set, update, reload } = member;
  const state = useStore(subscribe, () => member.state, before);
  return [state.value, set, { ...state, update, reload }];
}

/** `<sojourn-timeout>` for a session. Import "@sojourn/browser/timeout" too: it brings the element. */
export function SessionTimeout(props: {
  session: ExpirySession;
  login?: string;
  lang?: string;
  messages?: Partial<Messages>;
}): ReactNode {
  const { session, messages, ...attributes } = props;
  // By hand: React before 19 sets no properties, and none does before the element is defined.
  const ref = useCallback(
    (element: SojournTimeout | null) => void (element && Object.assign(element, { session }, messages && { messages })),
    [session, messages],
  );
  return createElement("sojourn-timeout", { ...attributes, ref });
}
