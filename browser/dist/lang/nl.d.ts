import { type Messages } from "../timeout.js";

/** Dutch. */
declare const nl: Messages;

export { nl };
