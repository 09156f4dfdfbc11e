import { SojournError } from "./errors.ts";

/** What JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Gives `value` as JSON text, or throws `invalid_argument` if it has none. */
export function toJson(value: unknown): string {
  let text: string | undefined;
  let cause: unknown;
  try {
    text = JSON.stringify(value) as string | undefined;
  } catch (error) {
    cause = error;
  }
  if (text === undefined) throw new SojournError("invalid_argument", "this value cannot be JSON", { cause });
  return text;
}

/** Tells whether `value` is a JSON object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Makes a name that nothing else has, for requests that may be repeated. */
export function randomId({ random }: { random(): number }): string {
  return random().toString(36).slice(2) + random().toString(36).slice(2);
}
