import type { Stop } from "./emitter.ts";
import type { Environment } from "./environment.ts";
import type { Status } from "./status.ts";

/** The server counts a report no more often than this, and no finer than a twentieth of the idle timeout. */
const STEP_MS = 15_000;

/** Watches the user and reports, now and then, how long ago they last did something. */
export interface Activity {
  /** Hears of an input. */
  input(): void;
  stop(): void;
  /** Keeps reports back: a prompt is open, and only its button may extend. */
  pause(): Stop;
}

/**
 * Makes an activity watch. The first input is reported at once and later ones
 * after a step; without input nothing is ever sent.
 */
export function createActivity(
  env: Environment,
  status: () => Status | undefined,
  report: (msAgo: number) => void,
): Activity {
  let last = { now: 0, wall: 0 };
  let fresh = false; // an input that was not reported
  let reported = -Infinity;
  let timer: unknown;
  let paused = 0;

  function plan(): void {
    env.clearTimeout(timer);
    timer = undefined;
    const session = status();
    if (!fresh || paused || session?.state !== "active" || !session.extendable) return;
    const { idleMs } = session;
    const wait = reported + Math.min(Math.max(STEP_MS, idleMs / 20), idleMs / 4) - env.now();
    if (wait > 0) {
      timer = env.setTimeout(plan, wait);
      return;
    }
    fresh = false;
    reported = env.now();
    // One clock stands still while the machine sleeps; the user has not been active then.
    report(Math.round(Math.max(reported - last.now, env.wall() - last.wall)));
  }

  return {
    input() {
      last = { now: env.now(), wall: env.wall() };
      fresh = !paused;
      if (timer === undefined) plan();
    },
    stop() {
      env.clearTimeout(timer);
      timer = undefined;
    },
    pause() {
      let held = 1;
      paused++;
      fresh = false;
      return () => {
        paused -= held;
        held = 0;
      };
    },
  };
}
