import { SojournError } from "./errors.ts";
import { isObject } from "./json.ts";

/** Why a session ended. Applications may have reasons of their own. */
export type Reason = "expired" | "revoked" | "logout" | "replaced" | "moved" | (string & {});

/** A living session. Durations are the server's, true when it answered. */
export interface ActiveStatus {
  readonly state: "active";
  /** Names this session and opens nothing: another `h` is another session. */
  readonly h: string;
  /** Names its user, in all their sessions; not there while nobody has logged in. */
  readonly u?: string;
  /** Counts the changes of the session's data. */
  readonly rev: number;
  /** Until the session ends if nothing happens. `countdown` gives a live value. */
  readonly expiresInMs: number;
  /** The idle timeout: how long a session lives without use. */
  readonly idleMs: number;
  /** Until the session ends whatever happens. */
  readonly absoluteInMs: number;
  /** How long before the end the user should be warned. */
  readonly warnMs: number;
  /** Whether `extend` can still move the end. */
  readonly extendable: boolean;
  /** Where live events go on from, if the server has them. */
  readonly cursor?: string;
  /** What a live connection can be made over, best first. */
  readonly transports?: readonly Transport[];
}

/** A way to make a live connection. */
export type Transport = "ws" | "sse" | "poll";

/** A session that has ended. */
export interface EndedStatus {
  readonly state: "ended";
  readonly h?: string;
  readonly reason?: Reason | undefined;
}

/** No session: none has begun, or it ended so long ago that nobody remembers why. */
export interface NoStatus {
  readonly state: "none";
}

/** Where a session stands. */
export type Status = ActiveStatus | EndedStatus | NoStatus;

/** Gives an object of the wire with its names in camel case. */
export function camel(wire: object): object {
  return Object.fromEntries(
    Object.entries(wire).map(([name, value]) => [name.replace(/_(.)/g, (_, c: string) => c.toUpperCase()), value]),
  );
}

/** Reads a status of the wire. */
export function toStatus(body: unknown): Status {
  if (isObject(body)) {
    const status = camel(body) as Status;
    if (status.state === "none" || status.state === "ended") return status;
    if (status.state === "active" && status.expiresInMs >= 0) return status;
  }
  throw new SojournError("protocol", "the answer is no status");
}
