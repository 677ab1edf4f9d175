/** A room on `Deno.upgradeWebSocket`: a loop of `send`. Run it with Deno. */
import { announce } from "../servers/control.ts";

const members = new Set<WebSocket>();

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => announce(port),
}, (request) => {
  const { socket, response } = Deno.upgradeWebSocket(request, {
    idleTimeout: 0,
  });
  socket.binaryType = "arraybuffer";
  socket.onopen = () => members.add(socket);
  socket.onclose = () => members.delete(socket);
  socket.onmessage = ({ data }) => {
    for (const member of members) {
      if (member.readyState === WebSocket.OPEN) member.send(data);
    }
  };
  return response;
});
