// The two clocks of a session. Both are the server's: the SDK counts on from
// what the server said and never trusts this machine's own clock.

import { $ } from "./dom.js";
import { clock, span } from "./format.js";
import { toast } from "./toast.js";

let me = {};
let spoken = "";

export function start(app) {
  app.session.countdown(draw, 250);
  $("extend").addEventListener("click", (e) =>
    app.act(e.currentTarget, async () => {
      await app.session.extend();
      toast("Extended.");
    }),
  );
}

export function show(state) {
  ({ me } = state);
  const active = state.status.state === "active";
  $("extend").disabled = !active || !state.status.extendable;
  if (!active) {
    for (const which of ["idle", "absolute"]) {
      empty(which);
    }
    $("time-hint").textContent =
      state.status.state === "ended" ? "It is over; nothing counts any more." : "No session, so nothing to count. Log in or keep something, and one begins.";
    return;
  }
  $("time-hint").textContent = state.status.extendable
    ? `Without use it ends after ${span(state.status.idleMs)}. What you do keeps it alive; merely looking at this page does not.`
    : "It has reached its last stretch and cannot be extended any further.";
}

function draw({ remainingMs, confirmed, status }) {
  if (status.state !== "active") return;
  // The server told both at one moment, so they have shrunk by the same.
  const passed = status.expiresInMs - remainingMs;
  const absolute = Math.max(0, status.absoluteInMs - passed);
  ring("idle", remainingMs, status.idleMs, remainingMs <= status.warnMs);
  ring("absolute", absolute, me.absolute_ms ?? status.absoluteInMs, absolute <= status.warnMs);
  if (!confirmed) $("time-hint").textContent = "Asking the server…";
  speak(remainingMs, status.warnMs);
}

function ring(which, left, total, low) {
  const node = $(`ring-${which}`);
  node.removeAttribute("data-empty");
  node.classList.toggle("low", low);
  const share = Math.max(0, Math.min(100, (left / total) * 100));
  node.querySelector(".arc").style.strokeDasharray = `${share.toFixed(2)} 100`;
  $(`${which}-left`).textContent = clock(left);
  $(`${which}-total`).textContent = `of ${span(total)}`;
}

function empty(which) {
  const node = $(`ring-${which}`);
  node.dataset.empty = "";
  node.classList.remove("low");
  node.querySelector(".arc").style.strokeDasharray = "0 100";
  $(`${which}-left`).textContent = "–";
  $(`${which}-total`).textContent = "";
}

/** Says the time left aloud once when little is left, not every second. */
function speak(left, warnMs) {
  const text = left <= warnMs ? `Less than ${span(warnMs)} left. Use Extend to stay.` : "";
  if (text !== spoken) $("time-spoken").textContent = text;
  spoken = text;
}
