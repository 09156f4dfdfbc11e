/**
 * Makes the session object of a page. It sends nothing and listens to nothing
 * until a verb is used. Types of `D` are taken on trust: the server's answers
 * are not checked against them.
 */
declare function createSession<D extends object = Record<string, Json>>(options?: Options): Session<D>;

/** Members that were changed. */
interface DataChange {
    readonly rev: number;
    readonly keys: readonly string[];
    /** The new values of those that are short enough to be sent along. */
    readonly values: {
        readonly [key: string]: Json;
    };
    /** Those that are gone. */
    readonly deleted: readonly string[];
}

/** One session of the user: a browser they are logged in with. */
interface Device {
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

/** How the live connection stands. */
interface LiveState {
    /** `off`: not wanted or not offered; `lost`: for more than 3 s. */
    readonly state: "off" | "connecting" | "open" | "lost";
    /** The one that was used last; `shared`: through another tab. */
    readonly transport: Transport | "shared" | undefined;
}

/** What an application said, see `Publish` of the server's package live. */
interface Message {
    /** Begins with "app.". */
    readonly type: string;
    readonly data: Json | undefined;
}

/** Sets a session object up. Nothing is required. */
interface Options {
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

/** Which sessions to end: this one, all others of its user, or both. */
type Scope = "this" | "others" | "all";

/**
 * The session of this page. Every verb rejects with a SojournError, and may be
 * taken off the object. `D` describes the members the server opens to pages.
 *
 * The page is about one session: once another has taken its place (a login in
 * another tab), verbs are refused with `session_changed` until `status`, which
 * is asked at once, tells of the new one.
 */
interface Session<D extends object = Record<string, Json>> extends DataVerbs<D> {
    /** Asks how the session stands. Never extends it, and never rejects for the lack of one. */
    status(): Promise<Status>;
    /**
     * Extends the session: because its user asked to ("user"), or was active in
     * the page `activeMsAgo` ago ("activity").
     */
    extend(cause?: "user" | "activity", activeMsAgo?: number): Promise<Status>;
    /** Logs out. Once "this" or "all" has resolved, the session is gone for good. */
    end(options?: {
        scope?: Scope;
    }): Promise<void>;
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
}

/** What can be listened to. */
interface SessionEvents {
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

/** How the session of the page stands at one moment. Never changed, only replaced. */
interface Snapshot {
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

/** A living session. Durations are the server's, true when it answered. */
interface ActiveStatus {
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

/** A session that has ended. */
interface EndedStatus {
    readonly state: "ended";
    readonly h?: string;
    readonly reason?: Reason | undefined;
}

/** No session: none has begun, or it ended so long ago that nobody remembers why. */
interface NoStatus {
    readonly state: "none";
}

/** Why a session ended. Applications may have reasons of their own. */
type Reason = "expired" | "revoked" | "logout" | "replaced" | "moved" | (string & {});

/** Where a session stands. */
type Status = ActiveStatus | EndedStatus | NoStatus;

/** A way to make a live connection. */
type Transport = "ws" | "sse" | "poll";

/** Several changes at once: null deletes a member, any other value replaces it whole. */
type Changes<D> = {
    readonly [K in KeyOf<D>]?: D[K] | null;
};

/** The verbs for the members of a session that the server opens to its page. */
interface DataVerbs<D extends object> {
    /** Reads all members that the page may see. */
    data(): Promise<Partial<D>>;
    /** Reads one member; undefined if it is not set. */
    get<K extends KeyOf<D>>(key: K): Promise<D[K] | undefined>;
    /**
     * Sets a member. If this page has read it before and it has changed since, the
     * write is refused (`rev_conflict`): read it again, or use `update`. A member
     * that was never read is replaced, whatever it was.
     */
    set<K extends KeyOf<D>>(key: K, value: D[K]): Promise<void>;
    /**
     * Sets a member to what `fn` makes of it, and gives what was stored. If another
     * writer comes between, `fn` runs again on the newer value, so it must do
     * nothing else. If it gives undefined, nothing is written.
     */
    update<K extends KeyOf<D>>(key: K, fn: (value: D[K] | undefined) => D[K] | undefined): Promise<D[K] | undefined>;
    /** Makes several changes, or none of them. Refused like `set`. */
    patch(changes: Changes<D>): Promise<void>;
    /** Deletes a member. Refused like `set`. */
    delete(key: KeyOf<D>): Promise<void>;
}

/** The names of members: strings, as in JSON. */
type KeyOf<D> = keyof D & string;

/** What JSON can say. */
type Json = null | boolean | number | string | readonly Json[] | {
    readonly [name: string]: Json;
};

/** What a countdown shows at one moment. */
interface Tick {
    /** Until the session ends if nothing happens; 0 when it has, never negative. */
    readonly remainingMs: number;
    /** `remainingMs` in whole seconds, rounded up, for people. */
    readonly seconds: number;
    /**
     * False while only the server can know: the count has reached zero, or the
     * machine slept. Hide what is private then, but do not call it a logout.
     */
    readonly confirmed: boolean;
    /** Whether the end is so near that the user should be asked. */
    readonly warning: boolean;
    /** The last status the server gave. */
    readonly status: Status;
}

/** Stops what the call that returned it began. Calling it again does nothing. */
type Stop = () => void;

/** A way to say something to the other tabs. */
interface Channel {
    post(text: string): void;
    close(): void;
}

/**
 * Everything the SDK takes from its surroundings. The default is the browser's;
 * pass your own members to test, or to run elsewhere.
 */
interface Environment {
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

/**
 * What can happen to a page. `seen`: it came into view or online; `woke`: it was
 * frozen, or restored by the back button; `hidden`; `gone`: it was left or frozen
 * and may never come back; `input`: of the user's own hand, never of a script's.
 */
type PageEvent = "seen" | "woke" | "hidden" | "gone" | "input";

/** Tells whether `error` is a SojournError, and of `code` if one is given. */
declare function isSojournError(error: unknown, code?: ErrorCode): error is SojournError;

/** The one error that every verb rejects with. */
declare class SojournError extends Error {
    readonly name = "SojournError";
    readonly code: ErrorCode;
    /** The HTTP status; 0 when there was no answer. */
    readonly status: number;
    /** The revision of the data, where the answer told it (`rev_conflict`, `no_member`). */
    readonly rev: number | undefined;
    /** How long the server asked to wait before trying again. */
    readonly retryAfterMs: number | undefined;
    /** The server's own words, if the answer was Sojourn's. */
    readonly problem: Problem | undefined;
    constructor(code: ErrorCode, message: string, { cause, ...facts }?: ErrorFacts);
    /**
     * Whether the same call may well succeed later: an outage on the way or at the
     * server. It is never a reason to treat a session as ended.
     */
    get temporary(): boolean;
}

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
type ErrorCode = WireCode | "network" | "timeout" | "protocol" | "invalid_argument" | "refused" | "rejected";

/** The document of a refusal (RFC 9457), as the server sent it. */
interface Problem {
    readonly code: WireCode;
    readonly type?: string;
    readonly title?: string;
    readonly status?: number;
    readonly detail?: string;
    readonly [member: string]: unknown;
}

/** A way to fail that the server names. docs/protocol.md explains each. */
type WireCode = "malformed_json" | "invalid_request" | "session_none" | "session_ended" | "csrf_header_missing" | "cross_site" | "csrf_token_invalid" | "step_up_required" | "session_limit" | "rate_limited" | "not_readable" | "not_writable" | "not_found" | "no_member" | "no_device" | "method_not_allowed" | "absolute_limit" | "session_changed" | "rev_conflict" | "body_too_large" | "session_too_large" | "unsupported_media_type" | "precondition_required" | "headers_too_large" | "internal" | "unsupported" | "store_unavailable" | "message_rejected" | "too_many_connections" | "server_busy";

/** What a SojournError knows besides its code and text. */
interface ErrorFacts {
    cause?: unknown;
    status?: number;
    rev?: number | undefined;
    retryAfterMs?: number | undefined;
    problem?: Problem | undefined;
}

export { createSession, type DataChange, type Device, type LiveState, type Message, type Options, type Scope, type Session, type SessionEvents, type Snapshot, type ActiveStatus, type EndedStatus, type NoStatus, type Reason, type Status, type Transport, type Changes, type DataVerbs, type KeyOf, type Json, type Tick, type Stop, type Channel, type Environment, type PageEvent, isSojournError, SojournError, type ErrorCode, type Problem, type WireCode };
