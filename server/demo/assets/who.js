// Who the session belongs to; login, logout, and the counter of visits.

import { $ } from "./dom.js";
import { toast } from "./toast.js";

const bindings = {
  bound: "Bound to this device: your cookie is worth nothing anywhere else.",
  pending: "Being bound to this device…",
  unbound: "Not bound to this device: this browser has not offered a key.",
};

/** Binding happens behind the page: it looks a few times whether it has. */
let app;
let looks = 0;

export function start(given) {
  app = given;
  const leave = async (scope) => {
    await app.session.end(scope);
    focusTitle();
    toast("You are logged out.");
  };
  for (const button of document.querySelectorAll("button[data-user]")) {
    button.addEventListener("click", () =>
      app.act(button, async () => {
        looks = 0;
        await app.api.login(button.dataset.user, $("remember").checked);
        focusTitle();
      }),
    );
  }
  $("logout").addEventListener("click", (e) => app.act(e.currentTarget, () => leave()));
  $("logout-all").addEventListener("click", (e) => app.act(e.currentTarget, () => leave({ scope: "all" })));
  $("count").addEventListener("click", (e) =>
    app.act(e.currentTarget, async () => {
      await app.begin();
      await app.api.visit();
    }),
  );
}

/** The control that was used is about to go, and the focus needs another place. */
function focusTitle() {
  $("who-title").tabIndex = -1;
  $("who-title").focus();
}

export function show({ me, data }) {
  const user = me.user;
  $("who-anonymous").hidden = Boolean(user);
  $("who-user").hidden = !user;
  if (user) {
    $("user-avatar").textContent = user.name[0];
    $("user-avatar").dataset.user = user.id;
    $("user-name").textContent = `Hello, ${user.name}.`;
    $("user-about").textContent = `${user.name} ${user.about}.`;
    $("user-cookie").textContent = me.persistent
      ? "This browser keeps your cookie after it is closed, as you asked."
      : "Your cookie goes when this browser closes.";
  }
  $("user-binding").hidden = !user || !bindings[me.binding];
  $("user-binding").textContent = bindings[me.binding] ?? "";
  $("user-binding").dataset.binding = me.binding ?? "";
  if (user && me.binding && me.binding !== "bound" && looks < 5) {
    looks++;
    setTimeout(() => app.refresh(), 1000);
  }
  $("visits").textContent = String(data.visits ?? 0);
}
