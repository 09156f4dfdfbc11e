import { type Messages } from "../timeout.js";

/** Japanese. */
declare const ja: Messages;

export { ja };
