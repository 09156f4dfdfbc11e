import { createCountdown, type Tick } from "./countdown.ts";
import { createData, type DataVerbs } from "./data.ts";
import { createEmitter, type Stop } from "./emitter.ts";
import { browserEnvironment, type Environment } from "./environment.ts";
import { isSojournError, SojournError } from "./errors.ts";
import { createAsk, segment, type Answer, type Question } from "./http.ts";
import { isObject, toJson, type Json } from "./json.ts";
import { camel, toStatus, type EndedStatus, type NoStatus, type Reason, type Status } from "./status.ts";

/** Sets a session object up. Nothing is required. */
export interface Options {
  /** Where the server offers its API. Default "/_session/v1". Change it with webapi.Options.Prefix. */
  base?: string;
  /** How long to wait for an answer, in ms. Default 10 000. */
  timeoutMs?: number;
  /** Members to use in place of the browser's. For tests and unusual surroundings. */
  environment?: Partial<Environment>;
}

/** What can be listened to. */
export interface SessionEvents {
  /** The server told the status: by an answer to a verb, or when it was asked in the background. */
  status: Status;
  /** The session that was active has ended: by this page, another, the server, or time. */
  ended: EndedStatus | NoStatus;
  /** The status could not be asked for in the background. It will be tried again. */
  error: SojournError;
}

/** Which sessions to end: this one, all others of its user, or both. */
export type Scope = "this" | "others" | "all";

/** One session of the user: a browser they are logged in with. */
export interface Device {
  /** Names the session in `revoke`; equal to `h` of its status. */
  readonly id: string;
  /** Whether it is the session of this page. */
  readonly current: boolean;
  readonly label: string;
  readonly userAgent: string;
  readonly ip: string;
  readonly createdMsAgo: number;
  readonly lastSeenMsAgo: number;
  readonly expiresInMs: number;
  /** Whether it outlives the browser ("remember me"). */
  readonly persistent: boolean;
}

/**
 * The session of this page. Every verb rejects with a SojournError, and may be
 * taken off the object. `D` describes the members the server opens to pages.
 *
 * The page is about one session: once another has taken its place (a login in
 * another tab), verbs are refused with `session_changed` until `status`, which
 * is asked at once, tells of the new one. After a login of your own without a
 * page load, call `status` first.
 */
export interface Session<D extends object = Record<string, Json>> extends DataVerbs<D> {
  /** Asks how the session stands. Never extends it, and never rejects for the lack of one. */
  status(): Promise<Status>;
  /**
   * Extends the session: because its user asked to ("user"), or was active in
   * the page `activeMsAgo` ago ("activity").
   */
  extend(cause?: "user" | "activity", activeMsAgo?: number): Promise<Status>;
  /** Logs out. Once "this" or "all" has resolved, the session is gone for good. */
  end(options?: { scope?: Scope }): Promise<void>;
  /** Lists the user's sessions, the last seen first. */
  devices(): Promise<Device[]>;
  /** Ends one of the user's sessions. */
  revoke(id: string): Promise<void>;
  /**
   * Calls `fn` every `everyMs` (default 1000) with what remains, for as long as
   * the session lives, and whenever its status changes.
   */
  countdown(fn: (tick: Tick) => void, everyMs?: number): Stop;
  /** Calls `fn` at each event. Listening to `ended` keeps watch over the end. */
  on<Name extends keyof SessionEvents>(name: Name, fn: (detail: SessionEvents[Name]) => void): Stop;
}

/** Watching over the end takes no finer steps. */
const WATCH_MS = 60_000;

/**
 * Makes the session object of a page. It sends nothing and listens to nothing
 * until a verb is used. Types of `D` are taken on trust: the server's answers
 * are not checked against them.
 */
export function createSession<D extends object = Record<string, Json>>(options: Options = {}): Session<D> {
  const env: Environment = { ...browserEnvironment(), ...options.environment };
  const base = (options.base ?? "/_session/v1").replace(/\/+$/, "");
  const send = createAsk(env, base, options.timeoutMs ?? 10_000);
  const events = createEmitter<SessionEvents>(env.report);

  let current: Status | undefined;
  let handle: string | undefined; // of the session this page is about
  let sent = 0; // requests, in their order
  let newest = 0; // the request that `current` answers

  const moment = () => ({ now: env.now(), wall: env.wall() });

  /** Takes a status that request `turn` told, unless a later one has told another. */
  function accept(next: Status, turn: number, asked = moment()): void {
    if (turn < newest) return;
    newest = turn;
    const before = current;
    current = next;
    const owner = next.state === "active" ? next.h : undefined;
    if (owner !== handle) data.forget();
    handle = owner;
    clock.set(next, asked);
    events.emit("status", next);
    if (before?.state === "active" && next.state !== "active") events.emit("ended", next);
  }

  /** Sends a request; if `about` is a handle, only to that session. */
  async function ask(
    method: string,
    path: string,
    question?: Question,
    about = handle,
    turn = ++sent,
  ): Promise<Answer> {
    try {
      const answer = await send(method, path, { ...question, handle: about });
      handle ??= answer.handle;
      return answer;
    } catch (error) {
      if (isSojournError(error)) {
        const reason = error.problem?.["reason"] as Reason | undefined;
        if (error.code === "session_none") accept({ state: "none" }, turn);
        else if (error.code === "session_ended" && reason !== "moved") accept({ state: "ended", reason }, turn);
        // Another session, or a refusal in other words than Sojourn's: only the status tells.
        else if ((error.status === 401 || error.code === "session_changed") && path !== "/status") status().catch(failed);
      }
      throw error;
    }
  }

  async function askStatus(method: string, path: string, question?: Question, about = handle, again = true): Promise<Status> {
    const asked = moment();
    const turn = ++sent;
    const { body } = await ask(method, path, question, about, turn);
    const next = toStatus(body);
    // A login has overtaken this request: the cookie is a newer one by now.
    if (again && next.state === "ended" && next.reason === "moved") return askStatus(method, path, question, about, false);
    accept(next, turn, asked);
    return next;
  }

  /** Asks about whatever session the cookie now is. */
  const status = () => askStatus("GET", "/status", undefined, "");
  const failed = (error: unknown) => (isSojournError(error) ? events.emit("error", error) : env.report(error));

  const data = createData(ask);
  const clock = createCountdown(env, status, failed);

  return {
    ...(data as unknown as DataVerbs<D>),
    status,
    extend: async (cause = "user", activeMsAgo = 0) =>
      askStatus("POST", "/extend", { body: toJson({ cause, active_ms_ago: activeMsAgo }) }),
    async end({ scope = "this" } = {}) {
      const turn = ++sent;
      // Logging out must work whoever is logged in; logging others out must not.
      await ask("DELETE", "/", { body: toJson({ scope }) }, scope === "this" ? "" : handle, turn);
      if (scope !== "others") accept({ state: "ended", reason: "logout" }, turn);
    },
    async devices() {
      const { body } = await ask("GET", "/devices");
      const list = isObject(body) && body["devices"];
      if (!Array.isArray(list)) throw new SojournError("protocol", "the answer is not a list of devices");
      return list.map((device: object) => camel(device) as Device);
    },
    async revoke(id) {
      const turn = ++sent;
      const own = id === handle;
      await ask("DELETE", `/devices/${segment(id)}`, undefined, handle, turn);
      if (own) accept({ state: "ended", reason: "logout" }, turn);
    },
    countdown: clock.watch,
    on(name, fn) {
      const stop = events.on(name, fn);
      const unwatch = name === "ended" ? clock.watch(() => {}, WATCH_MS) : undefined;
      return () => {
        stop();
        unwatch?.();
      };
    },
  };
}
