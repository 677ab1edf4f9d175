/**
 * TCP over WebSockets, as websockify does it, in either direction.
 *
 * WebSocket connections, on any path, to a TCP server, such as VNC for noVNC:
 *
 *     deno run -A examples/websockify.ts localhost:5900
 *     bun run examples/websockify.ts localhost:5900
 *     node examples/websockify.ts localhost:5900
 *
 * TCP connections to a WebSocket server, which is this program again, or any other
 * websockify; two of them make a tunnel:
 *
 *     PORT=5901 node examples/websockify.ts ws://localhost:8080/
 *
 * @module
 */

import { once } from "node:events";
import { createConnection, createServer, type Socket } from "node:net";
import process from "node:process";
import { byteStream, type Connection, dial, Site } from "@sockeye/sockeye";

/** What two of this program agree on: each direction ends by itself, as in TCP. */
const HALF_CLOSE = "binary-half-close";
const SUBPROTOCOLS = [HALF_CLOSE, "binary", "base64"];
/** How long a socket may be silent when its WebSocket is gone. */
const LINGER_MS = 10_000;

const { PORT = "8080", HOST = "127.0.0.1" } = process.env;
const target = process.argv[2] ?? "";
if (/^wss?:/.test(target)) await fromTcp(target);
else if (/^[^/]+:\d+$/.test(target)) await toTcp(new URL(`tcp://${target}`));
else {
  console.error("Usage: websockify.ts HOST:PORT | URL");
  process.exitCode = 2;
}

/** Takes WebSocket connections, and opens a TCP connection for each. */
async function toTcp({ hostname, port }: URL): Promise<void> {
  const host = hostname.replace(/^\[|\]$/g, "");
  const site = new Site({
    subprotocols: SUBPROTOCOLS,
    // Who offers none, as noVNC does today, gets "binary".
    upgrade: (_, { subprotocols }) => {
      if (subprotocols.length === 0) return;
      if (subprotocols.some((name) => SUBPROTOCOLS.includes(name))) return;
      return new Response(`Not among ${SUBPROTOCOLS}\n`, { status: 406 });
    },
  });
  site.addHandler("/*", async (connection) => {
    const to = { host, port: Number(port), allowHalfOpen: true };
    const socket = createConnection(to);
    connection.closed.then(() => {
      if (socket.connecting) socket.destroy(new Error("nobody waits"));
    });
    try {
      await once(socket, "connect");
    } catch {
      return void connection.close(1011, "cannot connect to the target");
    }
    await join(socket, connection);
  });
  const server = await site.listen({ port: Number(PORT), hostname: HOST });
  if (server.addr.transport === "tcp") {
    console.log(`Listening on ws://localhost:${server.addr.port}/`);
  }
  onSignal(() => server.shutdown());
}

/** Takes TCP connections, and opens a WebSocket connection for each. */
async function fromTcp(url: string): Promise<void> {
  const connections = new Set<Connection>();
  const ending = new AbortController();
  const server = createServer({ allowHalfOpen: true }, async (socket) => {
    socket.on("error", () => {});
    try {
      const connection = await dial(url, {
        // In this order: websockify 0.10 finds only the first of several.
        subprotocols: ["binary", HALF_CLOSE],
        compression: false,
        signal: ending.signal,
      });
      connections.add(connection);
      await join(socket, connection);
      connections.delete(connection);
    } catch (error) {
      if (!ending.signal.aborted) console.error(String(error));
      socket.destroy();
    }
  });
  server.listen(Number(PORT), HOST);
  await once(server, "listening");
  const address = server.address();
  if (typeof address === "object" && address !== null) {
    console.log(`Listening on tcp://localhost:${address.port}`);
  }
  onSignal(() => {
    server.close();
    ending.abort();
    for (const connection of connections) connection.close(1001);
  });
}

/** Copies what each side says to the other, until both have ended. */
async function join(socket: Socket, connection: Connection): Promise<void> {
  const { subprotocol } = connection;
  const { readable, writable } = byteStream(connection, {
    encoding: subprotocol === "base64" ? "base64" : "binary",
    halfClose: subprotocol === HALF_CLOSE,
  });
  const gone = new AbortController();
  if (socket.closed) gone.abort();
  socket.setNoDelay().on("error", () => {}).on("close", () => gone.abort());
  connection.closed.then(() =>
    socket.setTimeout(LINGER_MS, () => socket.destroy())
  );
  await Promise.allSettled([
    upload(socket, writable),
    readable.pipeTo(socketWritable(socket, gone.signal)),
  ]);
  // Where the WebSocket ended first, the rest has nowhere to go.
  socket.resume();
  if (!gone.signal.aborted) await once(gone.signal, "abort");
}

/** Sends what a socket says. */
async function upload(
  socket: Socket,
  writable: WritableStream<Uint8Array>,
): Promise<void> {
  const writer = writable.getWriter();
  try {
    // The end of this direction is not that of the other.
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      await writer.write(chunk);
    }
    await writer.close();
  } catch (error) {
    await writer.abort(error);
  }
}

/** A stream that writes to a socket, and waits while its buffer is full. */
function socketWritable(
  socket: Socket,
  signal: AbortSignal,
): WritableStream<Uint8Array> {
  return new WritableStream({
    async write(chunk) {
      if (!socket.write(chunk)) await once(socket, "drain", { signal });
    },
    close: () => void socket.end(),
    abort: () => void socket.destroy(),
  });
}

function onSignal(end: () => void): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, end);
  }
}
