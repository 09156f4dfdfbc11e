import { type Messages } from "../timeout.js";

/** Polish. */
declare const pl: Messages;

export { pl };
