import { linkOf } from "./link.ts";

/**
 * Makes an XMLHttpRequest that knows of the session, for code that uses one. It
 * marks requests to the page's origin as the page's own; a 401 makes the SDK look
 * at the status; an answer for another session than the page is about by then
 * comes as an `error`, without content.
 */
export function createXHR(session: object): typeof XMLHttpRequest {
  const link = linkOf(session);
  return class extends XMLHttpRequest {
    #method = "";
    #own = false;
    #whose: string | undefined;

    constructor() {
      super();
      const stale = () => this.#own && this.#whose && this.#whose !== link.handle() && link.handle();
      // First of all listeners, so that none of the others sees what is not theirs.
      this.addEventListener("readystatechange", (event) => {
        if (this.readyState < 2) return;
        if (stale()) {
          event.stopImmediatePropagation();
          if (this.readyState < 4) return;
          this.abort(); // drops the content, and with it the events to come
          this.dispatchEvent(new ProgressEvent("error"));
          this.dispatchEvent(new ProgressEvent("loadend"));
        } else if (this.readyState === 4 && this.#own && this.status === 401) link.check().catch(link.failed);
      });
      this.addEventListener("progress", (event) => stale() && event.stopImmediatePropagation());
    }

    override open(method: string, url: string | URL, async = true, user?: string | null, password?: string | null): void {
      super.open(method, url, async, user, password);
      this.#method = method.toUpperCase();
      this.#own = new URL(url, location.href).origin === location.origin;
    }

    override send(body?: Document | XMLHttpRequestBodyInit | null): void {
      this.#whose = link.handle();
      if (this.#own && !/^(GET|HEAD)$/.test(this.#method)) this.setRequestHeader("X-Session-CSRF", "1");
      if (this.#own && this.#whose) this.setRequestHeader("X-Session-Handle", this.#whose);
      super.send(body);
    }
  };
}
