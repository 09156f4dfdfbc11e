// Where else this user is logged in.

import { pictureOf } from "./device-picture.js";
import { $, el, fill, icon } from "./dom.js";
import { ago } from "./format.js";
import { toast } from "./toast.js";

let app;

export function start(with_) {
  app = with_;
}

export function show({ devices, me }) {
  const mine = me.user ? devices : [];
  fill($("device-list"), mine.map(device));
  $("devices-empty").hidden = mine.length > 0;
}

function device({ id, current, label, name, userAgent, ip, createdMsAgo, lastSeenMsAgo }) {
  const title = label || name || "An unknown program";
  const revoke = (event) =>
    app.act(event.currentTarget, async () => {
      await app.session.revoke(id);
      toast(`${title} is logged out.`);
    });
  return el(
    "li",
    { class: "device", "data-testid": current ? "device-current" : "device" },
    icon(pictureOf(name)),
    el(
      "div",
      {},
      el("strong", { title: userAgent }, title),
      el("small", {}, `${ip || "address unknown"} · ${current ? `began ${ago(createdMsAgo)}` : `seen ${ago(lastSeenMsAgo)}`}`),
    ),
    current
      ? el("span", { class: "here" }, "This device")
      : el("button", { type: "button", class: "button quiet small danger", "data-key": id, "data-testid": "revoke", "aria-label": `Log out ${title}`, onclick: revoke }, "Revoke"),
  );
}
