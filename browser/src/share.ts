import type { Link } from "./link.ts";
import { BROKEN, SILENT, type Carrier, type Frame, type Sharing } from "./live/carrier.ts";
import { ask } from "./live/poll.ts";

const BEAT_MS = 10_000;

const offsetOf = (cursor: string) => Number(cursor.split(".")[1]);
const nameOf = ({ base }: Link) => `sojourn live ${base}`;

/**
 * Frames through another tab. What came before the first of them is polled, and
 * so is what is missing between two: nothing depends on the other tab.
 */
const follower = (silent: () => void): Carrier => (link, cursor, { frame, closed }) => {
  let waiting: Frame[] | undefined = [];
  let at = NaN;
  let over = false;
  const deliver = (next: Frame): void => {
    if (over) return;
    if (next.id) {
      const offset = offsetOf(next.id);
      if (offset <= at) return;
      if (offset > at + 1) return end(BROKEN); // polled when connecting again
      at = offset;
    }
    frame(next);
  };
  const channel = link.env.channel(nameOf(link), (text) => {
    const next = JSON.parse(text) as Frame;
    if (waiting) waiting.push(next);
    else deliver(next);
  });
  const end = (code: number, waitMs?: number): void => {
    over = true;
    channel.close();
    closed(code, waitMs);
  };
  const abort = new AbortController();
  ask(link, cursor, 0, abort.signal).then(
    (answer) => {
      if (over) return;
      if (Array.isArray(answer)) return end(...answer);
      const { recovered, status, events } = answer;
      at = offsetOf(answer.cursor);
      frame({ type: "hello", data: { recovered, cursor: recovered ? cursor : answer.cursor, status, ping_ms: BEAT_MS } });
      events.forEach(frame);
      waiting?.forEach(deliver);
      waiting = undefined;
    },
    () => over || end(BROKEN),
  );
  return {
    close(code) {
      over = true;
      abort.abort();
      channel.close();
      if (code === SILENT) silent();
    },
  };
};

/**
 * Lets the tabs of this browser share one connection, for `connectLive`. Worth it
 * over HTTP/1.1 without WebSockets, where a browser has six connections for all of
 * them. Needs Web Locks; without these each tab has its own.
 *
 * The tab that holds a lock leads. A leader that was frozen holds the lock
 * and says nothing: then it is stolen, and the old leader follows when it wakes.
 */
export const shareConnection: Sharing = (link, follow) => {
  const { env } = link;
  const locks = globalThis.navigator?.locks;
  if (!locks) return undefined;
  const name = nameOf(link);
  let wanted = false;
  let release: (() => void) | undefined; // while leading
  let queued = new AbortController();
  let beat: unknown;
  const channel = env.channel(name, () => {});

  function say(frame: Frame): void {
    channel.post(JSON.stringify(frame));
  }

  function beats(): void {
    say({ type: "beat" });
    beat = env.setTimeout(beats, BEAT_MS);
  }

  function demote(): void {
    env.clearTimeout(beat);
    release = undefined;
    if (wanted) follow(carrier);
  }

  function request(steal: boolean): void {
    queued.abort();
    queued = new AbortController();
    const { signal } = queued;
    let mine: (() => void) | undefined;
    const held = () =>
      new Promise<void>((resolve) => {
        if (!wanted) return resolve();
        release = mine = resolve;
        follow(undefined);
        beats();
      });
    locks.request(name, steal ? { steal } : { signal }, held).catch(() => {
      if (!mine || release !== mine) return; // never led
      demote();
      request(false);
    });
  }

  const carrier = follower(() => {
    if (wanted && !release) request(true);
  });

  return {
    start() {
      if (wanted) return;
      wanted = true;
      follow(carrier);
      request(false);
    },
    stop() {
      wanted = false;
      queued.abort();
      const end = release;
      demote();
      end?.();
    },
    pass(frame) {
      if (release && !["hello", "ack", "error", "ping", "drain"].includes(frame.type)) say(frame);
    },
  };
};
