/**
 * Makes an XMLHttpRequest that knows of the session, for code that uses one. It
 * marks requests to the page's origin as the page's own; a 401 makes the SDK look
 * at the status; an answer for another session than the page is about by then
 * comes as an `error`, without content.
 */
declare function createXHR(session: object): typeof XMLHttpRequest;

export { createXHR };
