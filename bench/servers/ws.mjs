/** Echo on `ws`. Run it with Node, where it is the real package. */
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { WebSocketServer } from "ws";
import { announce, DEFLATE, KEEPS_MESSAGES, TLS } from "./control.ts";

const kept = [];

const server = TLS === undefined ? createServer() : createTlsServer(TLS);

const sockets = new WebSocketServer({
  server,
  perMessageDeflate: DEFLATE !== undefined,
  maxPayload: 64 * 1024 * 1024,
});

sockets.on("connection", (socket) => {
  socket.on("error", () => {});
  socket.on("message", (data, isBinary) => {
    if (KEEPS_MESSAGES) kept.push(data);
    else socket.send(data, { binary: isBinary });
  });
});

server.listen(0, "127.0.0.1", () => announce(server.address().port));
