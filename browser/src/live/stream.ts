import { BROKEN, refusal, type Carrier, type Frame } from "./carrier.ts";

/** Frames over server-sent events. Fetched, as an EventSource would not tell why it was refused. */
export const stream: Carrier = ({ env, base }, cursor, { frame, closed }) => {
  const abort = new AbortController();
  const { signal } = abort;
  const read = async (): Promise<void> => {
    const response = await env.fetch(`${base}/events?cursor=${cursor}`, { signal });
    if (!response.ok || !response.body) return closed(...refusal(response));
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done || signal.aborted) break;
      const events = (text + value).split("\n\n");
      text = events.pop() as string;
      for (const event of events) {
        const data = /^data: (.*)$/m.exec(event)?.[1];
        if (!data) continue;
        const told = JSON.parse(data) as Frame;
        if (told.type === "close") return closed(told.data?.["code"] as number);
        frame(told);
      }
    }
    closed(BROKEN);
  };
  read().catch(() => signal.aborted || closed(BROKEN));
  return { close: () => abort.abort() };
};
