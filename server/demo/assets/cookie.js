// The cookie's attributes as this server is configured, each with its reason.

import { $, el } from "./dom.js";

let app;
let shownFor;

export function start(with_) {
  app = with_;
}

export function show({ me, reached }) {
  // HttpOnly cookies are not in here: that is the point.
  $("cookie-script").textContent = document.cookie ? JSON.stringify(document.cookie) : "nothing";
  const remembered = Boolean(me.persistent);
  if (shownFor === remembered || !reached) return;
  shownFor = remembered;
  app.api.cookie(remembered).then(draw, () => (shownFor = undefined));
}

function draw({ line, attributes }) {
  $("cookie-line").textContent = `Set-Cookie: ${line}`;
  $("cookie-flags").replaceChildren(
    ...attributes.map(({ name, value, on, why }) =>
      el("div", { class: on ? "" : "off", "data-flag": name },
        el("dt", {}, name === "Name" ? `${value}=…` : value ? `${name}=${value}` : name, on ? "" : el("span", { class: "visually-hidden" }, " (not set)")),
        el("dd", {}, why)),
    ),
  );
}
