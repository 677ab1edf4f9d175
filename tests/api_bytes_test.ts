/**
 * API hygiene of a connection: what reaches the wire is exactly what was given, and
 * what may not be sent is refused at once and changes nothing (AP-1, AP-3, CL-9).
 */
import type { Connection } from "../client.ts";
import { Handler, type Sendable, type SendOptions, Site } from "../server.ts";
import { assert, assertEquals, assertThrows, test } from "./harness.ts";
import { opened } from "./client/dialing.ts";
import { closeCode, closePayload } from "./harness/frame.ts";
import { type RawClient, rawUpgrade } from "./harness/raw_client.ts";

/** One connection of ours, with the other end in our hands. */
interface End {
  readonly role: "server" | "client";
  readonly connection: Connection;
  readonly raw: RawClient;
}

async function withServerEnd(body: (end: End) => Promise<void>): Promise<void> {
  const accepted = Promise.withResolvers<Connection>();
  class Quiet extends Handler {
    override open(): void {
      accepted.resolve(this.connection);
    }
  }
  const site = new Site();
  site.addHandler("/", Quiet);
  await using server = await site.listen({ port: 0, hostname: "127.0.0.1" });
  assert(server.addr.transport === "tcp");
  await using raw = await rawUpgrade(server.addr.port, "/");
  await body({ role: "server", connection: await accepted.promise, raw });
}

/** Runs a body with a connection of either role. */
async function withBothEnds(body: (end: End) => Promise<void>): Promise<void> {
  await withServerEnd(body);
  await using end = await opened();
  await body({ role: "client", connection: end.connection, raw: end.raw });
}

/** Asserts that nothing has been sent: the next frame is one sent from here. */
async function assertSilent({ connection, raw }: End): Promise<void> {
  assertEquals(connection.send("marker"), true);
  const { opcode, payload } = await raw.readFrame();
  assertEquals([opcode, new TextDecoder().decode(payload)], [1, "marker"]);
}

/** What is neither text nor bytes. */
const NO_BYTES: unknown[] = [
  0,
  5,
  -1,
  NaN,
  1e9,
  Infinity,
  10n,
  true,
  null,
  undefined,
  {},
  { length: 10 },
  { buffer: new ArrayBuffer(8), byteOffset: 0, byteLength: 8 },
  [],
  [1, 2, 3],
  () => 5,
  Symbol("x"),
  new Date(),
  new String("text"),
  new Map(),
  new SharedArrayBuffer(8),
  Promise.resolve("text"),
  Object.create(Uint8Array.prototype),
  new Proxy(new Uint8Array(4), {}),
];

test("AP-1: send, ping and sendStream refuse what is no bytes, and send nothing", async () => {
  await withBothEnds(async (end) => {
    const { connection } = end;
    for (const value of NO_BYTES) {
      assertThrows(() => connection.send(value as string), TypeError);
      if (value === undefined) continue;
      assertThrows(() => connection.ping(value as Uint8Array), TypeError);
    }
    assertThrows(
      () => connection.ping("text" as unknown as Uint8Array),
      TypeError,
    );
    for (const value of [0, NaN, null, undefined, {}, new ArrayBuffer(4)]) {
      assertThrows(() => connection.sendStream(value as string[]), TypeError);
    }
    for (const length of [126, 127, 70_000]) {
      const payload = new Uint8Array(length);
      assertThrows(() => connection.ping(payload), RangeError);
    }
    await assertSilent(end);
  });
});

test("AP-1: broadcast and publish refuse what is no bytes", () => {
  const site = new Site();
  for (const value of NO_BYTES) {
    assertThrows(() => site.broadcast(value as string), TypeError);
    assertThrows(() => site.publish("topic", value as string), TypeError);
  }
});

const CANARY = 0xa5;

/** A buffer full of canaries, with a few bytes of ours in its middle. */
function guarded<T extends ArrayBufferLike>(
  buffer: T,
  from: number,
  size: number,
): T {
  new Uint8Array(buffer).fill(CANARY);
  new Uint8Array(buffer, from, size).forEach((_, i, view) => {
    view[i] = i % 128;
  });
  return buffer;
}

/** Each kind of bytes that may be sent, `size` of them at 16 in their buffer. */
function viewsOf(size: number): [name: string, Sendable][] {
  const plain = () => guarded(new ArrayBuffer(size + 64), 16, size);
  const shared = () => guarded(new SharedArrayBuffer(size + 64), 16, size);
  const resizable = () => {
    const Resizable = ArrayBuffer as unknown as {
      new (size: number, options: { maxByteLength: number }): ArrayBuffer;
    };
    return guarded(
      new Resizable(size + 64, { maxByteLength: size * 2 + 64 }),
      16,
      size,
    );
  };
  return [
    ["Uint8Array", new Uint8Array(plain(), 16, size)],
    ["Int8Array", new Int8Array(plain(), 16, size)],
    ["Uint8ClampedArray", new Uint8ClampedArray(plain(), 16, size)],
    ["Float32Array", new Float32Array(plain(), 16, size / 4)],
    ["BigInt64Array", new BigInt64Array(plain(), 16, size / 8)],
    ["DataView", new DataView(plain(), 16, size)],
    ["ArrayBuffer", plain().slice(16, 16 + size)],
    ["shared Uint8Array", new Uint8Array(shared(), 16, size)],
    ["shared DataView", new DataView(shared(), 16, size)],
    ["resizable Uint8Array", new Uint8Array(resizable(), 16, size)],
    ["resizable DataView", new DataView(resizable(), 16, size)],
    ["resizable ArrayBuffer", resizable().slice(16, 16 + size)],
  ];
}

test("AP-1: exactly the bytes given reach the wire, of any kind and size", async () => {
  await withBothEnds(async ({ role, connection, raw }) => {
    for (const size of [0, 8, 120, 128, 4096, 65_536, 131_072]) {
      for (const [name, data] of viewsOf(size)) {
        connection.send(data);
        const { opcode, payload } = await raw.readFrame();
        assertEquals(opcode, 2);
        const isRight = payload.length === size &&
          payload.every((byte, i) => byte === i % 128);
        assert(isRight, `${role}, ${name}, ${size} bytes`);
        if (size > 125) continue;
        const roundTrip = connection.ping(data as ArrayBufferView);
        const ping = await raw.readFrame();
        assertEquals([ping.opcode, ping.payload.length], [9, size]);
        assert(ping.payload.every((byte, i) => byte === i % 128), name);
        raw.sendFrame({
          opcode: "pong",
          mask: role === "server",
          payload: ping.payload,
        });
        await roundTrip;
      }
    }
  });
});

test("AP-1: a view that follows a resized buffer, and one that was given away", async () => {
  await withBothEnds(async (end) => {
    const { connection, raw } = end;
    const Resizable = ArrayBuffer as unknown as {
      new (size: number, options: { maxByteLength: number }): ArrayBuffer & {
        resize(size: number): void;
      };
    };
    const buffer = new Resizable(8, { maxByteLength: 200_000 });
    const view = new Uint8Array(buffer);
    for (const size of [100, 3, 0, 100_000, 5]) {
      buffer.resize(size);
      view.fill(7);
      connection.send(view);
      // Copied when it was sent, so that what follows does not matter.
      buffer.resize(1);
      const { payload } = await raw.readFrame();
      assertEquals([payload.length, payload.every((byte) => byte === 7)], [
        size,
        true,
      ]);
      buffer.resize(0);
    }
    const gone = new Uint8Array(100);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    assertThrows(() => connection.send(gone.buffer), TypeError);
    connection.send(gone); // which has no bytes any more
    assertEquals((await raw.readFrame()).payload.length, 0);
    await assertSilent(end);
  });
});

test("AP-1: a buffer given away while it waits costs that message, no other", async () => {
  await withBothEnds(async ({ connection, raw }) => {
    raw.pause();
    const filler = new Uint8Array(65_536).fill(1);
    while (connection.bufferedAmount < 400_000) {
      connection.send(filler);
      await new Promise((resolve) => setTimeout(resolve));
    }
    const gone = new Uint8Array(60_000).fill(2);
    connection.send("before");
    connection.send(gone);
    connection.send("after");
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    raw.resume();
    let frame = await raw.readFrame();
    while (frame.opcode === 2) frame = await raw.readFrame();
    assertEquals(frame.payload.length, 6);
    // A client masks a copy, so that its message is whole.
    const { payload } = await raw.readFrame();
    assertEquals(payload.length, 60_000);
    assert(payload.every((byte) => byte === payload[0] && byte !== CANARY));
    assertEquals((await raw.readFrame()).payload.length, 5);
  });
});

test("AP-3: sending changes no buffer of the caller's, in either role", async () => {
  await withBothEnds(async ({ role, connection, raw }) => {
    for (const size of [1, 100, 40_000, 49_152, 200_000]) {
      const data = new Uint8Array(size).map((_, i) => i * 13);
      const before = data.slice();
      connection.send(data);
      const { payload } = await raw.readFrame();
      assertEquals([role, size, payload], [role, size, before]);
      assertEquals(data, before);
    }
  });
});

test("AP-3: what is changed after drained does not reach the wire", async () => {
  await withBothEnds(async ({ connection, raw }) => {
    for (const size of [100, 40_000, 200_000]) {
      const data = new Uint8Array(size).fill(1);
      const reading = raw.readFrame();
      connection.send(data);
      // The buffer is over its mark only with the larger ones.
      if (size < 49_152) data.fill(2);
      await connection.drained;
      const { payload } = await reading;
      assert(payload.every((byte) => byte === 1), `${size} bytes`);
    }
  });
});

test("AP-3: bytes that were received are the receiver's", async () => {
  await withBothEnds(async ({ role, connection, raw }) => {
    if (role === "server") return; // its messages go to a hook
    for (const fill of [1, 2, 3]) {
      raw.sendFrame({
        opcode: "binary",
        mask: false,
        payload: new Uint8Array(50).fill(fill),
      });
    }
    for (const fill of [1, 2, 3]) {
      const data = await connection.receive();
      assert(data instanceof Uint8Array);
      assert(data.every((byte) => byte === fill));
      data.fill(0xff);
    }
  });
});

test("CL-9: close() refuses codes and reasons that must not be sent", async () => {
  await withBothEnds(async (end) => {
    const close = (code: unknown, reason?: unknown) => () =>
      end.connection.close(code as number, reason as string);
    for (const code of ["1000", null, {}, [], true, 1000n, new Number(1000)]) {
      assertThrows(close(code), TypeError);
    }
    for (
      const code of [
        -1,
        0,
        1,
        999,
        1000.5,
        1004,
        1005,
        1006,
        1015,
        1016,
        2999,
        5000,
        65_536,
        66_536,
        1e9,
        NaN,
        Infinity,
      ]
    ) assertThrows(close(code), RangeError);
    for (const reason of [5, null, {}, new Uint8Array(3), true]) {
      assertThrows(close(1000, reason), TypeError);
    }
    assertThrows(close(1000, "\ud800"), TypeError);
    assertThrows(close(1000, "a\udc00b"), TypeError);
    assertThrows(close(1000, "x".repeat(124)), RangeError);
    assertThrows(close(1000, "€".repeat(42)), RangeError);
    assertEquals(end.connection.readyState, 1);
    await assertSilent(end);
    // Any well-formed text may travel: a frame has a length, and no line ends.
    const reason = `${"€".repeat(39)}\r\n\0"\t\x7f`;
    void end.connection.close(4999, reason);
    const { opcode, payload } = await end.raw.readFrame();
    assertEquals([opcode, closeCode(payload)], [8, 4999]);
    assertEquals(payload, closePayload(4999, reason));
  });
});

test("AP-1: send refuses options that are unknown or wrong", async () => {
  await withBothEnds(async (end) => {
    for (
      const options of [null, 5, "x", { compres: false }, { compress: 1 }, {
        compress: null,
      }]
    ) {
      assertThrows(
        () => end.connection.send("x", options as SendOptions),
        TypeError,
      );
    }
    await assertSilent(end);
  });
});
