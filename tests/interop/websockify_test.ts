/**
 * AB17: bytes over WebSockets with others: Debian's websockify, each runtime's
 * own WebSocket, and socat, which knows TCP alone, at both ends of a tunnel.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { byteStream, dial } from "../../client.ts";
import { assert, assertEquals, test, testWhere } from "../harness.ts";
import { checkoutPath, Child } from "../harness/child.ts";
import { within } from "../harness/deadline.ts";
import { program, programPath } from "../harness/program.ts";
import { certificate } from "../runtime/recorder.ts";
import { Example } from "../examples/example.ts";
import { Tunnel } from "./tunnels.ts";

const LARGE_BYTES = 16 * 2 ** 20;
const LARGE = Uint8Array.from(
  { length: LARGE_BYTES },
  (_, index) => (index >> 8) * 31 + index * 7,
);
const LARGE_SUM = createHash("sha256").update(LARGE).digest("hex");

const websockify = programPath("websockify");
/** Where the modules of an unpacked websockify are. */
const modules = websockify?.startsWith("/usr/") ? [] : [
  `PYTHONPATH=${
    websockify?.replace("bin/websockify", "lib/python3/dist-packages")
  }`,
];
const noWebsockify = websockify === undefined ? "websockify" : undefined;
const noSocat = programPath("socat") === undefined ? "socat" : undefined;

/** A TCP server that echoes, and counts who is connected. */
class Echo implements AsyncDisposable {
  readonly port: number;
  readonly sockets: ReadonlySet<Socket>;
  readonly #server;

  private constructor(
    server: ReturnType<typeof createServer>,
    sockets: Set<Socket>,
  ) {
    const address = server.address();
    assert(typeof address === "object" && address !== null);
    this.port = address.port;
    this.sockets = sockets;
    this.#server = server;
  }

  static async open(): Promise<Echo> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {}).on("close", () => sockets.delete(socket));
      socket.pipe(socket);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Echo(server, sockets);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Starts websockify before a target. */
function startWebsockify(target: number, secure: boolean): Promise<Tunnel> {
  return Tunnel.start(({ port }) => [
    ...program("websockify", modules),
    ...(secure
      ? [
        `--cert=${checkoutPath("tests/certs/leaf.crt")}`,
        `--key=${checkoutPath("tests/certs/leaf.key")}`,
        "--ssl-only",
      ]
      : []),
    `127.0.0.1:${port}`,
    `127.0.0.1:${target}`,
  ]);
}

for (const secure of [false, true]) {
  testWhere(
    noWebsockify,
    `AB17: our dialer sends 16 MiB through websockify${
      secure ? " over TLS" : ""
    }, and gets them back`,
    async () => {
      await using echo = await Echo.open();
      await using tunnel = await startWebsockify(echo.port, secure);
      const url = `${secure ? "wss" : "ws"}://localhost:${tunnel.port}/`;
      const connection = await dial(url, {
        subprotocols: ["binary", "base64"],
        connectTo: { hostname: "127.0.0.1" },
        tls: { ca: certificate("ca.crt") },
      });
      assertEquals(connection.subprotocol, "binary");
      const { readable, writable } = byteStream(connection);
      const writing = writable.getWriter().write(LARGE);
      const reader = readable.getReader();
      const hash = createHash("sha256");
      for (let rest = LARGE_BYTES; rest > 0;) {
        const { value } = await within(reader.read(), "an echo");
        assert(value !== undefined, "the end came early");
        hash.update(value);
        rest -= value.length;
      }
      await writing;
      assertEquals(hash.digest("hex"), LARGE_SUM);
      // The end of the target is that of the connection.
      for (const socket of echo.sockets) socket.end();
      assertEquals((await within(reader.read(), "the end")).done, true);
      const info = await within(connection.closed, "the close");
      assertEquals([info.code, info.reason], [1000, "Target closed"]);
    },
  );
}

testWhere(
  noWebsockify,
  "AB17: websockify.ts carries TCP to websockify, 16 MiB each way",
  async () => {
    await using echo = await Echo.open();
    await using tunnel = await startWebsockify(echo.port, false);
    await using example = await Example.run("websockify", {
      args: [`ws://127.0.0.1:${tunnel.port}/`],
    });
    const socket = connect(example.port, "127.0.0.1").on("error", () => {});
    await once(socket, "connect");
    socket.write(LARGE);
    const hash = createHash("sha256");
    let rest = LARGE_BYTES;
    const all = new Promise<void>((resolve) =>
      socket.on("data", (chunk: Uint8Array) => {
        hash.update(chunk);
        rest -= chunk.length;
        if (rest <= 0) resolve();
      })
    );
    await within(all, "16 MiB", 30_000);
    assertEquals([rest, hash.digest("hex")], [0, LARGE_SUM]);
    const ended = once(socket, "close");
    for (const one of echo.sockets) one.end();
    await within(ended, "the end");
  },
);

test("AB17: the runtime's own WebSocket sends 16 MiB through websockify.ts, as a page does", async () => {
  await using echo = await Echo.open();
  await using example = await Example.run("websockify", {
    args: [`127.0.0.1:${echo.port}`],
  });
  const url = `ws://127.0.0.1:${example.port}/websockify`;
  // As noVNC has it, which once knew base64 alone.
  const socket = new WebSocket(url, ["binary", "base64"]);
  socket.binaryType = "arraybuffer";
  const hash = createHash("sha256");
  let rest = LARGE_BYTES;
  const all = new Promise<void>((resolve, reject) => {
    socket.onerror = () => reject(new Error("error event"));
    socket.onopen = () => {
      for (let at = 0; at < LARGE_BYTES; at += 2 ** 19) {
        socket.send(LARGE.slice(at, at + 2 ** 19));
      }
    };
    socket.onmessage = ({ data }) => {
      hash.update(new Uint8Array(data as ArrayBuffer));
      rest -= (data as ArrayBuffer).byteLength;
      if (rest <= 0) resolve();
    };
  });
  await within(all, "16 MiB", 30_000);
  assertEquals([rest, hash.digest("hex")], [0, LARGE_SUM]);
  assertEquals(socket.protocol, "binary");
  const closed = new Promise<CloseEvent>((resolve) => socket.onclose = resolve);
  for (const one of echo.sockets) one.end();
  const { code, wasClean } = await within(closed, "the close");
  assertEquals([code, wasClean], [1000, true]);
});

testWhere(
  noSocat,
  "AB17: socat, at both ends of a tunnel of websockify.ts, gets an answer after its end",
  async () => {
    const folder = mkdtempSync(`${tmpdir()}/sockeye-socat-`);
    try {
      writeFileSync(`${folder}/in`, LARGE);
      // The sum is known, and so printed, at the end of the input alone.
      await using target = await Tunnel.start(({ port }) => [
        ...program("socat"),
        "-t30",
        `TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork`,
        `SYSTEM:sha256sum; cat ${folder}/in`,
      ]);
      await using outer = await Example.run("websockify", {
        args: [`127.0.0.1:${target.port}`],
      });
      await using inner = await Example.run("websockify", {
        args: [`ws://127.0.0.1:${outer.port}/`],
      });
      const [command = "", ...args] = program("socat");
      await using client = new Child(command, [
        ...args,
        "-t30",
        `OPEN:${folder}/in,rdonly!!CREATE:${folder}/out`,
        `TCP:127.0.0.1:${inner.port}`,
      ]);
      const { code } = await within(client.exited, "socat", 30_000);
      assertEquals([code, client.stderr], [0, ""]);
      const out = readFileSync(`${folder}/out`);
      const line = `${LARGE_SUM}  -\n`;
      assertEquals(out.subarray(0, line.length).toString(), line);
      assert(out.subarray(line.length).equals(LARGE), "other bytes came back");
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
