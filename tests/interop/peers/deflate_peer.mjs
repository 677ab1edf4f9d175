/**
 * A peer that compresses: `ws` or `native`, then `client` or `server [CERT KEY]`, then
 * the options of its compression as JSON. A client dials each URL that it reads, and says
 * which extensions it has there, and whether all came back as it was sent; a server
 * echoes, and answers "extensions".
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import process from "node:process";
import { createInterface } from "node:readline";

function say(value) {
  console.log(JSON.stringify(value));
}

/** Texts that resemble each other, short and long; all peers have the same. */
function messages() {
  return Array.from(
    { length: 40 },
    (_, index) => `{"index":${index},"of":"many"}`.repeat(1 + index ** 2),
  );
}

const LIMIT_BYTES = 2 ** 24;

async function serveWithWs(options, tls) {
  const { WebSocketServer } = await import("ws");
  const server = tls === undefined ? createServer() : createTlsServer(tls);
  const sockets = new WebSocketServer({ server, perMessageDeflate: options });
  sockets.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => {
      const asks = String(data) === "extensions";
      socket.send(asks ? socket.extensions : data, { binary: isBinary });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  say({ port: server.address().port });
}

function serveOnBun(options, tls) {
  const { port } = globalThis.Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    tls,
    fetch: (request, server) =>
      server.upgrade(request) ? undefined : new Response("no", { status: 400 }),
    websocket: {
      maxPayloadLength: LIMIT_BYTES,
      perMessageDeflate: options,
      // It cannot tell what was agreed on.
      message: (socket, data) =>
        void socket.send(data === "extensions" ? "" : data, true),
    },
  });
  say({ port });
}

async function open(kind, url, options) {
  if (kind === "ws") {
    const { WebSocket } = await import("ws");
    return new WebSocket(url, { perMessageDeflate: options });
  }
  return new WebSocket(url);
}

async function client(kind, url, options) {
  const socket = await open(kind, url, options);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error("error event")));
  });
  let echoes = true;
  for (const message of messages()) {
    const answer = new Promise((resolve) =>
      socket.addEventListener("message", resolve, { once: true })
    );
    socket.send(message);
    echoes &&= (await answer).data === message;
  }
  say({ extensions: socket.extensions, echoes });
  socket.close(1000);
}

const [kind, mode, ...rest] = process.argv.slice(2);
const options = JSON.parse(rest.pop() ?? "true");
const serve = kind === "ws" ? serveWithWs : serveOnBun;
if (mode === "client") {
  for await (const url of createInterface({ input: process.stdin })) {
    await client(kind, url, options);
  }
} else if (rest.length === 0) await serve(options);
else {
  const [cert, key] = rest.map((file) => readFileSync(file, "utf8"));
  await serve(options, { cert, key });
}
