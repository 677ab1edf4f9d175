/** How a WebSocket of Bun's is closed while something waits to be sent. */
import { bunHost } from "../../runtime/bun_host.ts";
import type {
  HostEnd,
  HostSocket,
  HostSocketSink,
} from "../../runtime/host.ts";
import { makeHostedWebSocket } from "../../server/hosted/websocket.ts";
import { assert, assertEquals, testWhere } from "../harness.ts";
import { currentRuntime } from "../harness/child.ts";
import { within } from "../harness/deadline.ts";
import { closePayload, parseFrames } from "../harness/frame.ts";
import { type RawClient, rawUpgrade } from "../harness/raw_client.ts";
import { serveOnBun } from "../ways/hosts.ts";

/** Most of what the kernel may take, and more. */
const ENOUGH_BYTES = 100_000_000;

/** Hears of one WebSocket. */
class Ears implements HostSocketSink {
  readonly opened = Promise.withResolvers<HostSocket>();
  readonly closed = Promise.withResolvers<HostEnd>();
  isClosed = false;

  open(socket: HostSocket): void {
    this.opened.resolve(socket);
  }
  message(): void {}
  ping(): void {}
  pong(): void {}
  drain(): void {}
  close(end: HostEnd): void {
    this.isClosed = true;
    this.closed.resolve(end);
  }
}

/** Fills what is between a WebSocket and a client that does not read. */
function testFull(
  name: string,
  body: (full: {
    readonly socket: HostSocket;
    readonly ears: Ears;
    readonly client: RawClient;
    readonly sentBytes: number;
  }) => Promise<void>,
): void {
  const missing = currentRuntime === "bun" ? undefined : "Bun";
  testWhere(missing, name, async () => {
    const ears = new Ears();
    const times = { idleTimeoutMs: 0, openTimeoutMs: 10_000 };
    const server = serveOnBun(
      (request, info) =>
        bunHost.take(request, info)!
          .upgrade({ ...times, headers: [], sink: ears })!,
      makeHostedWebSocket(() => 0),
    );
    try {
      await using client = await rawUpgrade(server.port);
      client.pause();
      const socket = await within(ears.opened.promise, "the WebSocket");
      let sentBytes = 0;
      while (socket.bufferedBytes === 0) {
        assert(sentBytes < ENOUGH_BYTES, "everything is taken");
        socket.send(new Uint8Array(500_000));
        sentBytes += 500_000;
      }
      await body({ socket, ears, client, sentBytes });
    } finally {
      await server.stop();
    }
  });
}

testFull(
  "hosted on Bun, a Close frame waits for what was sent before it",
  async ({ socket, ears, client, sentBytes }) => {
    // Within 4 seconds after it Bun drops the connection with what has not left.
    socket.close(3000, "bye");
    assert(!ears.isClosed, "Bun was told to close");
    client.resume();
    const frames = parseFrames(await client.readToEnd());
    const last = frames.pop();
    assertEquals([last?.opcode, last?.payload], [8, closePayload(3000, "bye")]);
    const gotBytes = frames.reduce(
      (sum, { payload }) => sum + payload.length,
      0,
    );
    assertEquals(gotBytes, sentBytes);
    assertEquals(await within(ears.closed.promise, "the end"), {});
  },
);

testFull(
  "hosted on Bun, a peer that closes before the Close frame has left is heard",
  async ({ socket, ears, client }) => {
    socket.close(3000, "bye");
    client.sendFrame({ opcode: "close", payload: closePayload(3333, "too") });
    assertEquals(await within(ears.closed.promise, "the end"), {
      received: { code: 3333, reason: "too" },
    });
    // It is not closed once more.
    client.resume();
    await client.readToEnd();
  },
);

testFull(
  "hosted on Bun, what waits for a Close frame can be dropped",
  async ({ socket, ears, client }) => {
    socket.close(undefined, "");
    socket.drop();
    assertEquals(await within(ears.closed.promise, "the end"), {});
    client.resume();
    await client.readToEnd();
  },
);
