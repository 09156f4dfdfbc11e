import type { Stop } from "./emitter.ts";
import { randomId } from "./json.ts";
import { linkOf } from "./link.ts";

/** What is to be sent when the page is hidden, or closed: a message to the application, or changes of members. */
export type Parting =
  | { readonly type: string; readonly data?: unknown; readonly id?: string }
  | { readonly changes: Readonly<Record<string, unknown>> };

/** Browsers let a page that is gone have 64 KiB under way, in all its requests. */
const BUDGET = 60_000;
let underWay = 0;

/**
 * Calls `fn` each time the page is hidden, which is the last thing a page is sure
 * to hear of, and sends what it gives, even if the page is gone by then. It may
 * arrive although no answer does; changes may be repeated, and a message has an
 * `id`. What is too large is told as the event `error` and not sent.
 */
export function onLeave(session: object, fn: () => Parting | undefined): Stop {
  const { env, ask, failed, Failure } = linkOf(session);
  return env.onPage((what) => {
    if (what !== "hidden") return;
    const parting = fn();
    if (!parting) return;
    const message = "type" in parting;
    const body = JSON.stringify(message ? { type: parting.type, data: parting.data } : parting.changes);
    const bytes = new Blob([body]).size;
    if (underWay + bytes > BUDGET) return failed(new Failure("invalid_argument", "too large to be sent while leaving"));
    underWay += bytes;
    (message
      ? ask("POST", "/send", { body, keepalive: true, key: parting.id ?? randomId(env) })
      : ask("PATCH", "/data", { body, keepalive: true, type: "application/merge-patch+json", rev: "*" })
    )
      .catch(failed)
      .finally(() => (underWay -= bytes));
  });
}

/**
 * Lets the browser ask before the page is left, from now until the answer is
 * called: only while there are changes that would be lost.
 */
export function guard(): Stop {
  const ask = (event: BeforeUnloadEvent) => {
    event.preventDefault();
    event.returnValue = true; // for browsers before 2024
  };
  addEventListener("beforeunload", ask);
  return () => removeEventListener("beforeunload", ask);
}
