/** Whether peers are still there, over real sockets (KA). */
import { type CloseInfo, Handler, type Site } from "../../server.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { frame } from "../harness/frame.ts";
import { type RawClient, rawUpgrade } from "../harness/raw_client.ts";
import { inSomeTry } from "../harness/tries.ts";
import { pause, serve } from "./served.ts";

/** A handler that reports how a connection ended; pings go out soon. */
function watching(
  pingIntervalMs: number,
  pingTimeoutMs: number,
): {
  setup: (site: Site) => void;
  ended: Promise<CloseInfo>;
  isOver: () => boolean;
} {
  const ended = Promise.withResolvers<CloseInfo>();
  let over = false;
  class Watched extends Handler {
    override message(data: string | Uint8Array): void {
      this.connection.send(data);
    }
    override close(info: CloseInfo): void {
      over = true;
      ended.resolve(info);
    }
  }
  return {
    setup: (site) =>
      site.addHandler("/watched", Watched, {
        pingIntervalMs,
        pingTimeoutMs,
        closeTimeoutMs: 200,
      }),
    ended: ended.promise,
    isOver: () => over,
  };
}

/** Answers Pings. */
async function answer(client: RawClient, count: number): Promise<void> {
  for (let pings = 0; pings < count; pings++) {
    const { opcode, payload } = await client.readFrame();
    assertEquals(opcode, 9);
    assert(payload.length > 0);
    client.sendFrame({ opcode: "pong", payload });
  }
}

test("KA-1: a silent peer is pinged, and closed when it does not answer", async () => {
  const { setup, ended } = watching(60, 120);
  await serve({ setup }, async ({ port }) => {
    const start = performance.now();
    await using client = await rawUpgrade(port, "/watched");
    assertEquals((await client.readFrame()).opcode, 9);
    const { opcode, payload } = await client.readFrame();
    assertEquals([opcode, [...payload.subarray(0, 2)]], [8, [3, 243]]);
    const info = await within(ended, "the close hook");
    assertEquals(
      [info.cause, info.code, info.wasClean, info.sent?.code],
      ["ping-timeout", 1006, false, 1011],
    );
    assert(performance.now() - start >= 100, "too early");
    await client.readToEnd();
  });
});

test("KA-1: a peer that takes no bytes any more is dropped", async () => {
  const { setup, ended } = watching(60, 120);
  await serve({ setup }, async (served) => {
    const { client, connection } = await served.pair("/watched");
    client.pause();
    connection.send(new Uint8Array(8_000_000));
    const info = await within(ended, "the close hook");
    assertEquals([info.cause, info.code], ["ping-timeout", 1006]);
    await client[Symbol.asyncDispose]();
  });
});

test("KA-2: a peer that answers stays, and the round trip is measured", async () => {
  const { setup, isOver } = watching(40, 2_000);
  await serve({ setup }, async (served) => {
    const { client, connection } = await served.pair("/watched");
    assertEquals(connection.latencyMs, undefined);
    await answer(client, 6);
    client.sendFrame({ payload: "sync" });
    while ((await client.readFrame()).opcode !== 1);
    assert((connection.latencyMs ?? -1) >= 0);
    assert(!isOver());
    await client[Symbol.asyncDispose]();
  });
});

test("KA-2: any byte is a sign of life, a late Pong too", async () => {
  const { setup, isOver } = watching(50, 300);
  await serve({ setup }, async ({ port }) => {
    await using client = await rawUpgrade(port, "/watched");
    // One long message, a byte at a time, and never a Pong.
    const message = frame({ payload: "x".repeat(100), mask: true });
    for (const byte of message.subarray(0, 30)) {
      await client.writeAll(Uint8Array.of(byte));
      await pause(30);
    }
    assert(!isOver(), "taken for dead while it was sending");
    client.write(message.subarray(30));
    while ((await client.readFrame()).opcode !== 1);
    // An answer to no Ping at all.
    for (let i = 0; i < 20; i++) {
      client.sendFrame({ opcode: "pong", payload: "late" });
      await pause(25);
    }
    assert(!isOver(), "taken for dead while it was answering");
  });
});

test("a peer that reads slowly is not taken for dead", () =>
  inSomeTry(async () => {
    const { setup, isOver } = watching(50, 3_000);
    await serve({ setup }, async (served) => {
      const { client, connection } = await served.pair("/watched");
      await using _client = client;
      // So much more than the kernels hold that it blocks all the time.
      connection.send(new Uint8Array(30_000_000));
      for (let i = 0; i < 40; i++) {
        client.resume();
        await client.readBytes(500_000);
        client.pause();
        await pause(100);
      }
      assert(!isOver(), "taken for dead while it was reading");
    });
  }));

test("an interval of 0 sends no Ping, a timeout of 0 waits for ever", async () => {
  const none = watching(0, 20);
  const patient = watching(30, 0);
  await serve({ setup: none.setup }, async ({ port }) => {
    await using client = await rawUpgrade(port, "/watched");
    await pause(150);
    assertEquals([client.received.length, none.isOver()], [0, false]);
  });
  await serve({ setup: patient.setup }, async ({ port }) => {
    await using client = await rawUpgrade(port, "/watched");
    assertEquals((await client.readFrame()).opcode, 9);
    await pause(200);
    assertEquals(patient.isOver(), false);
  });
});

test("ping() measures a round trip, and fails with its connection", async () => {
  await serve({}, async (served) => {
    const { client, connection } = await served.pair("/echo");
    const roundTrip = connection.ping(Uint8Array.of(1, 2));
    await assertRejects(
      // It is thrown, not rejected: the same payload is a mistake.
      // deno-lint-ignore require-await
      async () => connection.ping(Uint8Array.of(1, 2)),
      Error,
      "under way",
    );
    const ping = await client.readFrame();
    assertEquals([ping.opcode, [...ping.payload]], [9, [1, 2]]);
    client.sendFrame({ opcode: "pong", payload: ping.payload });
    assert(await roundTrip >= 0);
    const lost = connection.ping();
    assertEquals((await client.readFrame()).payload.length, 4);
    client.reset();
    await assertRejects(() => lost, Error, "closed");
    await assertRejects(() => connection.ping(), Error, "closed");
  });
});
