import type { Carrier, Frame } from "./carrier.ts";

/** Frames over a WebSocket, one in each message. */
export const webSocket: Carrier = ({ base }, cursor, { frame, closed }) => {
  const address = new URL(`${base}/ws?cursor=${cursor}`, location.href).href.replace(/^http/, "ws");
  const socket = new WebSocket(address, "session.v1");
  socket.onmessage = (event) => frame(JSON.parse(event.data as string) as Frame);
  socket.onclose = (event) => closed(event.code);
  return {
    say: (message) => socket.send(JSON.stringify(message)),
    close(code = 1000) {
      socket.onmessage = socket.onclose = null;
      socket.close(code);
    },
  };
};
