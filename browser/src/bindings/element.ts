import { adopt, Base, define } from "../custom.ts";
import type { Stop } from "../emitter.ts";
import { createSession, type Scope, type Session } from "../index.ts";

/**
 * `<sojourn-session>`: the session for pages without a framework.
 *
 * It shows how the session stands in its attributes `state` (unknown, none, active
 * or ended), `warning` and `unconfirmed`, for style sheets; and tells each change
 * by the event `sojourn-change`. Within it
 *
 *     <output data-session="time">             shows what remains, as m:ss
 *     <button data-session="extend">           extends
 *     <button data-session="end">              logs out; also "end-others", "end-all"
 *
 * A verb that fails is told by the event `sojourn-error`. `<sojourn-timeout>`
 * within uses the same session.
 *
 * Attributes to set: `base` (where the API is), `leave-to` (where to go at the end).
 */
export class SojournSession extends Base {
  #session: Session | undefined;
  #stops: Stop[] = [];

  /** The session. Set your own before the element is connected, or take the one it makes. */
  get session(): Session {
    const base = this.getAttribute("base");
    const leaveTo = this.getAttribute("leave-to");
    return (this.#session ??= createSession({ ...(base && { base }), ...(leaveTo && { leaveTo }) }));
  }
  set session(session: Session) {
    if (session === this.#session) return;
    this.#session = session;
    if (this.isConnected) this.#follow();
  }

  connectedCallback(): void {
    adopt(this, ["session"]);
    this.addEventListener("click", this.#click);
    this.#follow();
  }

  disconnectedCallback(): void {
    this.removeEventListener("click", this.#click);
    this.#unfollow();
  }

  #unfollow(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  #follow(): void {
    this.#unfollow();
    const { session } = this;
    this.#stops = [
      session.subscribe(this.#show),
      session.countdown(({ seconds, status }) => {
        const text = status.state === "active" ? `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}` : "";
        for (const element of this.querySelectorAll("[data-session=time]")) element.textContent = text;
      }),
    ];
    this.#show();
  }

  #show = (): void => {
    const { snapshot } = this.session;
    this.setAttribute("state", snapshot.state);
    this.toggleAttribute("warning", snapshot.warning);
    this.toggleAttribute("unconfirmed", !snapshot.confirmed);
    this.#tell("sojourn-change", snapshot);
  };

  #click = (event: Event): void => {
    const verb = (event.target as Element).closest("[data-session]")?.getAttribute("data-session");
    const [name, scope = "this"] = verb?.split("-") ?? [];
    const { session } = this;
    const done = name === "extend" ? session.extend() : name === "end" ? session.end({ scope: scope as Scope }) : undefined;
    done?.catch((error: unknown) => this.#tell("sojourn-error", error));
  };

  #tell(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, detail }));
  }
}

define("sojourn-session", SojournSession);

declare global {
  interface HTMLElementTagNameMap {
    "sojourn-session": SojournSession;
  }
}
