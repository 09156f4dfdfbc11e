import { define } from "../custom.ts";
import { SojournTimeout } from "./element.ts";

export { SojournTimeout } from "./element.ts";
export { addLanguage } from "./languages.ts";
export type { Messages, Plural } from "./messages.ts";

define("sojourn-timeout", SojournTimeout);

declare global {
  interface HTMLElementTagNameMap {
    "sojourn-timeout": SojournTimeout;
  }
}
