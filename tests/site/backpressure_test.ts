/** Slow peers and slow handlers, over real sockets (BP). */
import {
  ClosedError,
  type CloseInfo,
  type Connection,
  Handler,
  type Site,
} from "../../server.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { sameBytes } from "../harness/bytes.ts";
import { within } from "../harness/deadline.ts";
import { frame, parseFrames } from "../harness/frame.ts";
import { seededRandom } from "../harness/random.ts";
import type { RawClient } from "../harness/raw_client.ts";
import { pause, serve, until } from "./served.ts";

const MIB = 1_048_576;

/** Bytes of which every stretch is different. */
function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    { length },
    (_, i) => (i * 7 + (i >> 8) * 13 + (i >> 16)) & 255,
  );
}

/** Waits until so many bytes have arrived, without joining them each time. */
async function arrived(client: RawClient, length: number): Promise<Uint8Array> {
  await until(() => client.received.length >= length, "all bytes", 20_000);
  return client.received;
}

test("BP-1: a peer that never reads costs the cap, and is closed with 1013", async () => {
  const payload = new Uint8Array(65_000);
  const sendMaxBytes = MIB;
  let most = 0;
  const ended = Promise.withResolvers<CloseInfo>();
  let ends = 0;
  class Echoes extends Handler {
    override message(data: string | Uint8Array): void {
      this.connection.send(data);
      most = Math.max(most, this.connection.bufferedAmount);
    }
    override close(info: CloseInfo): void {
      ends++;
      ended.resolve(info);
    }
  }
  const setup = (site: Site): void =>
    site.addHandler("/flood", Echoes, { sendMaxBytes, closeTimeoutMs: 100 });
  await serve({ setup }, async (served) => {
    const { client, connection } = await served.pair("/flood");
    client.pause();
    const message = frame({ payload, opcode: "binary", mask: true });
    for (let i = 0; i < 500 && connection.readyState === 1; i++) {
      await client.writeAll(message);
    }
    const info = await within(ended.promise, "the close hook");
    assertEquals(
      [info.cause, info.code, info.wasClean, info.sent?.code, ends],
      ["backpressure", 1006, false, 1013, 1],
    );
    assert(most > sendMaxBytes / 2, `only ${most}`);
    assert(most <= sendMaxBytes + payload.length + 100, `${most}`);
    await client[Symbol.asyncDispose]();
  });
});

test("BP-2, BP-5, BP-7: a peer that reads in fits and starts gets every byte", async () => {
  const seed = 20_261;
  const random = seededRandom(seed);
  await serve({ sendMaxBytes: 64 * MIB }, async (served) => {
    const { client, connection } = await served.pair("/echo");
    client.pause();
    const whole = pattern(8 * MIB);
    const sizes: number[] = [];
    let at = 0;
    // First in frames of 4 KiB, then of any size.
    while (at < whole.length) {
      const size = at < MIB ? 4_096 : 1 + random.below(200_000);
      const part = whole.subarray(at, at + size);
      connection.send(part);
      sizes.push(part.length);
      at += part.length;
      if (random.below(8) === 0) await pause(0);
    }
    assert(connection.bufferedAmount > 0);
    const header = (size: number) => size < 126 ? 2 : size < 65_536 ? 4 : 10;
    const expected = sizes.reduce((sum, size) => sum + size + header(size), 0);
    for (let i = 0; i < 20; i++) {
      client.resume();
      await pause(random.below(3));
      client.pause();
      await pause(random.below(3));
    }
    client.resume();
    const frames = parseFrames(await arrived(client, expected));
    assertEquals(frames.map(({ payload }) => payload.length), sizes);
    let from = 0;
    for (const { payload } of frames) {
      const part = whole.subarray(from, from += payload.length);
      assert(sameBytes(payload, part), `seed ${seed}: bytes before ${from}`);
    }
    await connection.drained;
    assertEquals(connection.bufferedAmount, 0);
    await client[Symbol.asyncDispose]();
  });
});

test("BP-3: a slow handler makes reading pause, and loses nothing", async () => {
  let gate = Promise.withResolvers<void>();
  let handled = 0;
  let bytes = 0;
  let overlap = 0;
  class Slow extends Handler {
    override async message(data: string | Uint8Array): Promise<void> {
      assertEquals(overlap++, 0);
      await gate.promise;
      overlap--;
      assertEquals(
        Number(new TextDecoder().decode(data as Uint8Array)),
        handled,
      );
      handled++;
      bytes += data.length;
    }
  }
  const setup = (site: Site): void => site.addHandler("/slow", Slow);
  await serve({ setup }, async (served) => {
    const { client, connection } = await served.pair("/slow");
    const count = 400;
    const total = count * 50_000;
    let written = 0;
    const writing = (async () => {
      for (let i = 0; i < count; i++) {
        const payload = new TextEncoder().encode(`${i}`.padStart(50_000, " "));
        await client.writeAll(frame({ payload, opcode: "binary", mask: true }));
        written++;
      }
    })();
    // The kernel takes some megabytes, the site next to nothing.
    await until(() => connection.stats.bytesReceived > 0, "the first bytes");
    await pause(100);
    const held = connection.stats.bytesReceived;
    assert(held <= 65_536 + 2 * 262_144, `${held} bytes are held`);
    assert(written < count, "the peer was not held up");
    await pause(50);
    assertEquals(connection.stats.bytesReceived, held);
    gate.resolve();
    gate = Promise.withResolvers();
    gate.resolve();
    await writing;
    await until(() => handled === count, "all messages");
    assertEquals(bytes, total);
    client.sendFrame({ opcode: "ping" });
    assertEquals((await client.readFrame()).opcode, 10);
    await client[Symbol.asyncDispose]();
  });
});

test("BP-3: many small messages wait within the bound as well", async () => {
  const gate = Promise.withResolvers<void>();
  const order: number[] = [];
  const setup = (site: Site): void =>
    site.addHandler("/few", async (connection) => {
      await gate.promise;
      for await (const message of connection) order.push(Number(message));
    }, { receiveHighWaterMessages: 4 });
  await serve({ setup }, async (served) => {
    const { client, connection } = await served.pair("/few");
    for (let i = 0; i < 200; i++) {
      await client.writeAll(frame({ payload: `${i}`, mask: true }));
    }
    await until(() => connection.stats.messagesReceived >= 4, "four messages");
    gate.resolve();
    await until(() => order.length === 200, "all messages");
    assertEquals(order, Array.from({ length: 200 }, (_, i) => i));
    await client[Symbol.asyncDispose]();
  });
});

test("BP-4: drained settles as send said, whatever the peer does", async () => {
  const seed = 77;
  const random = seededRandom(seed);
  const high = 20_000;
  let drains = 0;
  class Drains extends Handler {
    override drain(): void {
      drains++;
      assert(this.connection.bufferedAmount < high);
    }
  }
  const setup = (site: Site): void =>
    site.addHandler("/drain", Drains, {
      sendHighWaterBytes: high,
      closeTimeoutMs: 100,
    });
  await serve({ setup }, async (served) => {
    for (let round = 0; round < 12; round++) {
      const { client, connection } = await served.pair("/drain");
      client.pause();
      // More than the kernel takes, in two steps.
      assert(
        !connection.send(new Uint8Array(8_000_000 + random.below(99_999))),
      );
      await pause(random.below(3));
      connection.send(new Uint8Array(random.below(99_999)));
      assert(connection.bufferedAmount >= high);
      const drained = connection.drained;
      const again = connection.drained;
      const what = `seed ${seed}, round ${round}`;
      const outcomes = Promise.allSettled([drained, again]);
      const act = round % 4;
      if (act === 0) client.resume();
      else if (act === 1) client.reset();
      else if (act === 2) connection.terminate();
      else {
        client.resume();
        void connection.close(1000);
      }
      for (const outcome of await within(outcomes, what)) {
        if (outcome.status === "rejected") {
          assert(outcome.reason instanceof ClosedError, what);
        } else if (act === 0) {
          assert(connection.bufferedAmount < high, what);
        }
        if (act === 1 || act === 2) {
          assertEquals(outcome.status, "rejected", what);
        }
      }
      if (act === 0) {
        assert(connection.send("more"));
        await connection.drained;
      }
      await client[Symbol.asyncDispose]();
    }
    assert(drains >= 3, `${drains} drain hooks`);
  });
});

test("send is true below the mark, false over it, and bufferedAmount falls to 0", async () => {
  await serve({}, async (served) => {
    const { client, connection } = await served.pair("/echo");
    assertEquals(connection.send("x".repeat(1_000)), true);
    assertEquals(connection.bufferedAmount, 1_004);
    await until(() => connection.bufferedAmount === 0, "the buffer to empty");
    client.pause();
    let sends = 1;
    while (connection.send(new Uint8Array(40_000))) sends++;
    assert(connection.bufferedAmount >= 65_536);
    client.resume();
    await arrived(client, 1_004 + sends * 40_004);
    await connection.drained;
    await checkPause(client, connection);
    await client[Symbol.asyncDispose]();
  });
});

/** `pause` leaves messages in the network until `resume`. */
async function checkPause(
  client: RawClient,
  connection: Connection,
): Promise<void> {
  await client.readBytes(client.received.length);
  connection.pause();
  // A chunk that is on its way may still arrive.
  client.sendFrame({ payload: "a" });
  await pause(20);
  await client.readBytes(client.received.length);
  client.sendFrame({ payload: "b" });
  await pause(50);
  assertEquals(client.received.length, 0);
  connection.resume();
  await until(() => client.received.length > 0, "the echo after resume");
  const frames = parseFrames(client.received);
  assertEquals(new TextDecoder().decode(frames.at(-1)!.payload), "b");
}
