/**
 * AB21: messages in random fragments, cut at random on their way, and taken in
 * random ways: what is taken is what was sent, in order, and it goes on.
 */
import process from "node:process";
import {
  callbackHandler,
  loadCompression,
  type StreamedMessage,
} from "../../connection.ts";
import { deflated } from "../compression/zlib_peer.ts";
import { agreedTransform } from "../connection/pieces.ts";
import { Rig, settle } from "../connection/rig.ts";
import {
  assert,
  assertEquals,
  assertStrictEquals,
  testWhere,
} from "../harness.ts";
import { concat, sameBytes } from "../harness/bytes.ts";
import { within } from "../harness/deadline.ts";
import type { FrameOptions } from "../harness/frame.ts";
import { type FastCheck, fastCheck } from "./fast_check.ts";

/** What is done with a message: how many chunks of it are taken, or `whole()`. */
type Taking = "all" | "whole" | "first" | "none" | "slowly";

/** A message, and what becomes of it. */
interface Sending {
  readonly binary: boolean;
  readonly compressed: boolean;
  /** Where its payload is cut, modulo its length. */
  readonly cuts: readonly number[];
  /** Characters, of which the text, or the bytes, are made. */
  readonly points: readonly number[];
  readonly repeat: number;
  readonly pings: boolean;
  readonly taking: Taking;
}

/** One run. */
interface Plan {
  readonly isHook: boolean;
  readonly chunkBytes: number;
  readonly sendings: readonly Sending[];
}

function contentOf({ points, repeat }: Sending): Uint8Array {
  return concat(String.fromCodePoint(...points).repeat(repeat));
}

function framesOf(sending: Sending): FrameOptions[] {
  const content = contentOf(sending);
  const payload = sending.compressed ? deflated(content) : content;
  const cuts = sending.cuts.map((cut) => cut % (payload.length + 1));
  const edges = [0, ...cuts.sort((a, b) => a - b), payload.length];
  const last = edges.length - 2;
  return edges.slice(1).flatMap((end, index): FrameOptions[] => [
    ...(sending.pings ? [{ opcode: "ping" as const }] : []),
    {
      opcode: index > 0 ? "continuation" : sending.binary ? "binary" : "text",
      rsv: sending.compressed && index === 0 ? 4 : 0,
      fin: index === last,
      payload: payload.subarray(edges[index], end),
    },
  ]);
}

/** Takes a message as it is to be taken; what of it was taken. */
async function take(
  message: StreamedMessage,
  taking: Taking,
): Promise<Uint8Array> {
  if (taking === "whole") return concat(await message.whole());
  const chunks: (string | Uint8Array)[] = [];
  if (taking === "none") {
    await message[Symbol.asyncIterator]().return?.();
    return concat();
  }
  for await (const chunk of message) {
    assert(chunk.length > 0, "an empty chunk");
    chunks.push(chunk);
    if (taking === "first") break;
    if (taking === "slowly") await settle();
  }
  return concat(...chunks);
}

async function play({ isHook, chunkBytes, sendings }: Plan): Promise<void> {
  const transform = agreedTransform();
  const options = { maxStreamBytes: Infinity, receiveHighWaterBytes: 4_000 };
  await using rig = new Rig(options, { chunkBytes }, "server", transform);
  const taken: [boolean, Uint8Array][] = [];
  const onMessage = async (message: StreamedMessage) => {
    const bytes = await take(message, sendings[taken.length]!.taking);
    taken.push([message.binary, bytes]);
  };
  if (isHook) {
    const hooks = { stream: (_: unknown, m: StreamedMessage) => onMessage(m) };
    const handler = callbackHandler("test", hooks);
    rig.connection.handle(new handler(rig.connection));
  } else {
    rig.connection.offerPieces();
  }
  for (const sending of sendings) rig.send(...framesOf(sending));
  for (let i = 0; i < sendings.length; i++) {
    if (!isHook) {
      const next = rig.connection.receiveStream();
      await onMessage(await within(next, "a message"));
    }
    while (taken.length <= i) await settle();
  }
  while (rig.connection.stats.messagesReceived < sendings.length) {
    await settle();
  }
  sendings.forEach((sending, index) => {
    const [binary, bytes] = taken[index]!;
    const content = contentOf(sending);
    assertStrictEquals(binary, sending.binary);
    const isPart = sending.taking === "none" || sending.taking === "first";
    const expected = isPart ? content.subarray(0, bytes.length) : content;
    assert(sameBytes(bytes, expected), `message ${index} is another`);
    assert(
      sending.taking !== "first" || bytes.length > 0 || content.length === 0,
    );
  });
  const pings = sendings.flatMap(framesOf)
    .filter(({ opcode }) => opcode === "ping");
  await settle();
  assertEquals(rig.sent, pings.map(() => "pong"));
  assertStrictEquals(rig.connection.readyState, 1);
}

async function search(fc: FastCheck): Promise<void> {
  await loadCompression();
  const flag = fc.constantFrom(true, false);
  const sending = fc.record<{ [Name in keyof Sending]: Sending[Name] }>({
    binary: flag,
    compressed: flag,
    cuts: fc.array(fc.integer({ min: 0, max: 9_999 }), { maxLength: 5 }),
    points: fc.array(fc.constantFrom(0, 65, 0x7f, 0xe9, 0x20ac, 0x1f41f), {
      maxLength: 8,
    }),
    repeat: fc.constantFrom(1, 1, 30, 200),
    pings: flag,
    taking: fc.constantFrom<Taking>("all", "whole", "first", "none", "slowly"),
  });
  const plan = fc.record<{ [Name in keyof Plan]: Plan[Name] }>({
    isHook: flag,
    chunkBytes: fc.constantFrom(1, 3, 50, 1_000, Infinity),
    sendings: fc.array(sending, { minLength: 1, maxLength: 6 }),
  });
  const deadlineMs = performance.now() + 3_000;
  const { SOCKEYE_SEED, SOCKEYE_PATH, SOCKEYE_RUNS } = process.env;
  let played = 0;
  await fc.assert(
    fc.asyncProperty(plan, async (plan) => {
      const isLate = performance.now() > deadlineMs;
      if (isLate && SOCKEYE_RUNS === undefined) return;
      played++;
      await within(play(plan), "the messages", 40_000);
    }),
    {
      numRuns: Number(SOCKEYE_RUNS ?? 300),
      ...(SOCKEYE_SEED !== undefined && { seed: Number(SOCKEYE_SEED) }),
      ...(SOCKEYE_PATH !== undefined && { path: SOCKEYE_PATH }),
    },
  );
  assert(played > 0);
}

testWhere(
  fastCheck === undefined ? "fast-check" : undefined,
  "AB21: random messages, cut and taken at random, are what was sent",
  () => search(fastCheck!),
);
