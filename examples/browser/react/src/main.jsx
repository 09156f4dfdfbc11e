import "@sojourn/browser/timeout";
import { SessionTimeout, useMember, useSnapshot } from "@sojourn/browser/react";
import { createRoot } from "react-dom/client";
import { login, session } from "./session.js";

function App() {
  const { state, confirmed } = useSnapshot(session);
  return (
    <main>
      <h1>React</h1>
      {state === "active" ? confirmed && <Shop /> : <Door />}
      <SessionTimeout session={session} />
    </main>
  );
}

function Door() {
  return (
    <>
      <p role="status">Not logged in.</p>
      <button onClick={() => login("ada")}>Log in</button>
    </>
  );
}

function Shop() {
  const [cart, , { update, error }] = useMember(session, "cart");
  const add = () => update((items = {}) => ({ ...items, tea: (items.tea ?? 0) + 1 })).catch(() => {}); // told by error
  return (
    <>
      <p role="status">Logged in.</p>
      <p>Tea: <output>{cart?.tea ?? 0}</output> <button onClick={add}>Add tea</button></p>
      {error && <p role="alert">That did not work.</p>}
      <button onClick={() => session.end()}>Log out</button>
      <button onClick={() => session.end({ scope: "all" })}>Log out everywhere</button>
    </>
  );
}

createRoot(document.getElementById("app")).render(<App />);

// The page shows the end itself, so the dialog need not.
addEventListener("sojourn-ended", (event) => event.preventDefault());
