/** A way to fail that the server names. docs/protocol.md explains each. */
export type WireCode =
  | "malformed_json"
  | "invalid_request"
  | "session_none"
  | "session_ended"
  | "csrf_header_missing"
  | "cross_site"
  | "csrf_token_invalid"
  | "step_up_required"
  | "session_limit"
  | "rate_limited"
  | "not_readable"
  | "not_writable"
  | "not_found"
  | "no_member"
  | "no_device"
  | "method_not_allowed"
  | "absolute_limit"
  | "session_changed"
  | "rev_conflict"
  | "body_too_large"
  | "session_too_large"
  | "unsupported_media_type"
  | "precondition_required"
  | "headers_too_large"
  | "internal"
  | "unsupported"
  | "store_unavailable"
  | "message_rejected"
  | "too_many_connections"
  | "server_busy";

/**
 * What went wrong, in one word a program can act on: what the server names, or
 *
 * - `network`: no answer. A write may still have happened.
 * - `timeout`: no answer in time. A write may still have happened.
 * - `protocol`: an answer that is not Sojourn's, such as the error or login page
 *   of a proxy. It says nothing about the session.
 * - `invalid_argument`: what was passed cannot be sent; nothing was.
 * - `refused`: the server wants no live connection with this page.
 * - `rejected`: the application took a message and refused it.
 *
 * A newer server may name more.
 */
export type ErrorCode = WireCode | "network" | "timeout" | "protocol" | "invalid_argument" | "refused" | "rejected";

/** The document of a refusal (RFC 9457), as the server sent it. */
export interface Problem {
  readonly code: WireCode;
  readonly type?: string;
  readonly title?: string;
  readonly status?: number;
  readonly detail?: string;
  readonly [member: string]: unknown;
}

/** What a SojournError knows besides its code and text. */
export interface ErrorFacts {
  cause?: unknown;
  status?: number;
  rev?: number | undefined;
  retryAfterMs?: number | undefined;
  problem?: Problem | undefined;
}

/** The one error that every verb rejects with. */
export class SojournError extends Error {
  override readonly name = "SojournError";
  declare readonly code: ErrorCode;
  /** The HTTP status; 0 when there was no answer. */
  declare readonly status: number;
  /** The revision of the data, where the answer told it (`rev_conflict`, `no_member`). */
  declare readonly rev: number | undefined;
  /** How long the server asked to wait before trying again. */
  declare readonly retryAfterMs: number | undefined;
  /** The server's own words, if the answer was Sojourn's. */
  declare readonly problem: Problem | undefined;

  constructor(code: ErrorCode, message: string, { cause, ...facts }: ErrorFacts = {}) {
    super(message, { cause });
    Object.assign(this, { code, status: 0, ...facts });
  }

  /**
   * Whether the same call may well succeed later: an outage on the way or at the
   * server. It is never a reason to treat a session as ended.
   */
  get temporary(): boolean {
    const { code, status } = this;
    return code === "network" || code === "timeout" || status === 429 || (status >= 500 && status !== 501);
  }
}

/** Tells whether `error` is a SojournError, and of `code` if one is given. */
export function isSojournError(error: unknown, code?: ErrorCode): error is SojournError {
  return error instanceof SojournError && (!code || error.code === code);
}
