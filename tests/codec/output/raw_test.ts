/** Frames that were made before, which many connections send. */
import { Output } from "../../../codec/output.ts";
import {
  assert,
  assertEquals,
  assertStrictEquals,
  test,
} from "../../harness.ts";
import { concat, hex, sameBytes } from "../../harness/bytes.ts";
import { frame } from "../../harness/frame.ts";
import { BINARY, payload, takeAll, TEXT } from "./written.ts";

test("writeRaw() sends bytes as they are, long ones by reference", () => {
  const output = new Output(false);
  const long = payload(49_152);
  output.writeRaw(hex("81 01 41"));
  output.writeRaw(long);
  output.writeRaw(payload(49_151));
  output.writeRaw(long);
  output.writeRaw(long);
  assertEquals(output.take(), hex("81 01 41"));
  assertStrictEquals(output.take(), long);
  assert(sameBytes(output.take()!, payload(49_151)));
  assertStrictEquals(output.take(), long);
  assertStrictEquals(output.byteLength, long.length);
  assertStrictEquals(output.take(), long);
  assertStrictEquals(output.take(), undefined);
});

test("frames that many send are gathered once for all of them", () => {
  const frames = [payload(130), payload(40), payload(3_000)];
  const outputs = Array.from({ length: 5 }, () => new Output(false));
  // A single one is neither copied nor looked at.
  for (const output of outputs) output.writeRaw(frames[0]!);
  for (const output of outputs) {
    assertStrictEquals(output.byteLength, 130);
    assertStrictEquals(output.take(), frames[0]);
    assertStrictEquals(output.byteLength, 0);
  }
  for (const frame of frames) {
    for (const output of outputs) output.writeRaw(frame);
  }
  const bytes = outputs[0]!.take()!;
  assert(sameBytes(bytes, concat(...frames)));
  for (const output of outputs.slice(1)) {
    assertStrictEquals(output.byteLength, bytes.length);
    assertStrictEquals(output.take(), bytes);
    assertStrictEquals(output.take(), undefined);
  }
});

test("what one connection sends of its own goes with what all send", () => {
  const shared = payload(130);
  const before = shared.slice();
  const own = frame({ payload: "own" });
  const outputs = Array.from({ length: 3 }, () => new Output(false));
  for (const output of outputs) {
    output.writeRaw(shared);
    output.writeText(TEXT, "own");
    output.writeRaw(shared);
    assertStrictEquals(output.byteLength, 130 + own.length + 130);
  }
  for (const output of outputs) {
    const chunks = takeAll(output);
    assertStrictEquals(chunks.length, 1);
    assert(sameBytes(chunks[0]!, concat(shared, own, shared)));
  }
  assert(sameBytes(shared, before), "the frame was changed");
});

test("frames that many send leave 64 KiB at a time", () => {
  const frames = Array.from({ length: 8 }, (_, seed) => payload(20_000, seed));
  const outputs = [new Output(false), new Output(false)];
  for (const frame of frames) {
    for (const output of outputs) output.writeRaw(frame);
  }
  // Too much to be moved for what follows.
  for (const output of outputs) {
    output.writeFrame(BINARY, payload(9_000), false);
  }
  const all = concat(
    ...frames,
    frame({ opcode: "binary", payload: payload(9_000) }),
  );
  const [chunks, others] = outputs.map((output) => {
    const taken = [];
    while (output.byteLength > 0) taken.push(output.take()!);
    return taken;
  });
  assertEquals(
    chunks!.map(({ length }) => length),
    [60_000, 60_000, 40_000 + 9_004],
  );
  assert(sameBytes(concat(...chunks!), all));
  assertStrictEquals(chunks![0], others![0]);
  assertStrictEquals(chunks![1], others![1]);

  for (const output of outputs) {
    for (const frame of frames.slice(0, 3)) output.writeRaw(frame);
    output.writeFrame(BINARY, payload(9_000), false);
    const lengths = takeAll(output).map(({ length }) => length);
    assertEquals(lengths, [60_000, 9_004]);
  }
});
