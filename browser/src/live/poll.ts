import type { Link } from "../link.ts";
import { BROKEN, refusal, type Carrier, type Frame } from "./carrier.ts";

/** How long the server may hold an answer back. */
const WAIT_S = 25;

/** What a poll gives. */
export interface Polled {
  recovered: boolean;
  cursor: string;
  events: Frame[];
  status?: object;
  after_ms?: number;
}

/** Sends one poll. A refusal is given as what `closed` takes. */
export async function ask({ env, base }: Link, cursor: string, wait: number, signal: AbortSignal): Promise<Polled | [code: number, waitMs?: number]> {
  const response = await env.fetch(`${base}/poll?cursor=${cursor}&wait=${wait}`, { signal });
  return response.ok ? ((await response.json()) as Polled) : refusal(response);
}

/** Frames by long polling: what comes with one answer is acknowledged by the next question. */
export const poll: Carrier = (link, cursor, { frame, closed }) => {
  const abort = new AbortController();
  const { signal } = abort;
  const next = async (wait: number): Promise<void> => {
    const answer = await ask(link, cursor, wait, signal);
    if (signal.aborted) return;
    if (Array.isArray(answer)) return closed(...answer);
    const { recovered, events, status } = answer;
    // The first answer comes at once and says that the connection works.
    if (!wait || !recovered) {
      frame({ type: "hello", data: { recovered, cursor: recovered ? cursor : answer.cursor, status, ping_ms: WAIT_S * 1000 } });
    }
    cursor = answer.cursor;
    events.forEach(frame);
    frame({ type: "ping" }); // also without events: the line lives
    if (answer.after_ms) closed(BROKEN, answer.after_ms);
    else if (!signal.aborted) await next(WAIT_S);
  };
  next(0).catch(() => signal.aborted || closed(BROKEN));
  return { close: () => abort.abort() };
};
