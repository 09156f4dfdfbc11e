import { type Stop, type Session } from "./index.js";

/** One member that two have changed: from `base` to `mine` here, and to `theirs` by somebody else. Undefined: not set. */
interface Conflict {
    readonly key: string;
    readonly base: unknown;
    readonly mine: unknown;
    readonly theirs: unknown;
}

/** Shapes a mirror. Nothing is required. */
interface MirrorOptions {
    /**
     * Gives what is to be stored, or undefined to let the other one win. It may be
     * called several times. Default: the other one wins, and `set` is refused.
     */
    merge?(conflict: Conflict): unknown;
}

/** The members of a session, here at once and at the server as soon as that can be. */
interface Mirror<D extends object> {
    /** All members the page may see, with the changes under way. The same object until something in it changes. */
    readonly data: Partial<D>;
    /** Whether changes are under way. */
    readonly pending: boolean;
    /** Calls `fn` whenever `data` or `pending` is another. */
    subscribe(fn: () => void): Stop;
    /** Sets a member, or with undefined deletes it. Shown at once, and taken back if it is refused. */
    set<K extends keyof D & string>(key: K, value: D[K] | undefined): Promise<void>;
    /** Reads everything anew. */
    load(): Promise<void>;
    close(): void;
}

/** Makes a mirror. It reads at once, follows the live connection, and keeps changes in memory while the server cannot be reached. */
declare function createMirror<D extends object>(session: Pick<Session<D>, "on" | "data">, { merge }?: MirrorOptions): Mirror<D>;

export { type Conflict, type MirrorOptions, type Mirror, createMirror };
