import { connect as connectSocket, createServer } from "node:net";
import { connect as connectTls } from "node:tls";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import {
  bytes,
  certificate,
  listen,
  openPair,
  Recorder,
  runtime,
  target,
} from "./recorder.ts";
import type {
  ConnectTls,
  Listener,
  ListenTls,
} from "../../runtime/transport.ts";

const ca = certificate("ca.crt");
const leaf: ListenTls = {
  cert: certificate("leaf.crt"),
  key: certificate("leaf.key"),
};

/** Accepts and drops. */
function listenTls(tls: ListenTls = leaf): Promise<Listener> {
  return listen({
    tls,
    accept(transport) {
      transport.start(new Recorder());
      transport.destroy();
    },
  });
}

/** Connects with `tls` and drops the connection. */
async function dial(listener: Listener, tls: ConnectTls): Promise<void> {
  const transport = await runtime.connect({ ...target(listener), tls });
  const sink = new Recorder();
  transport.start(sink);
  transport.destroy();
  await sink.closed();
}

test("TLS carries bytes and both ends", async () => {
  const pair = await openPair({ tls: leaf }, { tls: { ca } });
  const { client, server, listener } = pair;
  assertEquals(client.transport.secure, true);
  assertEquals(server.transport.secure, true);
  assertEquals(client.transport.remoteAddress, listener.address);
  assertEquals(
    client.transport.localAddress,
    server.transport.remoteAddress,
  );
  client.transport.write(bytes("question"));
  client.transport.end();
  await server.sink.until(() => server.sink.events.includes("end"));
  assertEquals(server.sink.text, "question");
  server.transport.write(bytes("answer"));
  server.transport.end();
  await Promise.all([client.sink.closed(), server.sink.closed()]);
  assertEquals(client.sink.text, "answer");
  assertEquals(client.sink.error, undefined);
  assertEquals(client.sink.events.slice(-2), ["end", "close"]);
  await pair.close();
});

test("a certificate of an unknown authority is refused (CI-16)", async () => {
  const listener = await listenTls();
  await assertRejects(() => dial(listener, {}), Error);
  await listener.close();
});

test("a self-signed certificate is refused unless it is trusted", async () => {
  const cert = certificate("self.crt");
  const listener = await listenTls({ cert, key: certificate("self.key") });
  await assertRejects(() => dial(listener, {}), Error);
  await assertRejects(() => dial(listener, { ca }), Error);
  await dial(listener, { rejectUnauthorized: false });
  await listener.close();
});

test("a wrong host name is refused (CI-16)", async () => {
  const listener = await listenTls();
  await dial(listener, { ca });
  await dial(listener, { ca, serverName: "localhost" });
  await assertRejects(
    () => dial(listener, { ca, serverName: "wrong.test" }),
    Error,
  );
  await assertRejects(
    () => dial(listener, { ca, serverName: "127.0.0.2" }),
    Error,
  );
  await dial(listener, { serverName: "wrong.test", rejectUnauthorized: false });
  await listener.close();
});

test("a client certificate can be given", async () => {
  const listener = await listenTls();
  await dial(listener, { ca, ...leaf });
  await assertRejects(() => dial(listener, { ...leaf }), Error);
  await assertRejects(
    () => dial(listener, { ca, ...leaf, serverName: "wrong.test" }),
    Error,
  );
  await listener.close();
});

test("ALPN settles on a protocol that both know", async () => {
  const listener = await listenTls({ ...leaf, alpnProtocols: ["http/1.1"] });
  await dial(listener, { ca, alpnProtocols: ["http/1.1"] });
  const { port } = target(listener);
  const socket = connectTls({
    host: "127.0.0.1",
    port: port ?? 0,
    ca,
    ALPNProtocols: ["h2", "http/1.1"],
  });
  await new Promise<void>((resolve) => socket.on("secureConnect", resolve));
  assertEquals(socket.alpnProtocol, "http/1.1");
  socket.on("error", () => {});
  const closed = new Promise((resolve) => socket.on("close", resolve));
  socket.destroy();
  await closed;
  await listener.close();
});

test("garbage on a TLS port leaves the listener alive (HS-23)", async () => {
  const listener = await listenTls();
  const { port } = target(listener);
  // Of the last there is too little to judge: on Node it has the time of a handshake.
  for (const garbage of ["GET / HTTP/1.1\r\n\r\n", "SSH-2.0-x\r\n", "\0"]) {
    const socket = connectSocket(port ?? 0, "127.0.0.1");
    socket.on("error", () => {});
    socket.resume();
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.end(garbage);
    if (garbage.length > 1) await closed;
    await dial(listener, { ca });
    socket.destroy();
    await closed;
  }
  await listener.close();
});

test("silence on a TLS port is dropped after the handshake timeout", async () => {
  let accepted = 0;
  const listener = await listen({
    tls: leaf,
    handshakeTimeoutMs: 60,
    accept(transport) {
      accepted++;
      transport.destroy();
    },
  });
  const socket = connectSocket(target(listener).port ?? 0, "127.0.0.1");
  socket.on("error", () => {});
  socket.resume();
  const closed = new Promise((resolve) => socket.on("close", resolve));
  await within(closed, "the end of the socket", 8_000);
  assertEquals(accepted, 0);
  await dial(listener, { ca });
  await listener.close();
});

test("closing a TLS listener drops handshakes that are under way", async () => {
  const listener = await listenTls();
  const socket = connectSocket(target(listener).port ?? 0, "127.0.0.1");
  socket.on("error", () => {});
  socket.resume();
  await new Promise<void>((resolve) => socket.on("connect", resolve));
  await dial(listener, { ca });
  const closed = new Promise((resolve) => socket.on("close", resolve));
  // Before the handshake timeout.
  await within(Promise.all([listener.close(), closed]), "the end", 8_000);
});

test("a connect is aborted in the middle of the TLS handshake (CI-1)", async () => {
  const controller = new AbortController();
  let dropped: () => void = () => {};
  const wasDropped = new Promise<void>((resolve) => dropped = resolve);
  // Accepts TCP, and says nothing.
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("close", () => dropped());
    socket.once("data", () => controller.abort(new Error("too slow")));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert(typeof address === "object" && address !== null);
  await assertRejects(
    () =>
      runtime.connect({
        hostname: "127.0.0.1",
        port: address.port,
        tls: { ca },
        signal: controller.signal,
      }),
    Error,
    "too slow",
  );
  await wasDropped;
  await new Promise((resolve) => server.close(resolve));
});
