// The cart: the member "cart", from product to quantity. The browser writes it
// itself, conditionally on what it read, so that two tabs merge.

import { $, el, fill } from "./dom.js";
import { money } from "./format.js";
import { toast } from "./toast.js";

const most = 99;
const shop = new Map();
let change; // how a quantity is changed, once the page has started

export function start(app) {
  for (const { dataset } of document.querySelectorAll("[data-product]")) {
    shop.set(dataset.product, { name: dataset.name, price: Number(dataset.price) });
  }
  const put = async (item, by) => {
    // The session API begins no sessions; the demo's own does.
    if (app.state.status.state !== "active") {
      await app.begin();
      await app.api.addToCart(item, by);
      return;
    }
    let full = false;
    await app.session.update("cart", (cart) => {
      const next = { ...cart };
      const quantity = (next[item] ?? 0) + by;
      full = quantity > most;
      if (quantity > 0) next[item] = Math.min(quantity, most);
      else delete next[item];
      return next;
    });
    if (full) toast(`${most} of one thing are enough for anyone.`);
  };
  change = (control, item, by) => app.act(control, () => put(item, by), { quick: true });
  for (const button of document.querySelectorAll("[data-add]")) {
    button.addEventListener("click", () => change(button, button.dataset.add, 1));
  }
}

export function show({ data }) {
  const cart = typeof data.cart === "object" && data.cart ? data.cart : {};
  const items = [...shop.keys()].filter((id) => cart[id] > 0);
  fill($("lines"), items.map((id) => line(id, cart[id])));
  const cents = items.reduce((sum, id) => sum + shop.get(id).price * cart[id], 0);
  $("cart-total").textContent = money(cents);
  $("cart-total-line").hidden = !items.length;
  $("cart-empty").hidden = items.length > 0;
}

function line(id, quantity) {
  const { name } = shop.get(id);
  const button = (text, label, by, kind = "") =>
    el("button", { type: "button", class: `round ${kind}`, "aria-label": label, "data-key": `${id}${text}`, onclick: (e) => change(e.currentTarget, id, by) }, text);
  return el(
    "li",
    { class: "line", "data-testid": `line-${id}` },
    el("span", {}, name),
    el(
      "span",
      { class: "quantity" },
      button("−", `One ${name} less`, -1),
      el("b", { "data-testid": `quantity-${id}` }, String(quantity)),
      button("+", `One ${name} more`, 1),
    ),
    button("×", `Remove ${name}`, -most, "bare"),
  );
}
