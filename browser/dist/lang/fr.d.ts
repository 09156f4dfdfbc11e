import { type Messages } from "../timeout.js";

/** French. */
declare const fr: Messages;

export { fr };
