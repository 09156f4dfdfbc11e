import { type Live, type LiveOptions } from "./live.js";
import { type Draft, type Reauth, type SessionFetch } from "./fetch.js";
import { type Parting, type onLeave, type guard } from "./leave.js";
import { type BoundStorage, type Storages, type StorageOptions } from "./storage.js";
import { createSession, type DataChange, type Device, type LiveState, type Message, type Options, type Scope, type Session, type SessionEvents, type Snapshot, type ActiveStatus, type EndedStatus, type NoStatus, type Reason, type Status, type Transport, type Changes, type DataVerbs, type KeyOf, type Json, type Tick, type Stop, type Channel, type Environment, type PageEvent, isSojournError, SojournError, type ErrorCode, type Problem, type WireCode } from "./index.js";

/** Sets everything up. Nothing is required. */
interface ConnectOptions extends Options {
    /** The live connection; false: none. */
    live?: LiveOptions | false;
    storage?: StorageOptions;
}

/** A session with all there is. */
interface ConnectedSession<D extends object = Record<string, Json>> extends Session<D> {
    readonly live: Live;
    readonly storage: Storages<Record<string, unknown>, Record<string, unknown>>;
    readonly fetch: SessionFetch;
    readonly XMLHttpRequest: typeof XMLHttpRequest;
    /** Sends a message to the application and gives its reply; see `Live`. */
    send(type: string, data?: unknown, id?: string): Promise<Json | undefined>;
    /** Whether the browser should ask before the page is left. */
    guard(on: boolean): void;
    onLeave(fn: () => Parting | undefined): Stop;
    /** Calls `fn` when what belongs to the session is to be forgotten. */
    onPurge(fn: (status: Status) => void): Stop;
}

/** Makes the session of a page, keeps watch over it, and connects it to the server for as long as it lives. */
declare function connect<D extends object = Record<string, Json>>(options?: ConnectOptions): ConnectedSession<D>;

export { type ConnectOptions, type ConnectedSession, connect, type Live, type LiveOptions, type Draft, type Reauth, type SessionFetch, type Parting, type BoundStorage, type Storages, type StorageOptions, createSession, type DataChange, type Device, type LiveState, type Message, type Options, type Scope, type Session, type SessionEvents, type Snapshot, type ActiveStatus, type EndedStatus, type NoStatus, type Reason, type Status, type Transport, type Changes, type DataVerbs, type KeyOf, type Json, type Tick, type Stop, type Channel, type Environment, type PageEvent, isSojournError, SojournError, type ErrorCode, type Problem, type WireCode };
