// Checked by tsc, never run: what the published types allow, and what they refuse.
import { createSession, isSojournError, SojournError, type ErrorCode, type Json, type Session, type Tick } from "@sojourn/browser";
import { connect } from "@sojourn/browser/all";
import { createFetch, type Draft } from "@sojourn/browser/fetch";
import { guard, onLeave } from "@sojourn/browser/leave";
import { connectLive } from "@sojourn/browser/live";
import { createMirror } from "@sojourn/browser/mirror";
import { shareConnection } from "@sojourn/browser/share";
import { createStorage } from "@sojourn/browser/storage";
import { createXHR } from "@sojourn/browser/xhr";
import { createExpiry, type ExpiryState } from "@sojourn/browser/expiry";
import { de as german } from "@sojourn/browser/lang/de";
import * as react from "@sojourn/browser/react";
import * as svelte from "@sojourn/browser/svelte";
import { addLanguage, type Messages } from "@sojourn/browser/timeout";
import * as vue from "@sojourn/browser/vue";
import "@sojourn/browser/element";
import type { Readable } from "svelte/store";

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

// The dialog, the bindings and the classic script.

const cartInReact = (): string[] | undefined => {
  const [cart, setCart, { ready, update }] = react.useMember(typed, "cart");
  void setCart([...(cart ?? []), String(ready)]);
  void update((items = []) => items);
  // @ts-expect-error a cart is a list
  void setCart("tea");
  // @ts-expect-error no such member
  react.useMember(typed, "car");
  // @ts-expect-error the session is missing
  react.useSnapshot();
  // @ts-expect-error a snapshot is read, not written
  react.useSnapshot(typed).state = "none";
  // @ts-expect-error no such phase
  if (react.useExpiry(typed).phase === "closed") void 0;
  // @ts-expect-error a title is text
  react.SessionTimeout({ session: typed, messages: { title: 3 } });
  react.SessionTimeout({ session: typed, login: "/login", messages: { title: "Hm" } });
  return cart;
};

const cartInVue = (): string[] | undefined => {
  const { state, set } = vue.useMember(typed, "cart");
  void set(["tea"]);
  // @ts-expect-error refs of a binding are read, not written
  state.value = { value: [], ready: true, error: undefined };
  // @ts-expect-error no such theme
  void vue.useMember(typed, "theme").set("blue");
  const { seconds }: ExpiryState = vue.useExpiry(typed).state.value;
  return state.value.value ?? [String(seconds)];
};

const cartInSvelte = (): (() => void) => {
  const cart = svelte.memberStore(typed, "cart");
  // @ts-expect-error a cart is a list
  void cart.set({});
  // @ts-expect-error no such member
  svelte.memberStore(typed, "car");
  const readable: Readable<ExpiryState> = svelte.expiryStore(typed);
  void readable;
  return cart.subscribe(({ value }) => value?.length);
};

export function elements(): void {
  const dialog = document.createElement("sojourn-timeout");
  dialog.session = typed;
  dialog.messages = { title: "Hm" };
  // @ts-expect-error a session cannot be made of nothing
  dialog.session = {};
  // @ts-expect-error the dialog opens by itself
  dialog.open = true;
  document.querySelector("sojourn-session")?.session.extend().catch(() => {});
  const words: Messages = german;
  // @ts-expect-error a language must say everything
  addLanguage("sv", { title: "Hej" });
  addLanguage("sv", words);
  // @ts-expect-error the warning comes when the server says
  createExpiry(typed, { warnMs: 5 });
  void [cartInReact, cartInVue, cartInSvelte];
}

export async function addOns(): Promise<void> {
  const live = connectLive(typed, { transports: ["ws", "poll"], share: shareConnection });
  live.use("sse");
  const reply: Json | undefined = await live.send("app.hello", { n: 1 });
  // @ts-expect-error no such transport
  live.use("carrier pigeon");
  // @ts-expect-error a session cannot be made of nothing
  connectLive({});
  typed.on("message", ({ type, data }) => void [type.length, data]);
  typed.on("live", ({ state, transport }) => state === "open" && transport === "shared");

  const storage = createStorage<{ cart: string[] }, { step: number }>(typed, { ttlMs: 5 });
  const kept: boolean = storage.local.set("cart", ["a"]);
  const step: number | undefined = storage.session.get("step");
  // @ts-expect-error a step is a number
  storage.session.set("step", "one");
  // @ts-expect-error the cart is in the other one
  storage.session.get("cart");

  const mirror = createMirror(typed, { merge: ({ mine }) => mine });
  await mirror.set("theme", undefined);
  mirror.data.cart?.length;
  // @ts-expect-error no such theme
  await mirror.set("theme", "blue");
  // @ts-expect-error changed by set only
  mirror.data = {};

  const request = createFetch(typed);
  request.onReauth(({ request: { method }, status }: Draft) => method === "POST" && status.state === "ended");
  const answer: Response = await request("/work", { method: "POST" });
  // @ts-expect-error it says whether to send
  request.onReauth(() => {});
  new (createXHR(typed))().open("GET", "/");

  onLeave(typed, () => ({ type: "app.bye" }));
  onLeave(typed, () => ({ changes: { draft: 1 } }));
  onLeave(typed, () => undefined);
  // @ts-expect-error neither a message nor changes
  onLeave(typed, () => ({ draft: 1 }));
  guard()();

  const all = connect<Members>({ live: false, leaveTo: ({ state }) => `/${state}` });
  all.guard(true);
  await all.set("theme", "dark");
  all.onPurge((status) => status.state === "none");
  // @ts-expect-error nothing to turn on: leave it out
  connect({ live: true });
  void [reply, kept, step, answer];
}
