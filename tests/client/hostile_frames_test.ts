/** CI-10: what a hostile server sends for long, or in odd pieces (FR-1 to FG-8). */
import process from "node:process";
import type { CloseInfo, DialOptions } from "../../client.ts";
import { ProtocolError } from "../../codec.ts";
import { ClosedError } from "../../connection.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { concat } from "../harness/bytes.ts";
import { within } from "../harness/deadline.ts";
import { closeCode, frame } from "../harness/frame.ts";
import { seededRandom } from "../harness/random.ts";
import { opened } from "./dialing.ts";

const MEBIBYTE = 1_048_576;
const encoder = new TextEncoder();

const part = (payload: string | Uint8Array, options = {}) =>
  frame({ opcode: "continuation", payload, ...options });

/** What a client has been told when the server was done. */
interface Told {
  readonly messages: (string | Uint8Array)[];
  readonly errors: Error[];
  readonly infos: CloseInfo[];
}

/** Sends all that to a client, closes, and says what the client was told. */
async function told(
  pieces: Iterable<Uint8Array>,
  options: DialOptions = {},
): Promise<Told & { code: number }> {
  const told: Told = { messages: [], errors: [], infos: [] };
  await using end = await opened({
    ...options,
    handler: {
      message: (_, data) => void told.messages.push(data),
      error: (_, error) => void told.errors.push(error),
      close: (_, info) => void told.infos.push(info),
    },
  });
  const { raw, connection } = end;
  for (const piece of pieces) {
    if (raw.ended) break;
    await raw.writeAll(piece);
  }
  raw.write(frame({ opcode: "close", payload: Uint8Array.of(3, 232) }));
  let answer = await raw.readFrame();
  while (answer.opcode !== 8) answer = await raw.readFrame();
  raw.end();
  await within(connection.closed, "the close");
  return { ...told, code: closeCode(answer.payload) };
}

test("CI-10, FR-1: the header of a gigabyte is answered at once, whatever drips in after it", async () => {
  await using end = await opened();
  const closed = end.connection.closed;
  end.raw.write(frame({ opcode: "binary", length: 2n ** 30n }));
  const close = await end.raw.readFrame();
  assertEquals([close.opcode, closeCode(close.payload)], [8, 1009]);
  const drip = setInterval(() => end.raw.write("x"), 5);
  await end.raw.readToEnd().finally(() => clearInterval(drip));
  end.raw.end();
  assertEquals((await closed).cause, "too-big");
});

test("CI-10, FR-6: a message in chunks of one byte, and of odd sizes", async () => {
  const text = "größe ".repeat(2_000);
  const bytes = frame({ payload: text });
  const single = Array.from(
    { length: 300 },
    (_, at) => bytes.subarray(at, at + 1),
  );
  const random = seededRandom(6);
  const odd: Uint8Array[] = [];
  for (let at = 300; at < bytes.length;) {
    const size = 1 + random.below(700);
    odd.push(bytes.subarray(at, at + size));
    at += size;
  }
  const { messages, errors, code } = await told([...single, ...odd]);
  assertEquals([messages.length, errors.length, code], [1, 0, 1000]);
  assertEquals(messages[0], text);
});

test("CI-10, FR-8: after a breach nothing more is told, kept or waited for", async () => {
  await using end = await opened({ closeTimeoutMs: 60_000 });
  const { raw, connection } = end;
  let messages = 0;
  const taking = (async () => {
    for await (const _ of connection) messages++;
  })();
  const failed = assertRejects(() => taking, ClosedError);
  raw.write(frame({ rsv: 4 }));
  assertEquals(closeCode((await raw.readFrame()).payload), 1002);
  const before = process.memoryUsage().rss;
  // Valid messages and noise, far more than the kernel holds.
  const valid = frame({ payload: "x".repeat(60_000) });
  const noise = new Uint8Array(MEBIBYTE).map((_, at) => at * 31 + (at >> 8));
  for (let round = 0; round < 600; round++) {
    await raw.writeAll(valid);
    await raw.writeAll(noise);
  }
  raw.end();
  const info = await within(connection.closed, "the end");
  await failed;
  assert(info.error instanceof ProtocolError);
  assertEquals([messages, info.cause], [0, "protocol-error"]);
  const grown = (process.memoryUsage().rss - before) / MEBIBYTE;
  // Kept it would be 630 MiB. What other tests leave behind in the same process
  // counts as well.
  assert(grown < 450, `${grown} MiB`);
});

test("CI-10, FR-11: a hundred thousand messages in a few reads come in their order", async () => {
  const COUNT = 100_000;
  const all = concat(
    ...Array.from(
      { length: COUNT },
      (_, at) =>
        frame({ opcode: "binary", payload: Uint8Array.of(at >> 8, at) }),
    ),
  );
  const { messages, code } = await told([all]);
  assertEquals([messages.length, code], [COUNT, 1000]);
  const isRight = messages.every((data, at) =>
    (data as Uint8Array)[0] === ((at >> 8) & 0xff) &&
    (data as Uint8Array)[1] === (at & 0xff)
  );
  assert(isRight, "out of order");
});

test("CI-10, FG-3: empty fragments without end are too many", async () => {
  const many = concat(
    ...Array.from({ length: 4_096 }, () => part("", { fin: false })),
  );
  function* forever(): Generator<Uint8Array> {
    yield frame({ fin: false });
    for (let i = 0; i < 50; i++) yield many;
  }
  const { messages, infos, code } = await told(forever());
  assertEquals([messages.length, infos.length, code], [0, 1, 1008]);
});

test("CI-10, FG-5: fragments are counted in one message, not in all", async () => {
  const two = concat(frame({ fin: false, payload: "a" }), part("b"));
  const batch = concat(...Array.from({ length: 1_000 }, () => two));
  const { messages, code } = await told(
    Array.from({ length: 30 }, () => batch),
  );
  assertEquals([messages.length, code], [30_000, 1000]);
  assertEquals(new Set(messages), new Set(["ab"]));
});

test("CI-10, FG-6: the number of fragments is an option, and size still counts", async () => {
  const fragments = (count: number, payload: string) => [
    frame({ fin: false, payload }),
    concat(
      ...Array.from({ length: count - 2 }, () => part(payload, { fin: false })),
    ),
    part(payload),
  ];
  const few = await told(fragments(11, "x"), { maxFragments: 10 });
  assertEquals([few.messages.length, few.code], [0, 1008]);
  const exact = await told(fragments(10, "x"), { maxFragments: 10 });
  assertEquals([exact.messages, exact.code], [["x".repeat(10)], 1000]);
  const endless = { maxFragments: Infinity, maxMessageBytes: 40_000 };
  const many = await told(fragments(40_000, "x"), endless);
  assertEquals([many.messages[0]?.length, many.code], [40_000, 1000]);
  const big = await told(fragments(40_001, "x"), endless);
  assertEquals([big.messages.length, big.code], [0, 1009]);
});

test("CI-10, FG-7, FG-8: control frames between fragments, and empty ones", async () => {
  const { messages, code } = await told([
    frame({ fin: false }),
    frame({ opcode: "ping", payload: "p" }),
    part("", { fin: false }),
    part("one", { fin: false }),
    frame({ opcode: "pong" }),
    part(""),
    frame({ payload: "" }),
    frame({ opcode: "binary" }),
  ]);
  assertEquals(messages, ["one", "", new Uint8Array()]);
  assertEquals(code, 1000);
  const breaches = [
    [frame({ fin: false, payload: "a" }), frame({ payload: "b" })],
    [part("a")],
    [frame({ opcode: "ping", fin: false }), part("")],
    [frame({ opcode: "close", fin: false })],
  ];
  for (const [at, breach] of breaches.entries()) {
    const seen = await told([frame({ payload: "before" }), ...breach]);
    assertEquals([at, seen.code, ...seen.messages], [at, 1002, "before"]);
    assertEquals([at, seen.infos.length, seen.errors.length], [at, 1, 1]);
  }
});

test("CI-10, UT-2: what is no UTF-8 ends in 1007, and a byte order mark stays", async () => {
  const wrong: number[][] = [
    [0xc3],
    [0xe2, 0x82],
    [0xf0, 0x9f, 0x98],
    [0xc0, 0xaf],
    [0xe0, 0x80, 0xaf],
    [0xed, 0xa0, 0x80],
    [0xed, 0xbf, 0xbf],
    [0xf4, 0x90, 0x80, 0x80],
    [0xf8, 0x88, 0x80, 0x80, 0x80],
    [0xff],
  ];
  for (const bytes of wrong) {
    const text = Uint8Array.from([0x61, ...bytes]);
    const cut = [
      frame({ fin: false, payload: text.subarray(0, 2) }),
      part(text.subarray(2)),
    ];
    for (const pieces of [[frame({ payload: text })], cut]) {
      const seen = await told(pieces);
      assertEquals([bytes, seen.code, seen.messages], [bytes, 1007, []]);
    }
  }
  const marked = "\ufeffmarked\ufeff";
  const { messages } = await told([frame({ payload: encoder.encode(marked) })]);
  assertEquals(messages, [marked]);
});
