import { type Messages } from "../timeout.js";

/** Portuguese. */
declare const pt: Messages;

export { pt };
