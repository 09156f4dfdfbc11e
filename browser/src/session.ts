import { createActivity } from "./activity.ts";
import { createCountdown, type Tick } from "./countdown.ts";
import { createData, type DataVerbs } from "./data.ts";
import { createEmitter, type Stop } from "./emitter.ts";
import { browserEnvironment, type Environment } from "./environment.ts";
import { isSojournError, SojournError } from "./errors.ts";
import { createAsk, segment, type Answer, type Question } from "./http.ts";
import { isObject, toJson, type Json } from "./json.ts";
import { LINK, type InnerEvents, type Link } from "./link.ts";
import { createTabs } from "./tabs.ts";
import { changed, NOTHING, type Snapshot } from "./snapshot.ts";
import { camel, toStatus, type EndedStatus, type NoStatus, type Reason, type Status, type Transport } from "./status.ts";

/** Sets a session object up. Nothing is required. */
export interface Options {
  /** Where the server offers its API. Default "/_session/v1". Change it with webapi.Options.Prefix. */
  base?: string;
  /** How long to wait for an answer, in ms. Default 10 000. */
  timeoutMs?: number;
  /**
   * Where to go when the session has ended, with no way back to this page: an
   * address of this site, or what makes one of the reason. Default: nowhere, listen
   * to `ended`. Without it the page stays on the screen until your code has
   * changed it.
   */
  leaveTo?: string | ((status: EndedStatus | NoStatus) => string);
  /**
   * Whether to hide the page while it only may still have a session: after its
   * time is up, sleep, or the back button, until the server has spoken. Default
   * true.
   */
  mask?: boolean;
  /** Whether the user's input extends the session, in steps. Default true. */
  activity?: boolean;
  /** Members to use in place of the browser's. For tests and unusual surroundings. */
  environment?: Partial<Environment>;
}

/** What can be listened to. */
export interface SessionEvents {
  /** The server told the status: by an answer to a verb, or when it was asked in the background. */
  status: Status;
  /** The end is near. Told once, at least 20 s before, unless sessions are shorter than 40 s. */
  warning: Snapshot;
  /** The session that was active has ended: by this page, another, the server, or time. */
  ended: EndedStatus | NoStatus;
  /** What belongs to the session is to be forgotten: it has ended, or another one has taken its place. */
  purge: Status;
  /** The status could not be asked for in the background. It will be tried again. */
  error: SojournError;
  /** An application's message came. Needs the live connection. */
  message: Message;
  /** Members were changed, by whomever. Needs the live connection. */
  data: DataChange;
  /** Messages or changes may have been missed: read again what matters. Needs the live connection. */
  reset: Status;
  /** The live connection came, went, or goes another way. */
  live: LiveState;
}

/** What an application said, see `Publish` of the server's package live. */
export interface Message {
  /** Begins with "app.". */
  readonly type: string;
  readonly data: Json | undefined;
}

/** Members that were changed. */
export interface DataChange {
  readonly rev: number;
  readonly keys: readonly string[];
  /** The new values of those that are short enough to be sent along. */
  readonly values: { readonly [key: string]: Json };
  /** Those that are gone. */
  readonly deleted: readonly string[];
}

/** How the live connection stands. */
export interface LiveState {
  /** `off`: not wanted or not offered; `lost`: for more than 3 s. */
  readonly state: "off" | "connecting" | "open" | "lost";
  /** The one that was used last; `shared`: through another tab. */
  readonly transport: Transport | "shared" | undefined;
}

/** Which sessions to end: this one, all others of its user, or both. */
export type Scope = "this" | "others" | "all";

/** One session of the user: a browser they are logged in with. */
export interface Device {
  /** Names the session in `revoke`; equal to `h` of its status. */
  readonly id: string;
  /** Whether it is the session of this page. */
  readonly current: boolean;
  /** What the user called it. */
  readonly label: string;
  /** What the server makes of `userAgent`, as in "Firefox on Linux". */
  readonly name: string;
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
 * is asked at once, tells of the new one.
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
  /**
   * Runs your own login request and then is about the session that it gave. Tell
   * the SDK of logins by this, so that what was kept before comes along.
   */
  login<T>(request: () => T | Promise<T>): Promise<T>;
  /** Lists the user's sessions, the last seen first. */
  devices(): Promise<Device[]>;
  /** Ends one of the user's sessions. */
  revoke(id: string): Promise<void>;
  /**
   * Calls `fn` at least every `everyMs` (default 1000) with what remains, for as long as
   * the session lives, and whenever its status changes.
   */
  countdown(fn: (tick: Tick) => void, everyMs?: number): Stop;
  /** How the session stands now. The same object until something in it changes. */
  readonly snapshot: Snapshot;
  /** Calls `fn` whenever `snapshot` is another one, and keeps watch. Fits React's useSyncExternalStore. */
  subscribe(fn: () => void): Stop;
  /** Keeps the user's input from extending the session: a prompt is open that asks about it. */
  pauseActivity(): Stop;
  /** Calls `fn` at each event. Listening to `ended` keeps watch over the end. */
  on<Name extends keyof SessionEvents>(name: Name, fn: (detail: SessionEvents[Name]) => void): Stop;
  /** Stops everything that runs in the background. The session itself lives on. */
  close(): void;
  /** @internal */
  readonly [LINK]: Link;
}

/** Between looks at the clocks while nothing is near. */
const WATCH_MS = 15_000;

/** Listening to these keeps watch. */
const WATCHED: readonly string[] = ["ended", "warning", "purge"];

/**
 * Makes the session object of a page. It sends nothing and listens to nothing
 * until a verb is used. Types of `D` are taken on trust: the server's answers
 * are not checked against them.
 */
export function createSession<D extends object = Record<string, Json>>(options: Options = {}): Session<D> {
  const env: Environment = { ...browserEnvironment(), ...options.environment };
  const base = (options.base ?? "/_session/v1").replace(/\/+$/, "");
  const transmit = createAsk(env, base, options.timeoutMs ?? 10_000);
  const { leaveTo } = options;
  const events = createEmitter<SessionEvents & InnerEvents>(env.report);

  let current: Status | undefined;
  let handle: string | undefined; // of the session this page is about
  let sent = 0; // requests, in their order
  let newest = 0; // the request that `current` answers
  let logins = 0; // under way
  let checking: Promise<Status> | undefined;
  let snapshot = NOTHING;
  let masked = false;

  const moment = () => ({ now: env.now(), wall: env.wall() });

  function show(changes: Partial<Snapshot>): void {
    const before = snapshot;
    snapshot = changed(before, changes);
    if (snapshot === before) return;
    events.emit("snapshot", undefined);
    if (snapshot.warning && !before.warning) events.emit("warning", snapshot);
  }

  function belong(next: string | undefined): void {
    const from = handle;
    handle = next;
    if (from !== next) events.emit("handle", { to: next, from, login: logins > 0 });
  }

  /** Takes a status that request `turn` told, unless a later one has told another. */
  function accept(next: Status, turn: number, asked = moment()): void {
    if (turn < newest) return;
    newest = turn;
    const before = current;
    const active = next.state === "active";
    const over = before?.state === "active" && !active;
    const owner = active ? next.h : undefined;
    const strange = handle && owner !== handle && !logins;
    current = next;
    if (owner !== handle) data.forget();
    belong(owner);
    show({ state: next.state, status: next, extendable: active && next.extendable, error: undefined });
    clock.set(next, asked);
    if (!active) show({ confirmed: true, warning: false, seconds: undefined });
    events.emit("status", next);
    if (strange) events.emit("purge", next);
    if (!over) return;
    events.emit("ended", next);
    mask(!!leaveTo);
    if (leaveTo) env.leave(typeof leaveTo === "string" ? leaveTo : leaveTo(next));
  }

  /** Sends a request; if `about` is a handle, only to that session. */
  async function ask(method: string, path: string, question?: Question, about = handle, turn = ++sent): Promise<Answer> {
    try {
      const answer = await transmit(method, path, { ...question, handle: about });
      if (!handle && answer.handle && !current) belong(answer.handle);
      return answer;
    } catch (error) {
      if (isSojournError(error)) {
        const reason = error.problem?.["reason"] as Reason | undefined;
        if (error.code === "session_none") accept({ state: "none" }, turn);
        else if (error.code === "session_ended" && reason !== "moved") accept({ state: "ended", reason }, turn);
        // Another session, or a refusal in other words than Sojourn's: only the status tells.
        else if ((error.status === 401 || error.code === "session_changed") && path !== "/status") check().catch(failed);
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
  const check = () => (checking ??= status().finally(() => (checking = undefined)));
  const failed = (error: unknown) => {
    if (!isSojournError(error)) return env.report(error);
    show({ error });
    events.emit("error", error);
  };

  async function extend(cause: "user" | "activity" = "user", activeMsAgo = 0): Promise<Status> {
    try {
      const next = await askStatus("POST", "/extend", { body: toJson({ cause, active_ms_ago: activeMsAgo }) });
      tabs.tell(cause === "user");
      return next;
    } catch (error) {
      if (isSojournError(error)) show({ error });
      throw error;
    }
  }

  /** After a verb has ended this very session. */
  function over(turn: number): void {
    tabs.tell(true);
    accept({ state: "ended", reason: "logout" }, turn);
  }

  function tick({ confirmed, warning, seconds, status }: Tick): void {
    if (status.state !== "active") return;
    show({ confirmed, warning, seconds: warning ? seconds : undefined });
    mask(!confirmed);
  }

  const data = createData(ask);
  const clock = createCountdown(env, status, failed, tick, begin);
  const activity = createActivity(env, () => current, (msAgo) => {
    if (!link.active?.(msAgo)) extend("activity", msAgo).catch(failed);
  });
  const tabs = createTabs(env, `sojourn ${base}`, clock.hint);
  const mask = (on: boolean) => {
    if (on !== masked && options.mask !== false) env.mask((masked = on));
  };

  /** Follows what happens to the page, as long as somebody watches. */
  function begin(): Stop {
    tabs.join();
    const deaf = env.onPage((what) => {
      if (what === "input") {
        if (options.activity !== false) activity.input();
      } else if (what === "gone") {
        tabs.part();
        // So that the back button never shows what may be somebody else's by then.
        mask(masked || current?.state === "active");
      } else if (what !== "hidden") {
        tabs.join();
        clock.wake(what === "woke");
      }
    });
    return () => {
      deaf();
      tabs.part();
      activity.stop();
    };
  }

  /** Keeps the snapshot true until `stop` is called. */
  const keepWatch = (stop: Stop) => {
    const unwatch = clock.watch(() => {}, WATCH_MS, 1000);
    return () => (stop(), unwatch());
  };

  const link: Link = {
    env,
    base,
    Failure: SojournError,
    events,
    handle: () => handle,
    status: () => current,
    ask,
    check,
    failed,
    tell: (next) => accept(next, ++sent),
    active: undefined,
  };

  return {
    ...(data as unknown as DataVerbs<D>),
    [LINK]: link,
    status,
    extend,
    async end({ scope = "this" } = {}) {
      const turn = ++sent;
      // Logging out must work whoever is logged in; logging others out must not.
      await ask("DELETE", "/", { body: toJson({ scope }) }, scope === "this" ? "" : handle, turn);
      if (scope !== "others") over(turn);
    },
    async login(request) {
      logins++;
      try {
        const result = await request();
        await status();
        tabs.tell(true);
        return result;
      } finally {
        logins--;
      }
    },
    async devices() {
      const { body } = await ask("GET", "/devices");
      const list = isObject(body) && body["devices"];
      if (!Array.isArray(list)) throw new SojournError("protocol", "the answer is no list of devices");
      return list.map((device: object) => camel(device) as Device);
    },
    async revoke(id) {
      const turn = ++sent;
      const own = id === handle;
      await ask("DELETE", `/devices/${segment(id)}`, undefined, handle, turn);
      if (own) over(turn);
    },
    countdown: clock.watch,
    get snapshot() {
      return snapshot;
    },
    subscribe: (fn) => keepWatch(events.on("snapshot", fn)),
    pauseActivity: activity.pause,
    on(name, fn) {
      const stop = events.on(name, fn);
      return WATCHED.includes(name) ? keepWatch(stop) : stop;
    },
    close() {
      clock.stop();
      events.emit("close", undefined);
    },
  };
}
