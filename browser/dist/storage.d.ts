import { type Session, type Channel } from "./index.js";

/** Storage that ends with the session. Nothing in it throws. */
interface BoundStorage<S extends object = Record<string, unknown>> {
    /** Gives what this session stored; undefined until the server has said which session it is. */
    get<K extends keyof S & string>(key: K): S[K] | undefined;
    /** Stores a value as JSON. False if the browser keeps it for this page only: storage is full, or forbidden. */
    set<K extends keyof S & string>(key: K, value: S[K]): boolean;
    delete(key: keyof S & string): void;
    keys(): string[];
}

/** Shapes storage. Nothing is required. */
interface StorageOptions {
    /** What all keys begin with. Default "sojourn". */
    name?: string;
    /** How long a value is kept at most, in ms. Default: as long as the session can live. */
    ttlMs?: number;
}

/** The storages of a page. */
interface Storages<L extends object, S extends object> {
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

/** Makes the storages of a session, and takes away what other sessions have left behind. */
declare function createStorage<L extends object = Record<string, unknown>, S extends object = Record<string, unknown>>(session: Pick<Session<object>, "on">, { name, ttlMs }?: StorageOptions): Storages<L, S>;

/**
 * Tells other tabs by changes of localStorage, where there is no BroadcastChannel:
 * `createSession({ environment: { channel: storageChannel } })`.
 */
declare function storageChannel(name: string, fn: (text: string) => void): Channel;

export { type BoundStorage, type StorageOptions, type Storages, createStorage, storageChannel };
