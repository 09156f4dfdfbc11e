// Tells why a session ended, and offers the way on.

import { $ } from "./dom.js";
import { span } from "./format.js";

let clocks = ""; // how long the session could live
let shown = false;

const reasons = {
  logout: ["You are logged out.", "The session has ended for good: its cookie opens nothing any more."],
  revoked: ["This session was ended from elsewhere.", "Another of your devices, or somebody who looks after this server, ended it. If that was not you, log in again and look at your devices."],
  replaced: ["Somebody else logged in here.", "A session has one user; another one took its place in this browser."],
  moved: ["This session has moved.", "It lives on under the cookie that a login gave. Reload the page to meet it."],
};

function words(reason) {
  if (reason === "expired") {
    return ["Your session has expired.", `${clocks}Nothing is wrong; begin a new one whenever you like.`];
  }
  return reasons[reason] ?? ["This session has ended.", reason ? `The reason given is: ${reason}.` : "The reason is no longer known."];
}

export function start(app) {
  $("start-again").addEventListener("click", (event) =>
    app.act(event.currentTarget, async () => {
      await app.begin();
      $("who-title").scrollIntoView({ block: "nearest" });
    }),
  );
}

export function show({ status, me }) {
  if (status.state === "active") {
    clocks = `Either nothing was done for ${span(status.idleMs)}, or its ${span(me.absolute_ms || status.absoluteInMs)} were over. `;
  }
  const ended = status.state === "ended";
  const banner = $("banner");
  if (ended) {
    [$("banner-title").textContent, $("banner-text").textContent] = words(status.reason);
  }
  banner.hidden = !ended;
  if (ended && !shown) banner.focus();
  shown = ended;
}
