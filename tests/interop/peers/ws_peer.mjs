/**
 * `ws` as a peer: `server [CERT KEY]`, or `client URL`. What it says and does is that of
 * `python_peer.py`. With `talk URL TEXT…` it says what it hears.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import process from "node:process";
import { WebSocket, WebSocketServer } from "ws";

function say(value) {
  console.log(JSON.stringify(value));
}

function serveOne(socket) {
  socket.on("message", (data, isBinary) => {
    const text = isBinary ? "" : String(data);
    if (text === "ping") {
      socket.once("pong", () => socket.send("pong"));
      socket.ping("are you there");
    } else if (text === "fragments") {
      socket.send("frag", { fin: false });
      socket.send("men", { fin: false });
      socket.send("ts", { fin: true });
    } else if (text.startsWith("close ")) {
      const [, code, reason] = text.split(" ");
      socket.close(Number(code), reason);
    } else {
      socket.send(data, { binary: isBinary });
    }
  });
  socket.on("close", (code, reason) => say({ closed: [code, String(reason)] }));
}

async function serve() {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  server.on("connection", serveOne);
  await once(server, "listening");
  say({ port: server.address().port });
}

async function serveOverTls(cert, key) {
  const server = createServer({
    cert: readFileSync(cert),
    key: readFileSync(key),
  });
  new WebSocketServer({ server }).on("connection", serveOne);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  say({ port: server.address().port });
}

async function open(url) {
  const socket = new WebSocket(url);
  await once(socket, "open");
  return socket;
}

/** Sends in one piece or in several, and compares what comes back. */
async function echoes(socket, ...pieces) {
  const answer = once(socket, "message");
  pieces.forEach((piece, index) =>
    socket.send(piece, { fin: index === pieces.length - 1 })
  );
  const [data, isBinary] = await answer;
  const sent = Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
  return isBinary === (typeof pieces[0] !== "string") && sent.equals(data);
}

async function inOrder(socket, count) {
  const sent = Array.from({ length: count }, (_, index) => String(index));
  const received = [];
  const done = new Promise((resolve) => {
    socket.on("message", (data) => {
      received.push(String(data));
      if (received.length === count) resolve();
    });
  });
  for (const text of sent) socket.send(text);
  await done;
  socket.removeAllListeners("message");
  return received.join() === sent.join();
}

async function pingIsAnswered(socket) {
  const answer = once(socket, "pong");
  socket.ping("payload");
  return String((await answer)[0]) === "payload";
}

async function closing(socket) {
  const [code, reason] = await once(socket, "close");
  return [code, String(reason)];
}

async function client(url) {
  const socket = await open(url);
  const results = {
    text: await echoes(socket, "Hello, κόσμε \u{1f41f}"),
    empty: await echoes(socket, ""),
    binary: await echoes(socket, Uint8Array.from({ length: 256 }, (_, i) => i)),
    "large text": await echoes(socket, "x".repeat(2 ** 20)),
    "large binary": await echoes(socket, new Uint8Array(2 ** 20).fill(0xfe)),
    fragments: await echoes(socket, "one", " ", "two"),
    many: await inOrder(socket, 1000),
    ping: await pingIsAnswered(socket),
  };
  socket.close(4001, "bye");
  results.close = await closing(socket);
  const second = await open(url);
  second.send("close 3001 because");
  results.closed = await closing(second);
  say(results);
}

/** Sends each text, and says what comes, until the other side closes. */
async function talk(url, texts) {
  const socket = new WebSocket(url);
  socket.on("message", (data) => say(String(data)));
  socket.on("open", () => texts.forEach((text) => socket.send(text)));
  say({ closed: await closing(socket) });
}

const [mode, first, ...rest] = process.argv.slice(2);
if (mode === "talk") await talk(first, rest);
else if (mode === "client") await client(first);
else await (first === undefined ? serve() : serveOverTls(first, ...rest));
