/** Echo on `ws`. Run it with Node, where it is the real package. */
import { WebSocketServer } from "ws";
import { announce, KEEPS_MESSAGES } from "./control.ts";

const kept = [];

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: 0,
  perMessageDeflate: false,
  maxPayload: 64 * 1024 * 1024,
}, () => announce(server.address().port));

server.on("connection", (socket) => {
  socket.on("error", () => {});
  socket.on("message", (data, isBinary) => {
    if (KEEPS_MESSAGES) kept.push(data);
    else socket.send(data, { binary: isBinary });
  });
});
