/**
 * A runtime's own WebSockets as a peer: `server [CERT KEY]` (Deno and Bun), or
 * `client URL`. What it says and does is that of `python_peer.py`, as far as the
 * WHATWG interface can: no pings and no fragments.
 */
import { readFileSync } from "node:fs";
import process from "node:process";

function say(value) {
  console.log(JSON.stringify(value));
}

/** Answers a message, given how to send and to close. */
function answer(data, send, close) {
  if (typeof data === "string" && data.startsWith("close ")) {
    const [, code, reason] = data.split(" ");
    close(Number(code), reason);
  } else {
    send(data);
  }
}

function serveOnDeno(tls) {
  const serveOne = (request) => {
    const { socket, response } = globalThis.Deno.upgradeWebSocket(request);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) =>
      answer(
        data,
        (data) => socket.send(data),
        (code, reason) => socket.close(code, reason),
      );
    socket.onclose = ({ code, reason }) => say({ closed: [code, reason] });
    return response;
  };
  const onListen = ({ port }) => say({ port });
  const options = { hostname: "127.0.0.1", port: 0, onListen, ...tls };
  globalThis.Deno.serve(options, serveOne);
}

function serveOnBun(tls) {
  const { port } = globalThis.Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    tls,
    fetch: (request, server) =>
      server.upgrade(request) ? undefined : new Response("no", { status: 400 }),
    websocket: {
      maxPayloadLength: 2 ** 24,
      message: (socket, data) =>
        answer(
          data,
          (data) => socket.send(data),
          (code, reason) => socket.close(code, reason),
        ),
      close: (_socket, code, reason) => say({ closed: [code, reason] }),
    },
  });
  say({ port });
}

function next(socket, type) {
  return new Promise((resolve, reject) => {
    socket.addEventListener(type, resolve, { once: true });
    socket.addEventListener(
      "error",
      (event) => reject(new Error(event.message ?? "error event")),
      { once: true },
    );
  });
}

async function open(url) {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  await next(socket, "open");
  return socket;
}

async function echoes(socket, message) {
  const answer = next(socket, "message");
  socket.send(message);
  const { data } = await answer;
  if (typeof message === "string") return data === message;
  return data instanceof ArrayBuffer &&
    new Uint8Array(data).join() === message.join();
}

async function inOrder(socket, count) {
  const sent = Array.from({ length: count }, (_, index) => String(index));
  const received = [];
  const done = new Promise((resolve) => {
    socket.onmessage = ({ data }) => {
      received.push(data);
      if (received.length === count) resolve();
    };
  });
  for (const text of sent) socket.send(text);
  await done;
  socket.onmessage = null;
  return received.join() === sent.join();
}

async function closing(socket) {
  const { code, reason } = await next(socket, "close");
  return [code, reason];
}

async function client(url) {
  const socket = await open(url);
  const results = {
    text: await echoes(socket, "Hello, κόσμε \u{1f41f}"),
    empty: await echoes(socket, ""),
    binary: await echoes(socket, Uint8Array.from({ length: 256 }, (_, i) => i)),
    "large text": await echoes(socket, "x".repeat(2 ** 20)),
    "large binary": await echoes(socket, new Uint8Array(2 ** 20).fill(0xfe)),
    many: await inOrder(socket, 1000),
  };
  const closed = closing(socket);
  socket.close(4001, "bye");
  results.close = await closed;
  const second = await open(url);
  const closedByPeer = closing(second);
  second.send("close 3001 because");
  results.closed = await closedByPeer;
  say(results);
}

const [mode, ...rest] = process.argv.slice(2);
const [cert, key] = rest.map((file) =>
  mode === "client" ? undefined : readFileSync(file, "utf8")
);
const tls = cert === undefined ? undefined : { cert, key };
if (mode === "client") await client(...rest);
else if ("Deno" in globalThis) serveOnDeno(tls);
else serveOnBun(tls);
