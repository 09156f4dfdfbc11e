import { type Messages } from "../timeout.js";

/** German. */
declare const de: Messages;

export { de };
