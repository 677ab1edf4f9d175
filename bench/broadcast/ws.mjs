/** A room on `ws`: a loop of `send`. Run it with Node, where it is the real package. */
import { WebSocket, WebSocketServer } from "ws";
import { announce } from "../servers/control.ts";

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: 0,
  perMessageDeflate: false,
}, () => announce(server.address().port));

server.on("connection", (socket) => {
  socket.on("error", () => {});
  socket.on("message", (data, isBinary) => {
    for (const client of server.clients) {
      if (client.readyState === WebSocket.OPEN) {
        client.send(data, { binary: isBinary });
      }
    }
  });
});
