import type { SojournError } from "./errors.ts";
import type { Status } from "./status.ts";

/** How the session of the page stands at one moment. Never changed, only replaced. */
export interface Snapshot {
  /** `unknown` until the server was asked. */
  readonly state: "unknown" | Status["state"];
  /** What the server said last. Its durations count from then. */
  readonly status: Status | undefined;
  /**
   * False while only the server can know: time is up, or the machine slept. What
   * is private is hidden then; it is not a logout.
   */
  readonly confirmed: boolean;
  /** Whether the end is near and the user should be asked whether to stay. */
  readonly warning: boolean;
  /** Whole seconds that remain; counted while `warning`, else undefined. */
  readonly seconds: number | undefined;
  /** Whether `extend` can still move the end. */
  readonly extendable: boolean;
  /** Why the last attempt to ask or to extend failed; undefined once one has succeeded. */
  readonly error: SojournError | undefined;
}

/** Before the server was asked. */
export const NOTHING: Snapshot = {
  state: "unknown",
  status: undefined,
  confirmed: true,
  warning: false,
  seconds: undefined,
  extendable: false,
  error: undefined,
};

/** Gives `now` with changes; itself if nothing is different. */
export function changed(now: Snapshot, changes: Partial<Snapshot>): Snapshot {
  const next = { ...now, ...changes };
  return (Object.keys(next) as (keyof Snapshot)[]).every((key) => next[key] === now[key]) ? now : next;
}
