// The demo's own few requests. All the rest goes through the SDK.

/** An answer that was no success, or no answer at all (status 0). */
export class DemoError extends Error {
  constructor(message, status, code, options) {
    super(message, options);
    this.status = status;
    this.code = code ?? "unknown";
  }

  /** Whether the same may well succeed later, as in the SDK's errors. */
  get temporary() {
    return this.status === 0 || this.status >= 500;
  }
}

async function ask(method, path, body) {
  let response;
  let answer;
  try {
    response = await fetch(`/demo/${path}`, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    answer = await response.json();
  } catch (cause) {
    if (!response) throw new DemoError("The server cannot be reached.", 0, "network", { cause });
  }
  if (!response.ok) throw new DemoError(answer?.detail ?? `The server answered ${response.status}.`, response.status, answer?.code);
  return answer;
}

export const me = () => ask("GET", "me");
export const cookie = (remembered) => ask("GET", `cookie?remember=${remembered ? 1 : 0}`);
export const login = (user, remember) => ask("POST", "login", { user, remember });
export const visit = () => ask("POST", "visit", {});
export const addToCart = (item, quantity) => ask("POST", "cart", { item, quantity });
export const keepNote = (note) => ask("POST", "note", { note });
