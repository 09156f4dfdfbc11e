import { type Messages } from "../timeout.js";

/** Spanish. */
declare const es: Messages;

export { es };
