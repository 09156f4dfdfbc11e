import { adopt, Base } from "../custom.ts";
import type { Stop } from "../emitter.ts";
import { createExpiry, type Expiry, type ExpirySession, type ExpiryState } from "../expiry.ts";
import { createSession, type Session } from "../index.ts";
import { findLanguage, type Language } from "./languages.ts";
import { duration, english, type Messages } from "./messages.ts";
import { createView, focused, say, type View } from "./view.ts";

/** How often the time that remains is read out, in seconds. */
const SPEAK_EVERY = 20;
/** A status that comes sooner than this shows nothing: the page is merely hidden. */
const CALM_MS = 500;
/** Screen readers miss what is said in the moment a dialog opens. */
const SETTLE_MS = 100;

/** What the dialog shows; `checking`: that only the server can tell, without a warning before. */
type Phase = ExpiryState["phase"] | "checking";

/**
 * `<sojourn-timeout>`: asks the user before their session ends.
 *
 * Attributes: `base` (where the API is), `login` (where "Start again" leads; else
 * the page is loaded anew), `lang` (else that of the page).
 *
 * Events, which bubble: `sojourn-warning`, `sojourn-extended`, and
 * `sojourn-ended`; cancelling the last keeps the dialog from showing it.
 */
export class SojournTimeout extends Base {
  static readonly observedAttributes = ["lang"];

  #session: ExpirySession | undefined;
  #own: Session | undefined; // the session, if this element made it
  #expiry: Expiry | undefined;
  #stop: Stop | undefined;
  #view: View | undefined;
  #language: Language = { tag: "en", messages: english };
  #words: Partial<Messages> = {};
  #before: HTMLElement | undefined; // had the focus
  #phase: Phase = "quiet"; // as it is shown
  #hushed = false; // the page shows the end itself
  #spokenAt = 0; // seconds that remained when it was read out last
  #calm: ReturnType<typeof setTimeout> | undefined;

  /**
   * The session to watch. Default: that of the `<sojourn-session>` around; else,
   * if none is given by the time the page is parsed, one of its own.
   */
  get session(): ExpirySession | undefined {
    return this.#session;
  }
  set session(session: ExpirySession | undefined) {
    if (session === this.#session) return;
    this.#stop?.();
    this.#own?.close();
    this.#own = undefined;
    this.#session = session;
    this.#expiry = session && createExpiry(session);
    if (this.#view) this.#become("quiet");
    this.#watch();
  }

  /** The warning without its looks; undefined without a session. */
  get expiry(): Expiry | undefined {
    return this.#expiry;
  }

  /** Words in place of those of the language: all, or some. */
  get messages(): Partial<Messages> {
    return this.#words;
  }
  set messages(words: Partial<Messages>) {
    this.#words = words;
    this.#render();
  }

  /** Whether the dialog is open. */
  get open(): boolean {
    return !!this.#view?.dialog.open;
  }

  connectedCallback(): void {
    adopt(this, ["session", "messages"]);
    this.#view ??= this.#build();
    this.#speak();
    if (this.#session) this.#watch();
    else if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", this.#connect, { once: true });
    else queueMicrotask(this.#connect); // frameworks set properties right after
  }

  disconnectedCallback(): void {
    this.#stop?.();
    if (this.#own) this.session = undefined;
    else this.#become("quiet");
  }

  attributeChangedCallback(): void {
    this.#speak();
  }

  #connect = async (): Promise<void> => {
    const name = "sojourn-session";
    const around = this.closest<HTMLElement & { session: Session }>(name);
    if (around) await customElements.whenDefined(name);
    if (this.#session || !this.isConnected) return;
    const base = this.getAttribute("base");
    const own = around ? undefined : createSession(base ? { base } : {});
    this.session = own ?? around?.session;
    this.#own = own;
  };

  #watch(): void {
    if (!this.isConnected) return;
    this.#stop?.();
    this.#stop = this.#expiry?.subscribe(() => this.#render());
    this.#render();
  }

  #build(): View {
    const view = createView(this.attachShadow({ mode: "open" }));
    const { dialog, extend, end, close, again } = view;
    const on = (element: HTMLElement, type: string, fn: (event: Event) => unknown) => element.addEventListener(type, fn);
    on(extend, "click", async () => {
      await this.#expiry?.extend();
      if (this.#phase === "quiet") this.#tell("extended");
    });
    on(end, "click", () => this.#expiry?.end());
    on(close, "click", () => this.#expiry?.dismiss());
    on(again, "click", (event) => {
      if (again.getAttribute("href")) return;
      event.preventDefault();
      location.reload();
    });
    // Escape must not answer for the user. Browsers let a dialog refuse it only
    // once in a row, hence both: the key is kept away, and what closes anyway is opened again.
    on(dialog, "keydown", (event) => {
      if ((event as KeyboardEvent).key !== "Escape") return;
      event.preventDefault();
      this.#expiry?.dismiss(); // does nothing while there is something to answer
    });
    on(dialog, "cancel", (event) => event.preventDefault());
    on(dialog, "close", () => this.#phase !== "quiet" && this.#show());
    return view;
  }

  #tell(name: "warning" | "extended" | "ended", detail?: unknown): boolean {
    return this.dispatchEvent(new CustomEvent(`sojourn-${name}`, { bubbles: true, composed: true, cancelable: true, detail }));
  }

  /** Finds the words of the language around the element. */
  #speak(): void {
    const near = this.closest("[lang]") as HTMLElement | null;
    void findLanguage(near?.lang || navigator.language).then((language) => {
      this.#language = language;
      this.#render();
    });
  }

  #render(): void {
    const state = this.#expiry?.state;
    if (!this.isConnected || !this.#view || !state) return;
    const { phase, masked, seconds, reason } = state;
    if (phase === "ended") {
      if (this.#phase !== phase && !this.#hushed) this.#hushed = !this.#tell("ended", { reason });
      this.#become(this.#hushed ? "quiet" : phase, state);
    } else if (this.#phase !== "ended") { // else what is behind belongs to the session that has ended
      this.#hushed = false;
      if (phase === "warning" && this.#phase !== phase) this.#tell(phase, { seconds });
      if (phase !== "quiet" || !masked) this.#become(phase, state);
      else if (this.#phase !== phase) this.#become("checking", state);
      else this.#calm ??= setTimeout(() => this.#become("checking", state), CALM_MS);
    }
  }

  #become(phase: Phase, state?: ExpiryState): void {
    clearTimeout(this.#calm);
    this.#calm = undefined;
    if (this.#phase !== phase) {
      this.#spokenAt = Infinity;
      if (this.#phase === "quiet") this.#speak(); // the language may be another by now
    }
    this.#phase = phase;
    if (!state || phase === "quiet") return this.#hide();
    this.#fill(phase, state, this.#view as View);
    this.#show();
  }

  #fill(phase: Phase, { seconds, masked, extendable, busy, error }: ExpiryState, view: View): void {
    const { tag, messages } = this.#language;
    const words = { ...messages, ...this.#words };
    const ended = phase === "ended";
    const unsure = masked && !ended;
    const asking = phase === "warning";
    const time = duration(seconds, words, tag);
    const title = ended ? words.endedTitle : asking ? words.title : words.checking;
    const sentence = ended ? words.ended : !asking ? "" : unsure ? words.checking : extendable ? words.warning : words.final;
    const [before = "", after] = sentence.split("{time}");
    const whole = sentence.replace("{time}", time);
    const { dialog } = view;

    dialog.lang = tag;
    dialog.dir = words.dir ?? "ltr";
    dialog.classList.toggle("masked", masked);
    say(view.title, title);
    say(view.before, before);
    say(view.time, after === undefined ? "" : time);
    say(view.after, after ?? "");
    say(view.error, error && !ended ? words.failed : "");
    for (const name of ["extend", "end", "close", "again"] as const) say(view[name], words[name]);

    const first = this.#spokenAt === Infinity;
    if (first && !unsure) setTimeout(() => this.open && say(view.alert, `${title}. ${whole}`), SETTLE_MS);
    if (first || after === undefined) {
      this.#spokenAt = seconds;
      say(view.spoken, whole);
    } else if (seconds % SPEAK_EVERY === 0 && this.#spokenAt - seconds >= SPEAK_EVERY) {
      this.#spokenAt = seconds;
      say(view.spoken, words.remaining.replace("{time}", time));
    }

    view.extend.hidden = !asking || !(extendable || unsure);
    view.close.hidden = !asking || extendable || unsure;
    view.end.hidden = !asking;
    view.again.hidden = !ended;
    view.again.href = this.getAttribute("login") ?? "";
    // Not "disabled": that would take the focus away.
    for (const button of [view.extend, view.end]) button.ariaDisabled = String(!!busy);
  }

  /** Opens the dialog, or takes the focus back to it if what had it has gone. */
  #show(): void {
    const { dialog } = this.#view as View;
    const active = focused();
    if (!dialog.open) {
      this.#before ??= active;
      dialog.showModal();
    } else if (active && !active.hidden && (dialog.contains(active) || this.contains(active))) return;
    dialog.focus(); // and no button: a key on its way to the page answers nothing
  }

  #hide(): void {
    const { dialog, alert, spoken, error } = this.#view as View;
    for (const part of [alert, spoken, error]) say(part, "");
    if (!dialog.open) return;
    dialog.close();
    if (this.#before?.isConnected && focused() !== this.#before) this.#before.focus({ preventScroll: true });
    this.#before = undefined;
  }
}
