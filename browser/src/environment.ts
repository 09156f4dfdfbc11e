import type { Stop } from "./emitter.ts";

/**
 * Everything the SDK takes from its surroundings. The default is the browser's;
 * pass your own members to test, or to run elsewhere.
 */
export interface Environment {
  fetch(input: string | Request, init?: RequestInit): Promise<Response>;
  /** A clock that never jumps, in ms (`performance.now`). All durations are measured by it. */
  now(): number;
  /**
   * The wall clock, in ms (`Date.now`). Never used to measure: when it and `now`
   * disagree, the machine may have slept, and the server is asked.
   */
  wall(): number;
  setTimeout(fn: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** Gives a signal that comes after `ms`. */
  timeout(ms: number): AbortSignal;
  /** Gives a number in [0, 1), to spread retries. */
  random(): number;
  /** Tells whether nobody can see the page now. */
  hidden(): boolean;
  /** Calls `fn` with what happens to the page. */
  onPage(fn: (what: PageEvent) => void): Stop;
  /** Joins the tabs of this origin: `fn` takes what others post under the same name. */
  channel(name: string, fn: (text: string) => void): Channel;
  /** Hides everything on the page, or shows it again. */
  mask(on: boolean): void;
  /** Goes to another page, with no way back to this one. */
  leave(url: string): void;
  /** Takes what a listener threw. */
  report(error: unknown): void;
}

/** A way to say something to the other tabs. */
export interface Channel {
  post(text: string): void;
  close(): void;
}

/**
 * What can happen to a page. `seen`: it came into view or online; `woke`: it was
 * frozen, or restored by the back button; `hidden`; `gone`: it was left or frozen
 * and may never come back; `input`: of the user's own hand, never of a script's.
 */
export type PageEvent = "seen" | "woke" | "hidden" | "gone" | "input";

/** Scrolling is no input, as pages do it too. */
const PAGE_EVENTS: Record<string, PageEvent> = {
  visibilitychange: "seen",
  online: "seen",
  resume: "woke",
  pageshow: "woke",
  pagehide: "gone",
  freeze: "gone",
  pointerdown: "input",
  keydown: "input",
  touchstart: "input",
  wheel: "input",
};

/** Gives the browser's environment. Needs no global until a member is called. */
export function browserEnvironment(): Environment {
  const { fetch } = globalThis; // as it is now: a page may put another in its place, that uses this
  return {
    fetch: (input, init) => fetch(input, init),
    now: () => performance.now(),
    wall: () => Date.now(),
    setTimeout: (fn, ms) => setTimeout(fn, ms),
    clearTimeout: (timer) => clearTimeout(timer as number),
    timeout: (ms) => AbortSignal.timeout(ms),
    random: () => Math.random(),
    hidden: () => !!globalThis.document?.hidden,
    onPage(fn) {
      const page = globalThis.document;
      if (!page) return () => {};
      const listening = new AbortController();
      const heard = (event: Event): void => {
        const { type } = event;
        if (!event.isTrusted || (type === "pageshow" && !(event as PageTransitionEvent).persisted)) return;
        fn(type === "visibilitychange" && page.hidden ? "hidden" : (PAGE_EVENTS[type] as PageEvent));
      };
      for (const type in PAGE_EVENTS) addEventListener(type, heard, { capture: true, passive: true, signal: listening.signal });
      return () => listening.abort();
    },
    channel(name, fn) {
      const channel = globalThis.BroadcastChannel && new BroadcastChannel(name);
      if (channel) channel.onmessage = (event) => fn(event.data as string);
      return { post: (text) => channel?.postMessage(text), close: () => channel?.close() };
    },
    mask(on) {
      const style = globalThis.document?.documentElement.style;
      if (!style) return;
      style.visibility = on ? "hidden" : ""; // children may override it
      style.opacity = on ? "0" : ""; // open dialogs are not subject to it
    },
    leave: (url) => location.replace(url),
    report: (error) =>
      queueMicrotask(() => {
        throw error;
      }),
  };
}
