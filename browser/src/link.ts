import type { Emitter } from "./emitter.ts";
import type { Environment } from "./environment.ts";
import type { SojournError } from "./errors.ts";
import type { Answer, Question } from "./http.ts";
import type { SessionEvents } from "./session.ts";
import type { Status } from "./status.ts";

/** Where a session keeps its link: the same in every file of this package. */
export const LINK = Symbol.for("@sojourn/browser");

/** What only the parts of this package listen to. */
export interface InnerEvents {
  snapshot: undefined;
  /** The page has come to be about another session; `login`: by a login of its own. */
  handle: { to: string | undefined; from: string | undefined; login: boolean };
  close: undefined;
}

/**
 * What the parts of this package that are loaded apart need of a session. They
 * get it from here and not by import, so that each is one file without others.
 */
export interface Link {
  readonly env: Environment;
  readonly base: string;
  readonly Failure: typeof SojournError;
  readonly events: Emitter<SessionEvents & InnerEvents>;
  /** The session that the page is about. */
  handle(): string | undefined;
  status(): Status | undefined;
  /** Sends a request to the API; `about` replaces the page's own handle. */
  ask(method: string, path: string, question?: Question, about?: string): Promise<Answer>;
  /** Asks for the status; calls while one is under way share its answer. */
  check(): Promise<Status>;
  /** Tells of what failed in the background. */
  failed(error: unknown): void;
  /** Takes a status that the server has just told on its own. */
  tell(status: Status): void;
  /** A faster way than HTTP to report that the user was active so many ms ago; false if there is none. */
  active: ((msAgo: number) => boolean) | undefined;
}

/** Gives the link of a session. */
export function linkOf(session: object): Link {
  return (session as Record<symbol, Link>)[LINK] as Link;
}
