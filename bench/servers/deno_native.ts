/** Echo on `Deno.upgradeWebSocket`. Run it with Deno. */
import { announce, KEEPS_MESSAGES, TLS } from "./control.ts";

const kept: unknown[] = [];

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  ...TLS,
  onListen: ({ port }) => announce(port),
}, (request) => {
  const { socket, response } = Deno.upgradeWebSocket(request, {
    idleTimeout: 0,
  });
  socket.binaryType = "arraybuffer";
  socket.onmessage = KEEPS_MESSAGES
    ? ({ data }) => kept.push(data)
    : ({ data }) => socket.send(data);
  return response;
});
