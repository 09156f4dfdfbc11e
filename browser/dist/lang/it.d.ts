import { type Messages } from "../timeout.js";

/** Italian. */
declare const it: Messages;

export { it };
