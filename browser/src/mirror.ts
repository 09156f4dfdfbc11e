import type { Stop } from "./emitter.ts";
import { isObject } from "./json.ts";
import { linkOf } from "./link.ts";
import type { DataChange, Session } from "./session.ts";

/** One member that two have changed: from `base` to `mine` here, and to `theirs` by somebody else. Undefined: not set. */
export interface Conflict {
  readonly key: string;
  readonly base: unknown;
  readonly mine: unknown;
  readonly theirs: unknown;
}

/** Shapes a mirror. Nothing is required. */
export interface MirrorOptions {
  /**
   * Gives what is to be stored, or undefined to let the other one win. It may be
   * called several times. Default: the other one wins, and `set` is refused.
   */
  merge?(conflict: Conflict): unknown;
}

/** The members of a session, here at once and at the server as soon as that can be. */
export interface Mirror<D extends object> {
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

/** A change under way. */
interface Change {
  readonly key: string;
  value: unknown;
  base: unknown;
  /** On its way: a later one does not join it. */
  sent: boolean;
  readonly settle: { resolve(): void; reject(error: unknown): void }[];
}

/** How often a change is sent while others come between. */
const TRIES = 16;

/** Makes a mirror. It reads at once, follows the live connection, and keeps changes in memory while the server cannot be reached. */
export function createMirror<D extends object>(session: Pick<Session<D>, "on" | "data">, { merge }: MirrorOptions = {}): Mirror<D> {
  const { env, events, ask, failed, Failure } = linkOf(session);
  let rev = -1;
  let stored: Record<string, unknown> = {};
  let queue: Change[] = [];
  let sending = false;
  let closed = false;
  let view: Record<string, unknown> = {};
  let losses = 0;
  let era = 0; // sessions so far
  let timer: unknown;
  const listeners = new Set<() => void>();

  function show(): void {
    const next = { ...stored };
    for (const { key, value } of queue) {
      if (value === undefined) delete next[key];
      else next[key] = value;
    }
    view = next;
    for (const fn of [...listeners]) fn();
  }

  function take(next: unknown, at: number | undefined): void {
    if (!isObject(next) || at === undefined || at < rev) return;
    stored = next;
    rev = at;
    show();
  }

  async function load(): Promise<void> {
    const { body, rev: at } = await ask("GET", "/data");
    take(isObject(body) && body["data"], at);
  }

  const reload = () => void load().catch(failed);

  /** Lets the changes to be sent go out from what is stored by now; what cannot is refused with `error`. */
  function rebase(error: unknown): void {
    const now = new Map(Object.entries(stored)); // and what the changes before make of it
    queue = queue.filter((change) => {
      const theirs = now.get(change.key);
      now.set(change.key, change.value);
      if (same(theirs, change.base)) return true;
      const mine = merge?.({ key: change.key, base: change.base, mine: change.value, theirs });
      now.set(change.key, mine === undefined ? theirs : mine);
      if (mine === undefined) {
        change.settle.forEach(({ reject }) => reject(error));
        return false;
      }
      change.value = mine;
      change.base = theirs;
      return true;
    });
  }

  /** Sends what is queued, all that came meanwhile together, until nothing is left. */
  async function send(): Promise<void> {
    if (sending || closed) return;
    sending = true;
    env.clearTimeout(timer);
    let clash: unknown = new Failure("rev_conflict", "somebody else has changed it");
    for (let tries = 0; queue.length && !closed; ) {
      let batch: Change[] = [];
      try {
        if (rev < 0) await load();
        rebase(clash);
        batch = queue;
        if (!batch.length) break;
        const changes = Object.fromEntries(batch.map(({ key, value }) => [key, value ?? null]));
        for (const change of batch) change.sent = true;
        const now = era;
        const answer = await ask("PATCH", "/data", { body: JSON.stringify(changes), type: "application/merge-patch+json", rev });
        if (now !== era) continue;
        queue = queue.filter((change) => !batch.includes(change));
        const next = { ...stored };
        for (const { key, value } of batch) {
          if (value === undefined) delete next[key];
          else next[key] = value;
        }
        take(next, answer.rev);
        for (const { settle } of batch) settle.forEach(({ resolve }) => resolve());
        tries = losses = 0;
      } catch (error) {
        for (const change of batch) change.sent = false;
        clash = error;
        if (!(error instanceof Failure) || error.code !== "rev_conflict" || ++tries > TRIES) {
          if (error instanceof Failure && error.temporary) {
            timer = env.setTimeout(() => void send(), env.random() * Math.min(30_000, 1000 * 2 ** losses++));
            break;
          }
          queue = queue.filter((change) => !batch.includes(change));
          for (const { settle } of batch) settle.forEach(({ reject }) => reject(error));
        } else take(error.problem?.["data"], error.rev);
      }
      show();
    }
    sending = false;
    show();
  }

  const stops: Stop[] = [
    session.on("data", ({ rev: at, keys, values, deleted }: DataChange) => {
      if (at <= rev) return;
      if (rev < 0 || keys.some((key) => !(key in values) && !deleted.includes(key))) return reload();
      const next = { ...stored, ...values };
      for (const key of deleted) delete next[key];
      take(next, at);
    }),
    session.on("reset", reload),
    session.on("purge", (status) => {
      const dropped = queue;
      queue = [];
      stored = {};
      rev = -1;
      era++;
      show();
      const error = new Failure(status.state === "active" ? "session_changed" : "session_ended", "the session is over");
      for (const { settle } of dropped) settle.forEach(({ reject }) => reject(error));
      if (status.state === "active") reload();
    }),
    env.onPage((what) => {
      if (what !== "seen" && what !== "woke") return;
      losses = 0;
      void send();
    }),
    events.on("close", close),
  ];
  reload();

  function close(): void {
    closed = true;
    env.clearTimeout(timer);
    for (const stop of stops.splice(0)) stop();
  }

  return {
    get data() {
      return view as Partial<D>;
    },
    get pending() {
      return queue.length > 0;
    },
    subscribe(fn) {
      const listener = () => fn();
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    set: (key, value) =>
      new Promise((resolve, reject) => {
        const copy: unknown = value === undefined ? undefined : JSON.parse(JSON.stringify(value));
        const waiting = queue.find((change) => change.key === key && !change.sent);
        if (waiting) {
          waiting.value = copy;
          waiting.settle.push({ resolve, reject });
        } else queue = [...queue, { key, value: copy, base: view[key], sent: false, settle: [{ resolve, reject }] }];
        show();
        void send();
      }),
    load,
    close,
  };
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
