import type { Stop } from "./emitter.ts";
import type { Session } from "./session.ts";
import type { Reason } from "./status.ts";

/** What a warning needs of a session. */
export type ExpirySession = Pick<Session, "snapshot" | "subscribe" | "extend" | "end" | "pauseActivity">;

/** What is to be shown of the coming end. It never changes; a change is another object. */
export interface ExpiryState {
  /** `warning`: the end is near, ask the user. `ended`: the session that was shown is over. */
  readonly phase: "quiet" | "warning" | "ended";
  /**
   * True while what is private must not be seen: the session has ended, or only
   * the server can tell whether it has.
   */
  readonly masked: boolean;
  /** What remains, in whole seconds, while warning; else 0. Never negative. */
  readonly seconds: number;
  /** False when nothing can move the end any more: all a user can do is save their work. */
  readonly extendable: boolean;
  /** What is under way. */
  readonly busy: "extend" | "end" | undefined;
  /** Why the last `extend` or `end` failed. The warning stays. */
  readonly error: unknown;
  /** Why the session has ended. */
  readonly reason: Reason | undefined;
  /** The idle timeout, once known: what to tell users up front (WCAG 2.2 §2.2.6). */
  readonly idleMs: number | undefined;
}

/** The warning before the end of a session, without any looks. */
export interface Expiry {
  readonly state: ExpiryState;
  /** Calls `fn` after each change of `state`. Watch is kept while somebody listens. */
  subscribe(fn: () => void): Stop;
  /** Extends the session. Never rejects: `state.error` tells; the warning goes only once the server agreed. */
  extend(): Promise<void>;
  /** Ends the session. Never rejects, as `extend`. */
  end(): Promise<void>;
  /** Closes a warning that cannot be answered by extending; it is back at zero. */
  dismiss(): void;
}

const quiet: ExpiryState = {
  phase: "quiet",
  masked: false,
  seconds: 0,
  extendable: false,
  busy: undefined,
  error: undefined,
  reason: undefined,
  idleMs: undefined,
};

/**
 * Makes the warning of a session. Nothing but a status of the server takes it
 * back; while it stands, the user's input does not extend the session.
 *
 *     quiet ──the end is near──▶ warning ──a later end──▶ quiet
 *       └──────────┴───over──▶ ended ──another session──▶ quiet
 */
export function createExpiry(session: ExpirySession): Expiry {
  const listeners = new Set<() => void>();
  let state = quiet;
  let seen = false; // a living session: without one there is nothing to warn of
  let dismissed = false;
  let stop: Stop = () => {};
  let resume: Stop | undefined;

  function change(part: Partial<ExpiryState>): void {
    const next = { ...state, ...part };
    if ((Object.keys(next) as (keyof ExpiryState)[]).every((key) => Object.is(next[key], state[key]))) return;
    state = next;
    hold(state.phase === "warning");
    for (const fn of [...listeners]) fn();
  }

  function hold(on: boolean): void {
    if (on) resume ??= session.pauseActivity();
    else {
      resume?.();
      resume = undefined;
    }
  }

  function look(): void {
    const { status, confirmed, warning, seconds, extendable } = session.snapshot;
    if (status?.state !== "active") {
      if (seen && status) change({ ...quiet, phase: "ended", masked: true, reason: status.state === "ended" ? status.reason : undefined });
      return;
    }
    seen = true;
    dismissed &&= warning && confirmed;
    const near = warning && !dismissed;
    change({
      phase: near ? "warning" : "quiet",
      masked: !confirmed,
      seconds: near ? Math.max(0, seconds ?? 0) : 0,
      extendable,
      error: near ? state.error : undefined,
      reason: undefined,
      idleMs: status.idleMs,
    });
  }

  async function run(busy: "extend" | "end", verb: () => Promise<unknown>): Promise<void> {
    if (state.busy) return;
    change({ busy, error: undefined });
    let error: unknown;
    try {
      await verb();
    } catch (cause) {
      error = cause;
    }
    change({ busy: undefined, error: state.phase === "ended" ? undefined : error });
  }

  return {
    get state() {
      return state;
    },
    subscribe(fn) {
      const listener = () => fn(); // the same function may listen twice
      listeners.add(listener);
      if (listeners.size === 1) {
        stop = session.subscribe(look);
        look();
      }
      return () => {
        if (!listeners.delete(listener) || listeners.size) return;
        stop();
        hold(false);
      };
    },
    extend: () => run("extend", () => session.extend("user")),
    end: () => run("end", () => session.end()),
    dismiss() {
      dismissed = state.phase === "warning" && !state.extendable && !state.masked;
      if (dismissed) change({ phase: "quiet", seconds: 0, error: undefined });
    },
  };
}
