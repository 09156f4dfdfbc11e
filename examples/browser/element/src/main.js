import "@sojourn/browser/element";
import "@sojourn/browser/timeout";
import { login, session } from "./session.js";

const around = document.querySelector("sojourn-session");
const status = document.querySelector("[role=status]");

around.session = session; // the one with a live connection; without this line the element makes its own
around.addEventListener("sojourn-change", ({ detail }) => {
  const active = detail.state === "active";
  status.textContent = active ? "Logged in." : "Not logged in.";
  if (active) show();
});
// The page shows the end itself, so the dialog need not.
around.addEventListener("sojourn-ended", (event) => event.preventDefault());
session.on("data", show);

async function show() {
  const cart = await session.get("cart").catch(() => undefined); // that it has ended is told by the state
  document.getElementById("tea").textContent = cart?.tea ?? 0;
}

document.getElementById("login").onclick = () => login("ada");
document.getElementById("add").onclick = async () => {
  await session.update("cart", (items = {}) => ({ ...items, tea: (items.tea ?? 0) + 1 }));
  await show();
};
