// Short messages at the foot of the page, read out by screen readers.

import { $, el } from "./dom.js";

const shownMs = 7000;

/** Shows a message; kind "error" stays until it is dismissed. */
export function toast(text, kind = "note") {
  const box = $("toasts");
  for (const old of box.children) if (old.dataset.text === text) old.remove(); // say it once
  const close = el("button", { type: "button", "aria-label": "Dismiss", onclick: () => node.remove() }, "×");
  const node = el("div", { class: `toast ${kind}`, "data-testid": "toast", "data-text": text }, el("span", {}, text), close);
  if (kind === "error") node.setAttribute("role", "alert");
  else setTimeout(() => node.remove(), shownMs);
  box.append(node);
}

/** Takes the errors away: what caused them is over. */
export function dismissErrors() {
  for (const old of document.querySelectorAll(".toast.error")) old.remove();
}
