/** AB17: `examples/websockify.ts`, alone and in pairs, between real sockets. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { byteStream, type Connection } from "../../client.ts";
import { assert, assertEquals, test, testWhere } from "../harness.ts";
import { runtimePath, RUNTIMES } from "../harness/child.ts";
import { within } from "../harness/deadline.ts";
import { freePort } from "../harness/free_port.ts";
import { until } from "../site/served.ts";
import { closed, Example, runExample } from "./example.ts";

const LARGE_BYTES = 16 * 2 ** 20;

/** Bytes that do not repeat, so that none can be lost or moved unseen. */
function noise(length: number, seed: number): Uint8Array {
  const words = new Uint32Array(length / 4);
  let word = seed;
  for (let i = 0; i < words.length; i++) {
    word = Math.imul(word, 1_664_525) + 1_013_904_223;
    words[i] = word ^ word >>> 15;
  }
  return new Uint8Array(words.buffer);
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Reads a socket to the other side's end. */
async function digestOf(socket: Socket): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    hash.update(chunk);
  }
  return hash.digest("hex");
}

/** A TCP server, to be the target. */
class Target implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  private constructor(server: Server, sockets: Set<Socket>) {
    const address = server.address();
    assert(typeof address === "object" && address !== null);
    this.port = address.port;
    this.#server = server;
    this.#sockets = sockets;
  }

  static async open(serve: (socket: Socket) => unknown): Promise<Target> {
    const sockets = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket);
      socket.on("error", () => {}).on("close", () => sockets.delete(socket));
      serve(socket);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Target(server, sockets);
  }

  /** A target whose only connection is given, and how to reach it. */
  static async one(): Promise<{ target: Target; socket: Promise<Socket> }> {
    const { promise, resolve } = Promise.withResolvers<Socket>();
    const target = await Target.open(resolve);
    return { target, socket: within(promise, "a connection to the target") };
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function run(target: string, runtime = {}): Promise<Example> {
  return Example.run("websockify", { args: [target], ...runtime });
}

async function connectTo(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  await once(socket, "connect");
  return socket;
}

async function destroyed(socket: Socket): Promise<void> {
  if (socket.closed) return;
  const gone = new Promise((resolve) => socket.once("close", resolve));
  socket.destroy();
  await gone;
}

const THERE = noise(LARGE_BYTES, 1);
const BACK = noise(LARGE_BYTES, 2);

for (const runtime of RUNTIMES) {
  testWhere(
    runtimePath(runtime) === undefined ? runtime : undefined,
    `AB17: two of websockify.ts, one on ${runtime}, are a tunnel for 16 MiB each way`,
    async () => {
      const heard = Promise.withResolvers<string>();
      await using target = await Target.open(async (socket) => {
        // All of it comes before the end of it, and only then the answer.
        heard.resolve(await digestOf(socket));
        socket.end(BACK);
      });
      await using outer = await run(target.address, { runtime });
      await using inner = await run(`ws://127.0.0.1:${outer.port}/`);
      const socket = await connectTo(inner.port);
      socket.end(THERE);
      const answer = digestOf(socket);
      assertEquals(
        await within(heard.promise, "16 MiB", 30_000),
        digest(THERE),
      );
      assertEquals(await within(answer, "16 MiB back", 30_000), digest(BACK));
      await destroyed(socket);
      inner.child.signal("SIGTERM");
      await inner.child.assertEnds();
      outer.child.signal("SIGTERM");
      await outer.child.assertEnds();
    },
  );
}

for (const encoding of ["binary", "base64"] as const) {
  test(`AB17: websockify.ts echoes 16 MiB through the subprotocol ${encoding}`, async () => {
    await using target = await Target.open((socket) => socket.pipe(socket));
    await using example = await run(target.address);
    const connection = await example.dial("/websockify", {
      subprotocols: [encoding],
    });
    assertEquals(connection.subprotocol, encoding);
    const { readable, writable } = byteStream(connection, { encoding });
    const writing = writable.getWriter().write(THERE);
    const hash = createHash("sha256");
    let received = 0;
    for await (const chunk of readable.values({ preventCancel: true })) {
      hash.update(chunk);
      received += chunk.length;
      if (received >= LARGE_BYTES) break;
    }
    await writing;
    assertEquals(hash.digest("hex"), digest(THERE));
    assertEquals((await connection.close()).wasClean, true);
  });
}

async function assertClosedAfter(
  connection: Connection,
  message: string | Uint8Array,
  code: number,
): Promise<void> {
  connection.send(message);
  assertEquals((await closed(connection)).code, code);
}

test("AB17: websockify.ts refuses text with 1003, wrong base64 with 1007, other subprotocols with 406", async () => {
  await using target = await Target.open((socket) => socket.pipe(socket));
  await using example = await run(target.address);
  const open = (...subprotocols: string[]) =>
    example.dial("/", { subprotocols });
  await assertClosedAfter(await open("binary"), "text", 1003);
  await assertClosedAfter(
    await open("other", "base64"),
    new Uint8Array(3),
    1003,
  );
  await assertClosedAfter(await open("base64"), "no base64!", 1007);
  const error = await open("other").then(() => undefined, (error) => error);
  assertEquals([error?.reason, error?.status], ["bad-status", 406]);
  // As noVNC does it today.
  const connection = await open();
  connection.send(Uint8Array.of(1, 2));
  assertEquals(await connection.receive(), Uint8Array.of(1, 2));
  await connection.close();
});

test("AB17: websockify.ts closes with 1011 where the target cannot be reached, or breaks", async () => {
  await using nobody = await run(`127.0.0.1:${await freePort()}`);
  assertEquals((await closed(await nobody.dial("/"))).code, 1011);
  const { target, socket } = await Target.one();
  await using _ = target;
  await using example = await run(target.address);
  const connection = await example.dial("/");
  (await socket).resetAndDestroy();
  assertEquals((await closed(connection)).code, 1011);
});

test("AB17: websockify.ts passes on the end of either side, after all that came before", async () => {
  {
    const { target, socket } = await Target.one();
    await using _ = target;
    await using example = await run(target.address);
    const connection = await example.dial("/", { subprotocols: ["binary"] });
    const heard = digestOf(await socket);
    for (let at = 0; at < LARGE_BYTES; at += 2 ** 18) {
      if (connection.send(THERE.subarray(at, at + 2 ** 18))) continue;
      await connection.drained;
    }
    const info = connection.close();
    assertEquals(await within(heard, "the end", 30_000), digest(THERE));
    // The target has ended nothing, and yet the bridge is done with it.
    assertEquals((await info).code, 1000);
  }
  const { target, socket } = await Target.one();
  await using _ = target;
  await using example = await run(target.address);
  const connection = await example.dial("/", { subprotocols: ["binary"] });
  (await socket).end(BACK);
  const { readable } = byteStream(connection);
  const hash = createHash("sha256");
  for await (const chunk of readable) hash.update(chunk);
  assertEquals(hash.digest("hex"), digest(BACK));
  assertEquals((await connection.closed).code, 1000);
});

test("AB17: websockify.ts makes either side wait for the other", async () => {
  const { target, socket } = await Target.one();
  await using _ = target;
  await using outer = await run(target.address);
  await using inner = await run(`ws://127.0.0.1:${outer.port}/`);
  const near = await connectTo(inner.port);
  const far = await socket;
  for (const [from, to] of [[near, far], [far, near]] as const) {
    // What the kernel and both programs hold is some MiB; this is much more.
    let sent = 0;
    const chunk = THERE.subarray(0, 2 ** 20);
    while (sent < 256) {
      const isWritten = once(from, "drain").then(() => true, () => false);
      if (from.write(chunk) || await soon(isWritten)) sent++;
      else break;
    }
    assert(sent < 128, `${sent} MiB were taken though nobody reads`);
    let received = 0;
    const all = new Promise<void>((resolve) =>
      to.on("data", (bytes: Uint8Array) => {
        received += bytes.length;
        if (received >= (sent + 1) * 2 ** 20) resolve();
      })
    );
    await within(all, "what had waited", 30_000);
    assertEquals(received, (sent + 1) * 2 ** 20);
  }
  await destroyed(near);
});

/** Whether something happens within a second. */
function soon(happens: Promise<boolean>): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), 1000);
  return Promise.race([happens, promise]).finally(() => clearTimeout(timer));
}

test("AB17: websockify.ts ends on a signal, in either direction, and drops what is open", async () => {
  const { target, socket } = await Target.one();
  await using _ = target;
  await using outer = await run(target.address);
  await using inner = await run(`ws://127.0.0.1:${outer.port}/`);
  const near = await connectTo(inner.port);
  near.on("error", () => {}).resume();
  const far = await socket;
  far.resume();
  const gone = Promise.all(
    [near, far].map((one) =>
      new Promise((resolve) => one.once("close", resolve))
    ),
  );
  near.once("end", () => near.end());
  far.once("end", () => far.end());
  inner.child.signal("SIGTERM");
  await inner.child.assertEnds();
  await within(gone, "the end of both sockets");
  await outer.assertEndsOn("SIGINT", "/");
});

test("AB17: websockify.ts ends on a signal while it dials, and says why it cannot", async () => {
  const { target, socket } = await Target.one();
  await using _ = target;
  await using inner = await run(`ws://${target.address}/`);
  const near = await connectTo(inner.port);
  near.on("error", () => {});
  // The request has been sent; there will be no answer.
  await once(await socket, "data");
  inner.child.signal("SIGTERM");
  await inner.child.assertEnds();
  await destroyed(near);

  await using lost = await run(`ws://127.0.0.1:${await freePort()}/`);
  const client = await connectTo(lost.port);
  client.on("error", () => {}).resume();
  await within(
    new Promise((resolve) =>
      client.once("close", resolve).once("end", resolve)
    ),
    "the end of the socket",
  );
  await until(() => lost.child.stderr.includes("HandshakeError"), "the reason");
  await destroyed(client);
});

test("AB17: websockify.ts says how it is used", async () => {
  for (const args of [[], ["localhost"], ["http://localhost:1"]]) {
    await using child = runExample("websockify", { args });
    assertEquals((await within(child.exited, "the end")).code, 2);
    assert(child.stderr.startsWith("Usage: "), child.stderr);
  }
});
