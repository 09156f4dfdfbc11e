import type { Link } from "../link.ts";
import type { LiveState } from "../session.ts";
import type { ActiveStatus, Transport } from "../status.ts";
import { BROKEN, SILENT, type Carrier, type Frame, type Line } from "./carrier.ts";
import { poll } from "./poll.ts";
import { stream } from "./stream.ts";
import { webSocket } from "./websocket.ts";

/** A connection that keeps itself up, over whatever works. */
export interface Connection {
  /** Connects if it may: on news of the session, or when the page wakes. */
  start(): void;
  /** Closes, until `start`. */
  stop(): void;
  /** Uses only these, in this order; undefined: those that the server offers. */
  use(transports: readonly Transport[] | undefined): void;
  /** Goes through another tab, or, without it, by itself again. */
  follow(shared: Carrier | undefined): void;
  /** Hears that the page is back, or the network: connects within a second, if it should be. */
  wake(): void;
  /** The open line. */
  line(): Line | undefined;
}

const CARRIERS: Record<Transport, Carrier> = { ws: webSocket, sse: stream, poll };
const STABLE_MS = 10_000;
const BACKOFF_MAX_MS = 30_000;
/** Between attempts to climb back to the best transport. */
const CLIMB_MS = 300_000;
/** Beyond the server's sign of life. */
const GRACE_MS = 15_000;
/** A loss that is shorter is nobody's business. */
const LOST_MS = 3_000;

/**
 * Makes a connection.
 *
 *     off ──start──▶ connecting ──hello──▶ open
 *      ▲                 ▲  │                │
 *      └──4400…──────────┼──┴────closed──────┘
 *                        └─ after a while: the next transport if this one never opened
 */
export function createConnection(link: Link, heard: (frame: Frame) => void): Connection {
  const { env, events } = link;
  let wanted = false;
  let forced: readonly Transport[] | undefined;
  let shared: Carrier | undefined;
  let handle: string | undefined; // whose cursor it is
  let line: Line | undefined;
  let open = false;
  let cursor = "";
  let level = 0; // of the list of transports
  let misses = 0; // attempts at this level that never opened
  let losses = 0;
  let fellAt = 0;
  let openedAt = 0;
  let heardAt = 0;
  let silenceMs = 0;
  let spreadMs = 1000; // over how long the server wants its pages to come back
  let drainMs: number | undefined;
  let climb: unknown;
  let retry: unknown;
  let dog: unknown;
  let lost: unknown;
  let told: LiveState = { state: "off", transport: undefined };

  const status = () => link.status() as ActiveStatus | undefined;
  const transports = (): readonly LiveState["transport"][] => (shared ? ["shared"] : (forced ?? status()?.transports ?? []));

  function tell(state: LiveState["state"], transport = told.transport): void {
    if (state === told.state && transport === told.transport) return;
    events.emit("live", (told = { state, transport }));
  }

  function hang(code?: number): void {
    line?.close(code);
    line = undefined;
    open = false;
    env.clearTimeout(retry);
    env.clearTimeout(dog);
    env.clearTimeout(climb);
    retry = undefined;
  }

  function connect(): void {
    hang();
    const list = transports();
    if (!wanted || status()?.state !== "active" || !list.length) return;
    if (handle !== link.handle()) cursor = "";
    handle = link.handle();
    if (level && env.now() - fellAt >= CLIMB_MS) fall(0, 1);
    level = Math.min(level, list.length - 1);
    const transport = list[level];
    if (told.state === "off") tell("connecting", transport);
    // Not for ever: a proxy may hold a connection without a word.
    heardAt = env.now();
    silenceMs = GRACE_MS;
    watch();
    try {
      const mine: Line = (shared ?? CARRIERS[transport as Transport])(link, cursor || (status()?.cursor ?? ""), {
        frame: (frame) => line === mine && take(frame, transport),
        closed: (code, waitMs) => line === mine && closed(code, waitMs),
      });
      line = mine;
    } catch {
      closed(BROKEN); // this browser has none
    }
  }

  function fall(to: number, missed = 0): void {
    level = to;
    misses = missed;
    fellAt = env.now();
  }

  /** A line without a sign of life is none. Timers may be late, so the clock is asked too. */
  function watch(): void {
    env.clearTimeout(dog);
    const left = heardAt + silenceMs - env.now();
    if (left <= 0) closed(SILENT);
    else dog = env.setTimeout(watch, left);
  }

  async function closed(code: number, waitMs = drainMs): Promise<void> {
    const opened = open;
    hang(code === SILENT ? code : undefined); // any other has closed it already
    drainMs = undefined;
    lost ??= env.setTimeout(() => tell("lost"), LOST_MS);
    if (opened && env.now() - openedAt > STABLE_MS) losses = 0;
    const ended = code === 4401 || code === 4402 || code === 4404;
    if (code >= 4400 && !ended) {
      stop();
      return link.failed(new link.Failure("refused", `the live connection was refused: ${code}`));
    }
    let wait = waitMs ?? env.random() * (losses ? Math.min(BACKOFF_MAX_MS, 1000 * 2 ** losses) : spreadMs);
    losses++;
    if (ended || code === 4011 || !opened) {
      retry = 0; // taken
      try {
        const now = await link.check();
        if (now.state !== "active") return; // whoever hears of a new session calls start
        if (!opened && !ended && ++misses > 1 && level < transports().length - 1) fall(level + 1);
      } catch {
        wait = Math.max(wait, env.random() * 1000);
      }
      if (retry !== 0 || line || !wanted) return; // something else has come between
    }
    retry = env.setTimeout(connect, wait);
  }

  function take(frame: Frame, transport: LiveState["transport"]): void {
    heardAt = env.now();
    const { id, type } = frame;
    const data = frame.data ?? {};
    const [epoch, offset = 0] = (id ?? "").split(".");
    const [known, handled = 0] = cursor.split(".");
    if (id && epoch === known && +offset <= +handled) return;
    if (!id) spreadMs = (data["spread_ms"] as number | undefined) ?? spreadMs; // hello, ping
    if (type === "hello") {
      open = true;
      openedAt = heardAt;
      misses = 0;
      env.clearTimeout(lost);
      lost = undefined;
      if (level) climb = env.setTimeout(connect, fellAt + CLIMB_MS - heardAt);
      silenceMs = (data["ping_ms"] as number) + GRACE_MS;
      watch();
      if (!cursor || !data["recovered"]) cursor = data["cursor"] as string;
      tell("open", transport);
    }
    if (type === "ping") line?.say?.({ type: "pong" });
    else if (type === "drain") drainMs = data["after_ms"] as number;
    else heard(frame);
    if (id) cursor = id; // only now: what handled it may have thrown the page away
  }

  function stop(): void {
    wanted = false;
    hang();
    env.clearTimeout(lost);
    lost = undefined;
    tell("off", undefined);
  }

  return {
    stop,
    line: () => (open ? line : undefined),
    start() {
      wanted = true;
      if (!line && retry === undefined) connect();
    },
    use(list) {
      forced = list;
      level = misses = 0;
      if (wanted) connect();
    },
    follow(carrier) {
      shared = carrier;
      level = misses = 0;
      if (wanted) connect();
    },
    wake() {
      if (line) watch();
      else if (wanted) {
        env.clearTimeout(retry);
        retry = env.setTimeout(connect, env.random() * 1000);
      }
    },
  };
}
