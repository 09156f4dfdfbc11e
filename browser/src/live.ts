import { isObject, randomId, type Json } from "./json.ts";
import type { Frame, Sharing } from "./live/carrier.ts";
import { createConnection } from "./live/connection.ts";
import { linkOf } from "./link.ts";
import type { Stop } from "./emitter.ts";
import type { DataChange, LiveState, Session } from "./session.ts";
import { camel, type Status, type Transport } from "./status.ts";

/** Shapes a live connection. Nothing is required. */
export interface LiveOptions {
  /** What to use, in this order. Default: what the server offers, best first. */
  transports?: readonly Transport[];
  /** `shareConnection`, if the tabs of this browser are to share one. Default: each has its own. */
  share?: Sharing;
}

/** The live connection of a page. What comes is told by the session's events `message`, `data`, `reset` and `live`. */
export interface Live {
  /** How it stands; the session's event `live` tells of changes. */
  readonly state: LiveState;
  /** Uses other transports from now on; none: those that the server offers. */
  use(...transports: Transport[]): void;
  /**
   * Sends a message to the application's OnMessage and gives its reply. `type`
   * begins with "app.". With the same `id` it may be sent again after a lost
   * answer; the application sees the `id`. Works without a connection, too.
   */
  send(type: string, data?: unknown, id?: string): Promise<Json | undefined>;
  /** Closes it for good. */
  close(): void;
}

/** Connects a page to the server for as long as its session lives. */
export function connectLive(session: Pick<Session<object>, "on">, options: LiveOptions = {}): Live {
  const link = linkOf(session);
  const { env, events } = link;
  const asked = new Map<string, (frame?: Frame) => void>();
  let state: LiveState = { state: "off", transport: undefined };

  /** Takes a status, or a part of one, as of now. */
  function learn(part: object): void {
    const now = link.status();
    const next = camel(part) as Status;
    const same = !("h" in next) || (now && "h" in now && now.h === next.h);
    link.tell(same && next.state !== "ended" ? ({ ...now, ...next } as Status) : next);
  }

  function heard(frame: Frame): void {
    share?.pass(frame);
    const { type, cid = "", data = {}, rev = 0 } = frame;
    if (type === "hello") {
      if (isObject(data["status"])) learn(data["status"]);
      if (!data["recovered"]) {
        // What this page knows may be old.
        link.check().then((status) => events.emit("reset", status), link.failed);
      }
    } else if (type === "session.data") {
      const { keys = [], values = {}, deleted = [] } = data as Partial<DataChange>;
      events.emit("data", { rev, keys, values, deleted });
    } else if (type === "session.ended") {
      const { reason } = data as { reason?: string };
      if (reason === "moved" || reason === "replaced") link.check().catch(link.failed);
      else learn({ state: "ended", h: link.handle(), reason });
    } else if (/^session\.(extended|expiring|status)$/.test(type)) learn(data);
    else if (type.startsWith("app.")) events.emit("message", { type, data: frame.data as Json | undefined });
    else asked.get(cid)?.(frame);
  }

  const connection = createConnection(link, heard);
  const share = options.share?.(link, (carrier) => {
    connection.follow(carrier);
    connection.start();
  });
  const start = () => (share ?? connection).start();
  const stop = () => {
    share?.stop();
    connection.stop();
  };
  const follow = (status: Status) => (status.state === "active" ? start() : stop());

  connection.use(options.transports);
  const stops: Stop[] = !globalThis.location ? [] : [ // where pages are rendered there is nothing to connect
    session.on("ended", () => {}), // keeps watch
    events.on("live", (next) => {
      state = next;
      if (next.state !== "open") for (const fail of asked.values()) fail();
    }),
    events.on("status", follow),
    events.on("close", close),
    env.onPage((what) => {
      if (what === "gone") stop(); // until the session has been asked for, when the page is back
      if (what === "seen") connection.wake();
    }),
  ];
  const known = link.status();
  if (known) follow(known);

  link.active = (msAgo) => {
    const line = connection.line();
    line?.say?.({ type: "activity", data: { active_ms_ago: msAgo } });
    return !!line?.say;
  };

  function close(): void {
    link.active = undefined;
    for (const end of stops.splice(0)) end();
    stop();
  }

  return {
    get state() {
      return state;
    },
    use: (...transports) => connection.use(transports.length ? transports : undefined),
    send(type, data, id = randomId(env)) {
      const line = connection.line();
      if (!line?.say) {
        return link
          .ask("POST", "/send", { body: JSON.stringify({ type, data }), key: id })
          .then(({ body }) => (isObject(body) ? (body["data"] as Json) : undefined));
      }
      return new Promise((resolve, reject) => {
        const timer = env.setTimeout(() => answered(), 10_000);
        const answered = (frame?: Frame): void => {
          env.clearTimeout(timer);
          asked.delete(id);
          if (frame?.type === "ack") return resolve(frame.data as Json | undefined);
          const code = frame ? (frame.data?.["code"] as "rejected") : "network";
          reject(new link.Failure(code, "the message was not acknowledged"));
        };
        asked.set(id, answered);
        line.say?.({ type, cid: id, data });
      });
    },
    close,
  };
}
