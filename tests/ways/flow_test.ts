/** Slow peers, slow handlers and silent ones, whichever way they came in. */
import {
  type CloseInfo,
  type Connection,
  Handler,
  type Site,
} from "../../server.ts";
import { assert, assertEquals } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { parseHeader } from "../harness/frame.ts";
import type { RawClient } from "../harness/raw_client.ts";
import { pause, readText } from "../site/served.ts";
import { testWays } from "./ways.ts";

const MIB = 1_048_576;

/** Reads so many frames of one size, without keeping them. */
async function readFrames(client: RawClient, count: number): Promise<number[]> {
  const opcodes: number[] = [];
  let rest = 0;
  while (opcodes.length < count || rest > 0) {
    rest = await client.read((bytes) => {
      let at = 0;
      let missing = rest;
      while (at < bytes.length) {
        if (missing > 0) {
          const part = Math.min(missing, bytes.length - at);
          at += part;
          missing -= part;
          continue;
        }
        const header = parseHeader(bytes, at);
        if (header === undefined) break;
        opcodes.push(header.opcode);
        missing = header.size;
      }
      return at === 0 ? undefined : { value: missing, size: at };
    }, "frames");
  }
  return opcodes;
}

testWays(
  "BP-2: send says when it is enough, drained and drain when there is room",
  {
    setup: (site) =>
      site.addHandler(
        "/drains",
        class extends Handler<number> {
          override open(): void {
            this.connection.data = 0;
          }
          override drain(): void {
            this.connection.data++;
          }
        },
        { sendMaxBytes: 64 * MIB },
      ),
  },
  async (way) => {
    const { client, connection } = await way.pair("/drains");
    await using _client = client;
    assertEquals(connection.send("small"), true);
    await within(connection.drained, "room");
    client.pause();
    const bytes = new Uint8Array(MIB);
    let count = 0;
    // More than the kernel, and a host, take at once.
    while (connection.bufferedAmount < 8 * MIB) {
      connection.send(bytes);
      count++;
      if (count % 4 === 0) await pause(1);
      assert(count < 64, "nothing is ever buffered");
    }
    assertEquals(connection.send("last"), false);
    let isDrained = false;
    const drained = connection.drained.then(() => isDrained = true);
    await Promise.resolve();
    assertEquals(isDrained, false);
    client.resume();
    const opcodes = await readFrames(client, count + 2);
    assertEquals(opcodes.length, count + 2);
    await within(drained, "room again");
    assert(connection.bufferedAmount < 65_536);
    assert(connection.data as number >= 1, "drain was not called");
    assertEquals(connection.readyState, 1);
  },
);

testWays("BP-1: a peer that never reads is closed with 1013", {
  setup: (site) =>
    site.addHandler("/capped", Handler, {
      sendMaxBytes: MIB,
      closeTimeoutMs: 100,
    }),
}, async (way) => {
  const { client, connection } = await way.pair("/capped");
  await using _client = client;
  client.pause();
  const bytes = new Uint8Array(65_536);
  let most = 0;
  for (let i = 0; connection.readyState === 1; i++) {
    assert(i < 2_000, "it goes on for ever");
    connection.send(bytes);
    most = Math.max(most, connection.bufferedAmount);
    if (i % 16 === 0) await pause(1);
  }
  const info = await within(connection.closed, "the end");
  assertEquals([info.cause, info.sent?.code, info.code], [
    "backpressure",
    1013,
    1006,
  ]);
  assert(most <= MIB + 2 * 65_536, `${most} bytes were buffered`);
});

testWays("BP-4: messages that wait for a slow hook all come, in order", {
  setup: (site) =>
    site.addHandler(
      "/slow",
      class extends Handler<number[]> {
        override open(): void {
          this.connection.data = [];
        }
        override async message(data: string | Uint8Array): Promise<void> {
          await pause(data === "0" ? 50 : 0);
          this.connection.data.push(Number(data));
          if (data === "299") this.connection.send("done");
        }
      },
    ),
}, async (way) => {
  const { client, connection } = await way.pair("/slow");
  await using _client = client;
  for (let i = 0; i < 300; i++) client.sendFrame({ payload: `${i}` });
  assertEquals(await readText(client), "done");
  assertEquals(connection.data, Array.from({ length: 300 }, (_, i) => i));
});

testWays("pause() and resume() stop and start reading", {
  needs: "pause",
}, async (way) => {
  const { client, connection } = await way.pair();
  await using _client = client;
  connection.pause();
  // One chunk may have been on its way.
  client.sendFrame({ payload: "one" });
  await pause(20);
  client.sendFrame({ payload: "two" });
  await pause(50);
  assert(client.received.length <= 5, "both were read");
  connection.resume();
  assertEquals(await readText(client), "one");
  assertEquals(await readText(client), "two");
});

testWays("ping() gives the round trip, and the hooks hear of both", {
  needs: "ping",
  setup: (site) =>
    site.addHandler(
      "/pings",
      class extends Handler {
        override ping(payload: Uint8Array): void {
          this.connection.send(`ping ${new TextDecoder().decode(payload)}`);
        }
        override pong(payload: Uint8Array): void {
          this.connection.send(`pong ${new TextDecoder().decode(payload)}`);
        }
      },
    ),
}, async (way) => {
  const { client, connection } = await way.pair("/pings");
  await using _client = client;
  const roundTrip = connection.ping(new TextEncoder().encode("here?"));
  const { opcode, payload } = await client.readFrame();
  assertEquals([opcode, new TextDecoder().decode(payload)], [9, "here?"]);
  client.sendFrame({ opcode: "pong", payload });
  assert(await within(roundTrip, "the Pong") >= 0);
  assertEquals(await readText(client), "pong here?");
  assert(connection.latencyMs !== undefined);
  client.sendFrame({ opcode: "ping", payload: "you?" });
  const frames = [await client.readFrame(), await client.readFrame()];
  assertEquals(
    frames.map(({ opcode, payload }) =>
      [opcode, new TextDecoder().decode(payload)] as const
    ),
    [[10, "you?"], [1, "ping you?"]],
  );
});

testWays("a Ping of the peer's is answered", {}, async (way) => {
  await using client = await way.upgrade();
  client.sendFrame({ opcode: "ping", payload: "you?" });
  const { opcode, payload } = await client.readFrame();
  assertEquals([opcode, new TextDecoder().decode(payload)], [10, "you?"]);
});

const ended: PromiseWithResolvers<CloseInfo>[] = [];

/** Adds a handler that pings, and waits for so long. */
const watched =
  (pingIntervalMs: number, pingTimeoutMs: number) => (site: Site): void =>
    site.addHandler(
      "/watched",
      class extends Handler {
        constructor(connection: Connection) {
          super(connection);
          ended.push(Promise.withResolvers());
        }
        override message(data: string | Uint8Array): void {
          this.connection.send(data);
        }
        override close(info: CloseInfo): void {
          ended.at(-1)!.resolve(info);
        }
      },
      { pingIntervalMs, pingTimeoutMs, closeTimeoutMs: 100 },
    );

testWays("KA-1: a peer that answers no Ping is given up", {
  setup: watched(150, 150),
}, async (way) => {
  const start = performance.now();
  await using client = await way.upgrade("/watched");
  assertEquals((await client.readFrame()).opcode, 9);
  const info = await within(ended.at(-1)!.promise, "the end");
  assertEquals([info.cause, info.code, info.wasClean], [
    "ping-timeout",
    1006,
    false,
  ]);
  const tookMs = performance.now() - start;
  assert(tookMs >= 200, `after ${tookMs} ms`);
});

testWays("KA-2: a peer that answers stays", {
  // A host pings after half of both, and gives up after the other half.
  setup: watched(200, 2_300),
}, async (way) => {
  const { client, connection } = await way.pair("/watched");
  await using _client = client;
  for (let pings = 0; pings < 3; pings++) {
    const { opcode, payload } = await client.readFrame();
    assertEquals(opcode, 9);
    client.sendFrame({ opcode: "pong", payload });
  }
  assertEquals(connection.readyState, 1);
  client.sendFrame({ payload: "well" });
  let text = "";
  while (text !== "well") {
    const { opcode, payload } = await client.readFrame();
    if (opcode === 1) text = new TextDecoder().decode(payload);
    else client.sendFrame({ opcode: "pong", payload });
  }
});

testWays("a handler that takes its time holds nobody else up", {
  setup: (site) =>
    site.addHandler(
      "/stuck",
      class extends Handler {
        override message(): Promise<void> {
          return stuck.promise;
        }
      },
    ),
}, async (way) => {
  stuck = Promise.withResolvers();
  const { client: slow, connection } = await way.pair("/stuck");
  for (let i = 0; i < 100; i++) slow.sendFrame({ payload: "x" });
  await using client = await way.upgrade();
  client.sendFrame({ payload: "quick" });
  assertEquals(await readText(client), "quick");
  await slow[Symbol.asyncDispose]();
  stuck.resolve();
  await within(connection.closed, "the end of the slow one");
});
let stuck: PromiseWithResolvers<void>;
