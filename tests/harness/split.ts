/**
 * A parser must not care how the network cuts its bytes: the ways to cut that
 * every parser is tested with.
 */
import { assertEquals } from "../harness.ts";
import { seededRandom } from "./random.ts";

/** One way to cut, with a name for the failure message. */
export interface Split {
  /** Which way; for random ones with the seed. */
  readonly name: string;
  /** The pieces. Fresh copies, which the parser may overwrite. */
  readonly chunks: Uint8Array<ArrayBuffer>[];
}

/** Cuts copies of `bytes` at ascending `offsets`. */
export function cutAt(
  bytes: Uint8Array,
  offsets: readonly number[],
): Uint8Array<ArrayBuffer>[] {
  const edges = [0, ...offsets, bytes.length];
  return edges.slice(1)
    .map((end, i) => new Uint8Array(bytes.subarray(edges[i], end)))
    .filter((chunk) => chunk.length > 0);
}

/** Cuts copies of `bytes` into chunks of `size`, the last one shorter. */
export function cutEvery(
  bytes: Uint8Array,
  size: number,
): Uint8Array<ArrayBuffer>[] {
  const chunks = [];
  for (let i = 0; i < bytes.length; i += size) {
    chunks.push(new Uint8Array(bytes.subarray(i, i + size)));
  }
  return chunks;
}

/** Yields `bytes` whole, byte by byte, and in 20 random ways. */
export function* splits(bytes: Uint8Array, seed = 1): Generator<Split> {
  yield { name: "whole", chunks: cutAt(bytes, []) };
  yield { name: "byte by byte", chunks: cutEvery(bytes, 1) };
  for (let round = 0; round < 20; round++) {
    const random = seededRandom(seed + round);
    const cuts = 1 + random.below(8);
    const offsets = Array.from(
      { length: cuts },
      () => random.below(bytes.length + 1),
    ).sort((a, b) => a - b);
    yield {
      name: `random, seed ${seed + round}, cut at ${offsets}`,
      chunks: cutAt(bytes, offsets),
    };
  }
}

/** What {@linkcode assertParses} needs of a parser. */
export interface SplitParser<Event> {
  /** Takes a chunk, which it may overwrite; returns what has come out of it. */
  push(chunk: Uint8Array<ArrayBuffer>): readonly Event[];
  /** Bytes that were not consumed, for parsers that stop at an end of their own. */
  leftover?(): Uint8Array;
}

/**
 * Asserts that a parser makes `events` of `bytes`, however they are cut, and,
 * where it has a `leftover`, that it leaves what follows alone.
 *
 * @param create Makes a fresh parser.
 */
export function assertParses<Event>(
  create: () => SplitParser<Event>,
  bytes: Uint8Array,
  events: readonly Event[],
): void {
  for (const { name, chunks } of splits(bytes)) {
    const parser = create();
    const seen = chunks.flatMap((chunk) => [...parser.push(chunk)]);
    assertEquals(seen, [...events], `events differ when split ${name}`);
  }
  const parser = create();
  if (parser.leftover === undefined) return;
  const trailing = [0x00, 0x0d, 0x0a, 0xff, 0x47];
  const seen = parser.push(Uint8Array.of(...bytes, ...trailing));
  assertEquals([...seen], [...events], "events differ with trailing bytes");
  assertEquals([...parser.leftover()], trailing, "trailing bytes were touched");
}
