import { createSession } from "@sojourn/browser";
import { connectLive } from "@sojourn/browser/live";

export const session = createSession();
connectLive(session); // what happens elsewhere is known here at once

/** The demo server takes anybody's word; yours asks for a password. */
export function login(user) {
  return session.login(async () => {
    const answer = await fetch("/demo/login", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ user }),
    });
    if (!answer.ok) throw new Error(`login: ${answer.status}`);
  });
}
