// The page: one state, shown by one file per card. What a card does goes
// through act(), which then asks the server what is true now.

import { connectLive } from "/_session/v1/live.js";
import { createSession } from "/_session/v1/sojourn.js";
import "/_session/v1/timeout.js";
import * as api from "./api.js";
import * as banner from "./banner.js";
import * as cart from "./cart.js";
import * as cookie from "./cookie.js";
import * as data from "./data.js";
import * as devices from "./devices.js";
import { $ } from "./dom.js";
import * as talk from "./talk.js";
import * as time from "./time.js";
import { dismissErrors, toast } from "./toast.js";
import * as who from "./who.js";

const session = createSession();
const live = connectLive(session);

// The dialog before the end is this session's; the end itself the page shows.
document.querySelector("sojourn-timeout").session = session;
document.addEventListener("sojourn-ended", (event) => event.preventDefault());

/** What the server said last. */
const state = { status: { state: "loading" }, me: { user: null }, data: {}, devices: [], reached: true };

const cards = [who, time, cart, data, devices, talk, cookie, banner];

/** How often a page in view looks whether its session was changed or ended elsewhere, while nothing tells it. */
const lookMs = 3000;

const app = { session, live, api, state, act, refresh, begin };

let turn = Promise.resolve();

/**
 * Runs what a control was used for, one use after the other: two quick clicks
 * of a visitor without a session must not begin two. Meanwhile the control is
 * busy, afterwards the page is brought up to date, and a failure is said in
 * plain words. With quick the next use need not wait for that update.
 */
function act(control, what, { quick = false } = {}) {
  control?.setAttribute("aria-busy", "true");
  turn = turn.then(async () => {
    const before = state.status.state;
    try {
      await what();
    } catch (error) {
      explain(error);
    } finally {
      control?.removeAttribute("aria-busy");
    }
    const shown = refresh();
    if (!quick || before !== "active") await shown; // the next use may find another session
  });
  return turn;
}

/** Makes room for a new session where the last one has ended: drops its cookie. */
async function begin() {
  if (state.status.state === "ended") await session.end();
}

let refreshing;
let again = false;

/** Asks for everything the page shows. Calls that overlap share one more round. */
function refresh() {
  if (refreshing) {
    again = true;
    return refreshing;
  }
  refreshing = (async () => {
    do {
      again = false;
      await look();
    } while (again);
  })().finally(() => (refreshing = undefined));
  return refreshing;
}

async function look() {
  try {
    const status = await session.status();
    const active = status.state === "active";
    const [me, members, list] = await Promise.all([
      active ? api.me() : { user: null },
      active ? session.data() : {},
      active ? session.devices() : [],
    ]);
    if (!state.reached) {
      dismissErrors();
      toast("The server answers again.");
    }
    Object.assign(state, { status, me, data: members, devices: list, reached: true });
  } catch (error) {
    // A session that ended between two of these answers is no failure.
    if (error.status === 401 || error.status === 409) again = true;
    else lost(error);
  }
  show();
}

function show() {
  for (const card of cards) card.show(state);
  const pill = $("state");
  const words = {
    loading: "Looking…",
    none: "No session",
    ended: "Session ended",
    active: state.me.user ? `Active · ${state.me.user.name}` : "Active · anonymous",
  };
  pill.dataset.state = state.reached ? state.status.state : "unknown";
  pill.textContent = state.reached ? words[state.status.state] : "Server not reached";
}

/** The server did not say. What is shown stays: an outage is not a logout. */
function lost(error) {
  if (state.reached) explain(error);
  state.reached = false;
}

function explain(error) {
  if (error.status === 401 || error.code === "session_changed") return; // the page is about to show it
  if (error.code === undefined) return reportError(error); // a mistake in this page
  if (error.temporary && !navigator.onLine) toast("You are offline. Your session is kept; try again when you are back.", "error");
  else if (error.temporary) toast("The server does not answer. Your session is kept; try again in a moment.", "error");
  else if (error.code === "rev_conflict") toast("This was changed elsewhere in the meantime. Look at it, then try again.", "error");
  else toast(error.problem?.detail ?? error.message, "error");
}

/** Looks, without any use of the session, whether there is something new. */
async function glance() {
  if (live.state.state === "open" && state.reached) return; // then it is told
  if (document.visibilityState !== "visible" || refreshing) return;
  const { state: was, h, rev } = state.status;
  try {
    const now = await session.status();
    if (now.state !== was || now.h !== h || now.rev !== rev || !state.reached) await refresh();
  } catch (error) {
    lost(error);
    show();
  }
}

for (const card of cards) card.start(app);
for (const news of ["data", "reset", "purge"]) session.on(news, () => void refresh());
session.on("status", (now) => {
  const was = state.status;
  if (now.state !== was.state || now.h !== was.h) void refresh();
});
setInterval(glance, lookMs);
document.addEventListener("visibilitychange", glance);
addEventListener("online", glance);
await refresh();
