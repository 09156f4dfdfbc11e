import { type Environment, type SojournError, type SessionEvents, type Status, type Stop } from "./index.js";

/**
 * Lets the tabs of this browser share one connection, for `connectLive`. Worth it
 * over HTTP/1.1 without WebSockets, where a browser has six connections for all of
 * them. Needs Web Locks; without these each tab has its own.
 *
 * The tab that holds a lock leads. A leader that was frozen holds the lock
 * and says nothing: then it is stolen, and the old leader follows when it wakes.
 */
declare const shareConnection: Sharing;

/** Makes one: `follow` gets what carries the frames of another tab, or undefined when this one is to connect. */
type Sharing = (link: Link, follow: (carrier: Carrier | undefined) => void) => Share | undefined;

/** Opens a connection that goes on from `cursor`. */
type Carrier = (link: Link, cursor: string, ears: Ears) => Line;

/** One of several tabs that share a connection. */
interface Share {
    start(): void;
    stop(): void;
    /** Passes a frame on to the tabs that follow. */
    pass(frame: Frame): void;
}

/**
 * What the parts of this package that are loaded apart need of a session. They
 * get it from here and not by import, so that each is one file without others.
 */
interface Link {
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

/** What a carrier calls, from its opening to one `closed`. */
interface Ears {
    frame(frame: Frame): void;
    /** A poll has been answered, with these events or none. */
    closed(code: number, waitMs?: number): void;
}

/** An open connection, whatever carries it. */
interface Line {
    /** Only a WebSocket can. */
    say?(frame: object): void;
    /** Closes it; `closed` is not called any more. */
    close(code?: number): void;
}

/** A message of the wire, see docs/protocol.md §8. */
interface Frame {
    readonly type: string;
    readonly id?: string;
    readonly cid?: string;
    readonly rev?: number;
    readonly data?: Readonly<Record<string, unknown>>;
}

/** What only the parts of this package listen to. */
interface InnerEvents {
    snapshot: undefined;
    /** The page has come to be about another session; `login`: by a login of its own. */
    handle: {
        to: string | undefined;
        from: string | undefined;
        login: boolean;
    };
    close: undefined;
}

/** Calls listeners by event name. `Events` maps a name to what is passed along. */
interface Emitter<Events extends object> {
    on<Name extends keyof Events>(name: Name, fn: (detail: Events[Name]) => void): Stop;
    emit<Name extends keyof Events>(name: Name, detail: Events[Name]): void;
}

/** What a request may carry. */
interface Question {
    /** JSON text. */
    body?: string;
    /** The media type of the body. Default application/json. */
    type?: string;
    /** Sent as If-Match: a revision of the data, or "*" for whatever is stored. */
    rev?: number | "*";
    /** The session that is meant; the server refuses if the cookie is another's. */
    handle?: string | undefined;
    /** Sent as Idempotency-Key. */
    key?: string;
    /** Whether the browser is to send it also when the page is gone. */
    keepalive?: boolean;
}

/** A good answer. */
interface Answer {
    /** The parsed JSON; undefined if there was no body. */
    readonly body: unknown;
    /** The revision of the data, if the answer told it. */
    readonly rev: number | undefined;
    /** The session that answered. */
    readonly handle: string | undefined;
}

export { shareConnection };
