// The live connection: how it stands, which way it goes, and a room to talk in,
// made of the application's own messages (room.go).

import { $, el } from "./dom.js";
import { toast } from "./toast.js";

const names = { ws: "WebSocket", sse: "server-sent events", poll: "long polling", shared: "another tab" };
const maxLines = 100;

let app;
let joined; // the session that has joined

export function start(with_) {
  app = with_;
  app.session.on("live", connected);
  app.session.on("reset", () => void join());
  app.session.on("message", ({ type, data }) => {
    if (type === "app.line") append(data);
    if (type !== "app.here") return;
    here(data);
    void app.refresh(); // a device may have come
  });
  $("transports").addEventListener("change", (event) => app.live.use(...[event.target.value].filter(Boolean)));
  $("talk-form").addEventListener("submit", (event) => {
    event.preventDefault();
    void say();
  });
  connected(app.live.state);
}

function connected({ state, transport }) {
  const open = state === "open";
  const tag = $("live-state");
  tag.dataset.state = state;
  tag.textContent = { open: names[transport], connecting: "connecting…", lost: "connection lost, trying again…", off: "not connected" }[state];
  $("talk-text").disabled = $("talk-send").disabled = !open;
  if (open && joined !== app.session.snapshot.status?.h) void join();
}

/** Asks for what was said before this page came, and who is here. */
async function join() {
  const { h } = app.session.snapshot.status ?? {};
  try {
    const { lines, here: guests } = await app.live.send("app.join");
    joined = h;
    $("talk-lines").replaceChildren();
    $("talk-empty").hidden = lines.length > 0;
    lines.forEach(append);
    here(guests);
  } catch (error) {
    if (!error.temporary) joined = undefined; // the session has ended: another will join anew
  }
}

async function say() {
  const text = $("talk-text").value.trim();
  if (!text) return;
  try {
    await app.live.send("app.say", { text });
    $("talk-text").value = "";
  } catch (error) {
    if (error.status === 401) return;
    toast(error.code === "rejected" || error.code === "message_rejected" ? "Not so fast, please." : "It was not sent. Try again in a moment.", "error");
  }
}

function append({ user, text }) {
  const list = $("talk-lines");
  list.append(el("li", { class: "said" }, avatar(user), el("p", {}, el("strong", {}, nameOf(user)), " ", text)));
  while (list.children.length > maxLines) list.firstChild.remove();
  list.scrollTop = list.scrollHeight;
  $("talk-empty").hidden = true;
}

function here(guests) {
  $("here").replaceChildren(
    ...guests.map(({ user, sessions }) =>
      el(
        "li",
        { class: "guest", "data-testid": `here-${user ?? "visitor"}` },
        avatar(user),
        user ? nameOf(user) : sessions > 1 ? "Visitors" : "A visitor",
        ...(sessions > 1 ? [el("span", { class: "times" }, user ? `on ${sessions} devices` : `× ${sessions}`)] : []),
      ),
    ),
  );
  $("here-empty").hidden = guests.length > 0;
}

const nameOf = (user) => (user ? user[0].toUpperCase() + user.slice(1) : "A visitor");
const avatar = (user) => el("span", { class: "avatar small", "data-user": user ?? "nobody", "aria-hidden": "true" }, user ? user[0].toUpperCase() : "?");

export function show({ status }) {
  if (status.state === "active") return;
  joined = undefined;
  here([]);
}
