import type { Stop } from "./emitter.ts";
import type { Environment } from "./environment.ts";
import { SojournError } from "./errors.ts";
import type { Status } from "./status.ts";

/** What a countdown shows at one moment. */
export interface Tick {
  /** Until the session ends if nothing happens; 0 when it has, never negative. */
  readonly remainingMs: number;
  /** `remainingMs` in whole seconds, rounded up, for people. */
  readonly seconds: number;
  /**
   * False while only the server can know: the count has reached zero, or the
   * machine slept. Hide what is private then, but do not call it a logout.
   */
  readonly confirmed: boolean;
  /** Whether the end is so near that the user should be asked. */
  readonly warning: boolean;
  /** The last status the server gave. */
  readonly status: Status;
}

/** When a status was asked for, by both clocks. */
export interface Moment {
  readonly now: number;
  readonly wall: number;
}

/** Counts down between one status of the server and the next. */
export interface Countdown {
  /** Calls `fn` now, if a status is known, and then at least every `everyMs`; every `nearMs` while the end is near. */
  watch(fn: (tick: Tick) => void, everyMs?: number, nearMs?: number): Stop;
  /** Forgets all watchers. */
  stop(): void;
  /** Counts on from `status`, which was asked for at `asked` and has just come. */
  set(status: Status, asked: Moment): void;
  /**
   * Hears that the status may have changed. Asks at once if that matters now;
   * else, and unless `urgent`, not before it does: a warning is due, or the page
   * comes into view.
   */
  hint(urgent: boolean): void;
  /** Hears that the page may have missed something; `frozen`: that it did not run for a while. */
  wake(frozen: boolean): void;
}

/** A late timer means no more than a busy page up to this. */
const LATE_MS = 5_000;
/** Clocks that drift apart by more have been set, or one stood still. */
const DRIFT_MS = 2_000;
/** Between two questions of our own to the server. */
const CALM_MS = 1_000;
/** Between two that a page merely coming into view may cause. */
const GLANCE_MS = 5_000;
const BACKOFF_MAX_MS = 30_000;
/** Longer timers are split: browsers fire those beyond 2^31 ms at once. */
const TIMER_MAX_MS = 3_600_000;

/**
 * Makes a countdown. It runs while somebody watches, from `begin` to what that
 * gave, and asks `check` for a new status (to be handed to `set`) at zero, after
 * sleep, and when the page wakes. `show` gets every tick before the watchers do.
 *
 *     counting ──zero, slept──▶ unconfirmed ──set──▶ counting | over
 *                                  │   ▲
 *                                  └───┘ check failed: again, later each time
 */
export function createCountdown(
  env: Environment,
  check: () => Promise<unknown>,
  failed: (error: unknown) => void,
  show: (tick: Tick) => void,
  begin: () => Stop,
): Countdown {
  const watchers = new Set<{ fn: (tick: Tick) => void; everyMs: number; nearMs: number }>();
  let status: Status | undefined;
  let asked: Moment = { now: -Infinity, wall: 0 }; // when status was
  let end = 0; // by env.now
  let sleptAt = -Infinity; // a status asked for earlier proves nothing
  let timer: unknown;
  let due = 0; // when the timer should fire
  let finish: Stop;
  let checking = false;
  let again = false; // a hint came while checking
  let hintedAt = -Infinity; // a status asked for earlier may be old
  let failures = 0;
  let lastCheck = -Infinity;
  let nextCheck = -Infinity;

  const slept = () => asked.now < sleptAt;
  const stale = () => asked.now < hintedAt;
  const drift = () => env.wall() - asked.wall - (env.now() - asked.now);
  /** After a sleep the wall clock knows better: `now` stood still. */
  const remaining = () =>
    status?.state === "active" ? Math.max(0, end - env.now() - (slept() ? Math.max(0, drift()) : 0)) : 0;
  const nearEnd = () => status?.state === "active" && remaining() <= status.warnMs;
  const unsure = () => !status || (status.state === "active" && (slept() || remaining() === 0));

  function call(fn: (tick: Tick) => void): void {
    if (!status) return;
    const remainingMs = remaining();
    try {
      const confirmed = !unsure();
      fn({ remainingMs, seconds: Math.ceil(remainingMs / 1000), confirmed, warning: nearEnd() && !stale(), status });
    } catch (error) {
      env.report(error);
    }
  }

  function showAll(): void {
    call(show);
    for (const { fn } of [...watchers]) call(fn);
    schedule();
  }

  async function ask(): Promise<void> {
    if (checking) return;
    checking = true;
    again = false;
    lastCheck = env.now();
    nextCheck = lastCheck + CALM_MS;
    try {
      await check();
      failures = 0;
    } catch (error) {
      const backoff = env.random() * Math.min(BACKOFF_MAX_MS, CALM_MS * 2 ** ++failures);
      const wait = (error instanceof SojournError && error.retryAfterMs) || 0;
      nextCheck = env.now() + Math.max(CALM_MS, backoff, wait);
      failed(error);
    }
    checking = false;
    if (failures) hintedAt = -Infinity; // better a needless warning than none
    if (failures) showAll();
    else if (again) await ask();
    else schedule();
  }

  function schedule(): void {
    env.clearTimeout(timer);
    timer = undefined;
    const over = status && status.state !== "active";
    if (!watchers.size || over || (checking && unsure())) return;
    const now = env.now();
    let delay = Math.max(0, nextCheck - now);
    if (!unsure()) {
      // Steps are counted from the end, so that a display changes with the second.
      const steps = [...watchers].map((w) => (nearEnd() ? w.nearMs : w.everyMs));
      const step = Math.min(TIMER_MAX_MS, ...steps);
      const untilWarning = status?.state === "active" ? remaining() - status.warnMs : 0;
      delay = Math.ceil(remaining() % step) || step; // browsers cut fractions off, and would be early
      if (untilWarning > 0) delay = Math.min(delay, Math.ceil(untilWarning));
    }
    due = now + delay;
    timer = env.setTimeout(tick, delay);
  }

  function tick(): void {
    const now = env.now();
    findSleep();
    // Timers of hidden pages are throttled, so that being late says nothing.
    const late = timer !== undefined && now - due > LATE_MS && !env.hidden();
    if ((late || unsure() || (stale() && nearEnd())) && now >= nextCheck) void ask();
    showAll();
  }

  /** `now` stands still while most machines sleep, and `wall` does not. */
  function findSleep(): void {
    if (status && !slept() && Math.abs(drift()) > DRIFT_MS) sleptAt = env.now();
  }

  function pause(): void {
    if (!watchers.size) finish?.();
    schedule();
  }

  return {
    watch(fn, everyMs = 1000, nearMs = everyMs) {
      const watcher = { fn, everyMs: Math.max(10, everyMs), nearMs };
      if (!watchers.size) finish = begin();
      watchers.add(watcher);
      findSleep();
      call(show);
      call(fn);
      if (!status) void ask();
      schedule();
      return () => {
        if (watchers.delete(watcher)) pause();
      };
    },
    stop() {
      watchers.clear();
      pause();
    },
    set(next, at) {
      const now = env.now();
      status = next;
      asked = at;
      // The server measured at some moment under way; half way is the best guess.
      if (next.state === "active") end = now + next.expiresInMs - (now - at.now) / 2;
      showAll();
    },
    wake(frozen) {
      findSleep();
      if (frozen) sleptAt = env.now();
      if (env.now() - lastCheck >= (slept() || stale() ? 0 : GLANCE_MS)) void ask();
      tick();
    },
    hint(urgent) {
      hintedAt = env.now();
      if (urgent || !env.hidden() || nearEnd()) {
        again = true;
        void ask();
      }
    },
  };
}
