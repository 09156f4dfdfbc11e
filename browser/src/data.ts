import { isSojournError, SojournError } from "./errors.ts";
import { segment, type Ask, type Question } from "./http.ts";
import { isObject, toJson } from "./json.ts";

/** The names of members: strings, as in JSON. */
export type KeyOf<D> = keyof D & string;

/** Several changes at once: null deletes a member, any other value replaces it whole. */
export type Changes<D> = { readonly [K in KeyOf<D>]?: D[K] | null };

/** The verbs for the members of a session that the server opens to its page. */
export interface DataVerbs<D extends object> {
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

/** A member as this page knows it: its JSON text, undefined if it is not set. */
interface Reading {
  readonly rev: number;
  readonly text: string | undefined;
}

/** All that is known of one session's data. */
interface Knowledge {
  readonly members: Map<string, Reading>;
  /** Of the last reading of everything: what it lacked was not set. */
  wholeRev: number;
}

/** How often a write is sent when other writers keep coming between. */
const ATTEMPTS = 16;

const pathOf = (key: string) => `/data/${segment(key)}`;
const memberOf = (data: unknown, key: string) => (isObject(data) && Object.hasOwn(data, key) ? data[key] : undefined);

function textOf(data: unknown, key: string): string | undefined {
  const value = memberOf(data, key);
  return value === undefined ? undefined : toJson(value);
}

/**
 * Makes the verbs.
 *
 * The server's revision counts the changes of all members together, so a refused
 * write need not be a conflict: if the members it changes are as they were read,
 * it is sent again under the newer revision.
 */
export function createData(ask: Ask): DataVerbs<Record<string, unknown>> & { forget(): void } {
  let known: Knowledge;
  let last: Promise<unknown> = Promise.resolve();

  /** Begins anew: what was read belonged to another session. */
  function forget(): void {
    known = { members: new Map(), wholeRev: -1 };
  }

  /** Lets writes wait for each other, so that a page is never in conflict with itself. */
  function inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = last.then(run, run);
    last = turn;
    return turn;
  }

  function reading({ members, wholeRev }: Knowledge, key: string): Reading | undefined {
    return members.get(key) ?? (wholeRev < 0 ? undefined : { rev: wholeRev, text: undefined });
  }

  /** Keeps a reading, unless a newer one came first. */
  function keep(at: Knowledge, key: string, rev: number | undefined, text: string | undefined): void {
    const old = at.members.get(key);
    if (rev === undefined) at.members.delete(key);
    else if (!old || old.rev <= rev) at.members.set(key, { rev, text });
  }

  async function data(): Promise<Record<string, unknown>> {
    const at = known;
    const { body } = await ask("GET", "/data");
    const rev = memberOf(body, "rev");
    const members = memberOf(body, "data");
    if (typeof rev !== "number" || !isObject(members)) throw new SojournError("protocol", "the answer is no data");
    for (const key of new Set([...at.members.keys(), ...Object.keys(members)])) {
      keep(at, key, rev, textOf(members, key));
    }
    at.wholeRev = Math.max(at.wholeRev, rev);
    return members;
  }

  async function get(key: string): Promise<unknown> {
    const at = known;
    try {
      const { rev, body } = await ask("GET", pathOf(key));
      keep(at, key, rev, toJson(body));
      return body;
    } catch (error) {
      if (!isSojournError(error, "no_member")) throw error;
      keep(at, key, error.rev, undefined);
      return undefined;
    }
  }

  /** Tells whether a member that the page may write is kept from its eyes. */
  async function writeOnly(key: string): Promise<boolean> {
    try {
      await ask("GET", pathOf(key));
    } catch (error) {
      return isSojournError(error, "not_readable");
    }
    return false;
  }

  /** Gives what the server holds now, if `error` refuses a write for that reason. */
  function newer(error: unknown, attempt: number): { rev: number; data: unknown } {
    if (attempt < ATTEMPTS && isSojournError(error, "rev_conflict") && error.rev !== undefined) {
      return { rev: error.rev, data: error.problem?.["data"] };
    }
    throw error;
  }

  /** Writes members; `texts` gives what each will be. */
  function write(
    texts: ReadonlyMap<string, string | undefined>,
    method: string,
    path: string,
    question?: Question,
  ): Promise<void> {
    return inTurn(async () => {
      const at = known;
      for (let attempt = 1; ; attempt++) {
        const read = [...texts.keys()].flatMap((key) => {
          const before = reading(at, key);
          return before ? { key, before } : [];
        });
        try {
          const oldest = Math.min(...read.map(({ before }) => before.rev));
          const { rev } = await ask(method, path, { ...question, rev: read.length ? oldest : "*" });
          for (const { key } of read) keep(at, key, rev, texts.get(key));
          return;
        } catch (error) {
          const { rev, data } = newer(error, attempt);
          for (const { key, before } of read) {
            const now = textOf(data, key);
            if (now !== before.text && (now !== undefined || !(await writeOnly(key)))) throw error;
          }
          for (const { key } of read) keep(at, key, rev, textOf(data, key));
        }
      }
    });
  }

  forget();
  return {
    forget,
    data,
    get,
    async set(key, value) {
      const body = toJson(value); // now: the caller may change the value while it waits its turn
      await write(new Map([[key, body]]), "PUT", pathOf(key), { body });
    },
    update: (key, fn) =>
      inTurn(async () => {
        const at = known;
        for (let attempt = 1; ; attempt++) {
          if (!reading(at, key)) await get(key);
          const before = reading(at, key);
          if (!before) throw new SojournError("protocol", "the answer has no ETag");
          const value: unknown = before.text === undefined ? undefined : JSON.parse(before.text);
          const next = fn(value);
          if (next === undefined) return value;
          const body = toJson(next);
          try {
            const { rev } = await ask("PUT", pathOf(key), { body, rev: before.rev });
            keep(at, key, rev, body);
            return next;
          } catch (error) {
            const { rev, data } = newer(error, attempt);
            keep(at, key, rev, textOf(data, key));
          }
        }
      }),
    async patch(changes) {
      const body = toJson(changes);
      const sent: unknown = JSON.parse(body);
      const texts = Object.keys(sent as object).map((key) => {
        const text = textOf(sent, key);
        return [key, text === "null" ? undefined : text] as const;
      });
      await write(new Map(texts), "PATCH", "/data", { body, type: "application/merge-patch+json" });
    },
    async delete(key) {
      await write(new Map([[key, undefined]]), "DELETE", pathOf(key));
    },
  };
}
