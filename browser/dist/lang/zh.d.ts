import { type Messages } from "../timeout.js";

/** Chinese, in simplified characters. */
declare const zh: Messages;

export { zh };
