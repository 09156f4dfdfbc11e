import type { Stop } from "./emitter.ts";
import { createFetch, type SessionFetch } from "./fetch.ts";
import type { Json } from "./json.ts";
import { guard, onLeave, type Parting } from "./leave.ts";
import { connectLive, type Live, type LiveOptions } from "./live.ts";
import { createSession, type Options, type Session } from "./session.ts";
import { createStorage, storageChannel, type Storages, type StorageOptions } from "./storage.ts";
import type { Status } from "./status.ts";
import { createXHR } from "./xhr.ts";

export * from "./index.ts";
export { connectLive, createFetch, createStorage, createXHR, guard, onLeave, storageChannel };
export type { Live, LiveOptions } from "./live.ts";
export type { Draft, Reauth, SessionFetch } from "./fetch.ts";
export type { Parting } from "./leave.ts";
export type { BoundStorage, Storages, StorageOptions } from "./storage.ts";

/** Sets everything up. Nothing is required. */
export interface ConnectOptions extends Options {
  /** The live connection; false: none. */
  live?: LiveOptions | false;
  storage?: StorageOptions;
}

/** A session with all there is. */
export interface ConnectedSession<D extends object = Record<string, Json>> extends Session<D> {
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
export function connect<D extends object = Record<string, Json>>(options: ConnectOptions = {}): ConnectedSession<D> {
  const plain = globalThis.document && !globalThis.BroadcastChannel;
  const session = createSession<D>({
    ...options,
    environment: { ...(plain ? { channel: storageChannel } : {}), ...options.environment },
  });
  const live = connectLive(session, options.live === false ? { transports: [] } : options.live);
  let unguard: Stop | undefined;
  return Object.assign(session, {
    live,
    storage: createStorage(session, options.storage),
    fetch: createFetch(session),
    XMLHttpRequest: globalThis.XMLHttpRequest && createXHR(session),
    send: live.send,
    guard(on: boolean) {
      unguard?.();
      unguard = on ? guard() : undefined;
    },
    onLeave: (fn: () => Parting | undefined) => onLeave(session, fn),
    onPurge: (fn: (status: Status) => void) => session.on("purge", fn),
  });
}
