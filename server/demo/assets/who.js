// Who the session belongs to; login, logout, and the counter of visits.

import { $ } from "./dom.js";
import { toast } from "./toast.js";

export function start(app) {
  const leave = async (scope) => {
    await app.session.end(scope);
    focusTitle();
    toast("You are logged out.");
  };
  for (const button of document.querySelectorAll("button[data-user]")) {
    button.addEventListener("click", () =>
      app.act(button, async () => {
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
  $("visits").textContent = String(data.visits ?? 0);
}
