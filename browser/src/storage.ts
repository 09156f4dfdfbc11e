import type { Stop } from "./emitter.ts";
import type { Channel } from "./environment.ts";
import { isObject, randomId } from "./json.ts";
import { linkOf } from "./link.ts";
import type { Session } from "./session.ts";

/** Storage that ends with the session. Nothing in it throws. */
export interface BoundStorage<S extends object = Record<string, unknown>> {
  /** Gives what this session stored; undefined until the server has said which session it is. */
  get<K extends keyof S & string>(key: K): S[K] | undefined;
  /** Stores a value as JSON. False if the browser keeps it for this page only: storage is full, or forbidden. */
  set<K extends keyof S & string>(key: K, value: S[K]): boolean;
  delete(key: keyof S & string): void;
  keys(): string[];
}

/** Shapes storage. Nothing is required. */
export interface StorageOptions {
  /** What all keys begin with. Default "sojourn". */
  name?: string;
  /** How long a value is kept at most, in ms. Default: as long as the session can live. */
  ttlMs?: number;
}

/** The storages of a page. */
export interface Storages<L extends object, S extends object> {
  /** Shared by the tabs of this browser. */
  readonly local: BoundStorage<L>;
  /** This tab's own. */
  readonly session: BoundStorage<S>;
  /** Names this tab; stays over reloads, and is never that of another tab. */
  readonly tab: string;
  /**
   * Lets the next session take over what this one has stored, for a login that
   * loads another page: call it as the form is sent. Good for five minutes.
   */
  carry(): void;
  close(): void;
}

/** A value, whose it is ("": nobody's yet), and until when. */
interface Entry {
  h: string;
  e: number | null;
  v: unknown;
}

const CARRY_MS = 300_000;

/** Makes the storages of a session, and takes away what other sessions have left behind. */
export function createStorage<L extends object = Record<string, unknown>, S extends object = Record<string, unknown>>(
  session: Pick<Session<object>, "on">,
  { name = "sojourn", ttlMs = Infinity }: StorageOptions = {},
): Storages<L, S> {
  const link = linkOf(session);
  const { env, events } = link;
  const stores = [open("local"), open("session")] as const;
  const [local, own] = stores;
  const carried = `${name}~carry`;
  const named = `${name}~tab`;

  // A copy of this tab is made while the name is not there, so it takes another.
  const tab = own.read(named) ?? randomId(env);
  own.remove(named);
  const stops: Stop[] = [
    events.on("handle", ({ from, login }) => sweep(login ? (from ?? "") : undefined)),
    session.on("status", () => sweep()),
    events.on("close", close),
    env.onPage((what) => {
      if (what === "gone") own.write(named, tab);
      if (what === "woke") own.remove(named);
    }),
  ];
  if (link.status()) sweep();

  /** Keeps what is this session's, adopts what was stored before it or by `heir`'s predecessor, drops the rest. */
  function sweep(predecessor?: string): void {
    const handle = link.handle();
    const tags = new Set([handle ?? ""]);
    if (handle) {
      tags.add("").add(predecessor ?? "");
      const [tag, until] = (own.read(carried) ?? "").split(" ");
      if (tag && env.wall() < Number(until)) tags.add(tag);
      own.remove(carried);
    }
    for (const store of stores) {
      for (const key of store.keys(`${name}:`)) {
        const entry = parse(store.read(key));
        if (!entry || !tags.has(entry.h) || (entry.e && entry.e < env.wall())) store.remove(key);
        else if (entry.h !== (handle ?? "")) store.write(key, JSON.stringify({ ...entry, h: handle ?? "" }));
      }
    }
  }

  function bound<T extends object>(store: typeof local): BoundStorage<T> {
    const path = (key: string) => `${name}:${key}`;
    const mine = (key: string): Entry | undefined => {
      const entry = link.status() && parse(store.read(key));
      return entry && entry.h === (link.handle() ?? "") && !(entry.e && entry.e < env.wall()) ? entry : undefined;
    };
    return {
      get: (key) => mine(path(key))?.v as undefined,
      set(key, v) {
        const status = link.status();
        const left = Math.min(ttlMs, status?.state === "active" ? status.absoluteInMs : Infinity);
        const entry: Entry = { h: link.handle() ?? "", e: left < Infinity ? env.wall() + left : null, v };
        return store.write(path(key), JSON.stringify(entry));
      },
      delete: (key) => store.remove(path(key)),
      keys: () => store.keys(`${name}:`).filter(mine).map((key) => key.slice(name.length + 1)),
    };
  }

  function close(): void {
    for (const stop of stops.splice(0)) stop();
  }

  return {
    local: bound(local),
    session: bound(own),
    tab,
    carry: () => void own.write(carried, `${link.handle() ?? ""} ${env.wall() + CARRY_MS}`),
    close,
  };
}

function parse(text: string | undefined): Entry | undefined {
  try {
    const entry: unknown = JSON.parse(text ?? "");
    return isObject(entry) && typeof entry["h"] === "string" ? (entry as unknown as Entry) : undefined;
  } catch {
    return undefined;
  }
}

/** A storage of the browser that never throws: what it does not take is kept in memory. */
function open(kind: "local" | "session") {
  const memory = new Map<string, string>();
  const real = <T>(use: (storage: Storage) => T): T | undefined => {
    try {
      return use(kind === "local" ? localStorage : sessionStorage); // getting it may throw, too
    } catch {
      return undefined;
    }
  };
  const remove = (key: string): void => {
    memory.delete(key);
    real((storage) => storage.removeItem(key));
  };
  return {
    remove,
    read: (key: string) => memory.get(key) ?? real((storage) => storage.getItem(key)) ?? undefined,
    write(key: string, text: string): boolean {
      remove(key);
      const kept = !!real((storage) => (storage.setItem(key, text), true));
      if (!kept) memory.set(key, text);
      return kept;
    },
    keys: (prefix: string) =>
      [...new Set([...memory.keys(), ...(real((storage) => Object.keys(storage)) ?? [])])].filter((key) => key.startsWith(prefix)),
  };
}

/**
 * Tells other tabs by changes of localStorage, where there is no BroadcastChannel:
 * `createSession({ environment: { channel: storageChannel } })`.
 */
export function storageChannel(name: string, fn: (text: string) => void): Channel {
  const heard = ({ key, newValue }: StorageEvent) => {
    if (key === name && newValue) fn(newValue.slice(newValue.indexOf(" ") + 1));
  };
  addEventListener("storage", heard);
  const { write, remove } = open("local");
  return {
    post(text) {
      write(name, `${Math.random()} ${text}`); // the number makes it a change
      remove(name);
    },
    close: () => removeEventListener("storage", heard),
  };
}
