import { keepSpare, takeSpare } from "../../codec/spare_buffer.ts";
import { assert, assertStrictEquals, test } from "../harness.ts";

test("a spare buffer serves once, where it is large enough", () => {
  const buffer = new Uint8Array(524_288);
  keepSpare(buffer);
  assert(takeSpare(524_289) !== buffer);
  assert(takeSpare(65_535).length === 65_535);
  assertStrictEquals(takeSpare(65_536), buffer);
  assert(takeSpare(65_536) !== buffer);
});

test("of the buffers that are given the largest is kept, within bounds", () => {
  const [small, medium, large] = [65_535, 100_000, 524_289].map((bytes) =>
    new Uint8Array(bytes)
  );
  for (const buffer of [small!, medium!, large!, new Uint8Array(70_000)]) {
    keepSpare(buffer);
  }
  assertStrictEquals(takeSpare(80_000), medium);
  assert(takeSpare(524_289) !== large);
});
