import { css } from "./style.ts";

/** The parts of the dialog, inside of its shadow root. */
export interface View {
  readonly dialog: HTMLDialogElement;
  readonly title: HTMLElement;
  /** For eyes: a sentence with a time that changes each second, and is not read out. */
  readonly before: HTMLElement;
  readonly time: HTMLElement;
  readonly after: HTMLElement;
  /** For ears: read out when the dialog opens, and after each change. */
  readonly spoken: HTMLElement;
  /** Read out at once, whatever is being said. */
  readonly alert: HTMLElement;
  readonly error: HTMLElement;
  readonly extend: HTMLButtonElement;
  readonly end: HTMLButtonElement;
  readonly close: HTMLButtonElement;
  readonly again: HTMLAnchorElement;
}

let sheet: CSSStyleSheet | undefined;

function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Record<string, string>,
  ...children: Node[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Builds the dialog into `root`, node by node: no markup is ever parsed (Trusted Types). */
export function createView(root: ShadowRoot): View {
  sheet ??= new CSSStyleSheet();
  if (!sheet.cssRules.length) sheet.replaceSync(css);
  root.adoptedStyleSheets = [sheet];
  const view = {
    title: make("h2", { id: "title", part: "title" }),
    before: make("span", {}),
    time: make("span", { part: "time" }),
    after: make("span", {}),
    spoken: make("p", { id: "spoken", class: "spoken", "aria-live": "polite" }),
    alert: make("p", { class: "spoken", role: "alert" }),
    error: make("p", { part: "error", role: "alert" }),
    extend: make("button", { type: "button", part: "button extend", class: "main" }),
    end: make("button", { type: "button", part: "button end" }),
    close: make("button", { type: "button", part: "button close", class: "main" }),
    again: make("a", { part: "button again", class: "main" }),
  };
  const dialog = make(
    "dialog",
    {
      part: "dialog",
      role: "alertdialog", // it wants an answer
      "aria-labelledby": "title",
      "aria-describedby": "spoken",
      tabindex: "-1", // to take the focus itself
      closedby: "none",
    },
    view.title,
    make("p", { part: "text", "aria-hidden": "true" }, view.before, view.time, view.after),
    view.spoken,
    view.alert,
    view.error,
    make("slot", {}),
    make("div", { part: "actions" }, view.extend, view.close, view.end, view.again),
  );
  root.append(dialog);
  return { dialog, ...view };
}

/** Sets the text of an element only if it is another: what is set is read out again. */
export function say(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Gives the element that has the focus, inside of whatever shadow roots. */
export function focused(): HTMLElement | undefined {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return element instanceof HTMLElement && element !== document.body ? element : undefined;
}
