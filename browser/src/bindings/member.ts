import type { KeyOf } from "../data.ts";
import type { Stop } from "../emitter.ts";
import type { Session } from "../session.ts";

/** A member of the session as a page shows it. Never changed, only replaced. */
export interface MemberState<T> {
  /** Undefined while it is not set, or not known yet. */
  readonly value: T | undefined;
  /** Whether it was read. */
  readonly ready: boolean;
  /** Why the last reading or writing failed; undefined once one has succeeded. */
  readonly error: unknown;
}

/** Keeps one member in view. */
export interface Member<T> {
  readonly state: MemberState<T>;
  subscribe(fn: () => void): Stop;
  /** Shows the value at once, and what was there before if the server refuses it. */
  set(value: T): Promise<void>;
  /** As the session's `update`. */
  update(fn: (value: T | undefined) => T | undefined): Promise<void>;
  reload(): Promise<void>;
}

const UNKNOWN = { value: undefined, ready: false, error: undefined };

/**
 * Makes the view of a member: read when somebody first listens, and again when
 * another session has taken over, or the live connection tells of a change.
 */
export function createMember<D extends object, K extends KeyOf<D>>(session: Session<D>, key: K): Member<D[K]> {
  type T = D[K];
  const listeners = new Set<() => void>();
  let state: MemberState<T> = UNKNOWN;
  let turn = 0; // readings and writings; a late answer to an older one is dropped
  let about: string | undefined;
  let stops: Stop[] = [];

  function show(next: Partial<MemberState<T>>): void {
    state = { ...state, ...next };
    for (const fn of [...listeners]) fn();
  }

  async function take(ask: () => Promise<T | undefined>, before?: MemberState<T>): Promise<void> {
    const mine = ++turn;
    try {
      const value = await ask();
      if (mine === turn) show({ value, ready: true, error: undefined });
    } catch (error) {
      if (mine === turn) show({ ...before, error });
      if (before) throw error;
    }
  }

  const reload = () => take(() => session.get(key));

  function start(): Stop[] {
    return [
      session.on("status", (status) => {
        const owner = status.state === "active" ? status.h : undefined;
        if (owner === about) return;
        about = owner;
        turn++;
        show(UNKNOWN);
        if (owner) void reload();
      }),
      session.on("data", ({ keys, values, deleted }) => {
        if (!keys.includes(key)) return;
        if (Object.hasOwn(values, key) || deleted.includes(key)) void take(() => Promise.resolve(values[key] as T | undefined));
        else void reload();
      }),
      session.on("reset", () => void reload()),
    ];
  }

  return {
    get state() {
      return state;
    },
    subscribe(fn) {
      const listener = () => fn();
      listeners.add(listener);
      if (listeners.size === 1) {
        stops = start();
        void reload();
      }
      return () => {
        if (!listeners.delete(listener) || listeners.size) return;
        for (const stop of stops) stop();
        turn++;
      };
    },
    set(value) {
      const before = state;
      show({ value, ready: true });
      return take(() => session.set(key, value).then(() => value), before);
    },
    update: (fn) => take(() => session.update(key, fn), state),
    reload,
  };
}
