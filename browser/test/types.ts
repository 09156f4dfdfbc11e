// Checked by tsc, never run: what the published types allow, and what they refuse.
import { createSession, isSojournError, SojournError, type ErrorCode, type Json, type Session, type Tick } from "@sojourn/browser";

interface Members {
  cart: string[];
  theme: "dark" | "light";
}

const typed = createSession<Members>();
const loose = createSession({ base: "/_session/v1", timeoutMs: 5000 });

export async function allowed(): Promise<void> {
  const theme: "dark" | "light" | undefined = await typed.get("theme");
  const cart: string[] | undefined = (await typed.data()).cart;
  await typed.set("theme", theme ?? "dark");
  await typed.update("cart", (items) => [...(items ?? []), ...(cart ?? [])]);
  await typed.update("theme", () => undefined);
  await typed.patch({ cart: null, theme: "light" });
  await typed.end({ scope: "all" });
  const value: Json | undefined = await loose.get("anything");
  await loose.set("anything", { deep: [value ?? null] });
  const stop: () => void = typed.on("ended", ({ state }) => state === "none");
  typed.countdown(({ seconds, confirmed }: Tick) => void (confirmed && seconds), 500);
  stop();
  const status = await typed.status();
  if (status.state === "active") status.expiresInMs.toFixed();
  if (status.state === "ended") status.reason?.startsWith("exp");
  const any: Session<Members> = typed;
  void any;
}

export function codes(error: unknown): ErrorCode | undefined {
  if (isSojournError(error, "rev_conflict")) return error.code;
  return error instanceof SojournError ? error.code : undefined;
}

export async function refused(): Promise<void> {
  // @ts-expect-error no such member
  await typed.get("car");
  // @ts-expect-error no such theme
  await typed.set("theme", "blue");
  // @ts-expect-error undefined is not JSON: delete it
  await typed.set("cart", undefined);
  // @ts-expect-error an update must be done when it returns
  await typed.update("cart", async (items) => items);
  // @ts-expect-error a member cannot be null unless its type says so
  await typed.set("cart", null);
  // @ts-expect-error no such member
  await typed.patch({ car: null });
  // @ts-expect-error a date is not JSON
  await loose.set("when", new Date());
  // @ts-expect-error no such cause
  await typed.extend("timer");
  // @ts-expect-error no such scope
  await typed.end({ scope: "none" });
  // @ts-expect-error no such event
  typed.on("end", () => {});
  // @ts-expect-error a member may be missing
  (await typed.get("cart")).length;
  const status = await typed.status();
  // @ts-expect-error only an active session has an end to come
  status.expiresInMs;
  // @ts-expect-error statuses are read, not written
  status.state = "none";
  // @ts-expect-error no such code
  isSojournError(status, "oops");
  // @ts-expect-error no such option
  createSession({ retries: 3 });
  // @ts-expect-error members have names
  createSession<string>();
}
