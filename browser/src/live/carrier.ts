import type { Link } from "../link.ts";

/** A message of the wire, see docs/protocol.md §8. */
export interface Frame {
  readonly type: string;
  readonly id?: string;
  readonly cid?: string;
  readonly rev?: number;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** What a carrier calls, from its opening to one `closed`. */
export interface Ears {
  frame(frame: Frame): void;
  /** A poll has been answered, with these events or none. */
  closed(code: number, waitMs?: number): void;
}

/** An open connection, whatever carries it. */
export interface Line {
  /** Only a WebSocket can. */
  say?(frame: object): void;
  /** Closes it; `closed` is not called any more. */
  close(code?: number): void;
}

/** Opens a connection that goes on from `cursor`. */
export type Carrier = (link: Link, cursor: string, ears: Ears) => Line;

/** One of several tabs that share a connection. */
export interface Share {
  start(): void;
  stop(): void;
  /** Passes a frame on to the tabs that follow. */
  pass(frame: Frame): void;
}

/** Makes one: `follow` gets what carries the frames of another tab, or undefined when this one is to connect. */
export type Sharing = (link: Link, follow: (carrier: Carrier | undefined) => void) => Share | undefined;

/** Close codes of docs/protocol.md. */
export const SILENT = 4000;
export const PROTOCOL = 4400;
export const ENDED = 4402;
/** What a browser reports of a connection that broke, or was refused. */
export const BROKEN = 1006;

/** What a refusal over HTTP stands for: a close code, and how long the server asks to wait. */
export function refusal({ status, headers }: Response): [code: number, waitMs?: number] {
  const seconds = parseFloat(headers.get("Retry-After") ?? "");
  const code = status === 401 ? ENDED : status === 403 || status === 429 ? 4000 + status : BROKEN;
  return seconds >= 0 ? [code, seconds * 1000] : [code];
}
