import type { Stop } from "./emitter.ts";

/**
 * Everything the SDK takes from its surroundings. The default is the browser's;
 * pass your own members to test, or to run elsewhere.
 */
export interface Environment {
  fetch(input: string, init: RequestInit): Promise<Response>;
  /** A clock that never jumps, in ms (`performance.now`). All durations are measured by it. */
  now(): number;
  /**
   * The wall clock, in ms (`Date.now`). Never used to measure: when it and `now`
   * disagree, the machine may have slept, and the server is asked.
   */
  wall(): number;
  setTimeout(fn: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** Gives a number in [0, 1), to spread retries. */
  random(): number;
  /** Tells whether nobody can see the page now. */
  hidden(): boolean;
  /**
   * Calls `fn` when the page may have missed something: it became visible, came
   * online, or, with `slept` true, was frozen or restored by the back button.
   */
  onWake(fn: (slept: boolean) => void): Stop;
  /** Takes what a listener threw. */
  report(error: unknown): void;
}

/** Gives the browser's environment. Touches no global until a member is called. */
export function browserEnvironment(): Environment {
  return {
    fetch: (input, init) => fetch(input, init),
    now: () => performance.now(),
    wall: () => Date.now(),
    setTimeout: (fn, ms) => setTimeout(fn, ms),
    clearTimeout: (timer) => clearTimeout(timer as number),
    random: () => Math.random(),
    hidden: () => globalThis.document?.visibilityState === "hidden",
    onWake(fn) {
      const page = globalThis.document;
      if (!page) return () => {};
      const listening = new AbortController();
      const { signal } = listening;
      const seen = () => page.visibilityState === "visible" && fn(false);
      page.addEventListener("visibilitychange", seen, { signal });
      page.addEventListener("resume", () => fn(true), { signal });
      addEventListener("online", () => fn(false), { signal });
      addEventListener("pageshow", (event) => event.persisted && fn(true), { signal });
      return () => listening.abort();
    },
    report: (error) =>
      queueMicrotask(() => {
        throw error;
      }),
  };
}
