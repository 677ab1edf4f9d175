/** AB21: what a message in pieces takes of memory, however large it is. */
import { assert, assertEquals, test } from "../harness.ts";
import { Child } from "../harness/child.ts";

const MIB = 1_048_576;
const SIZE_MIB = 512;
/** What garbage there may be until somebody collects it, and some more. */
const MOST_BYTES = 300 * MIB;

test("AB21: memory stays flat, however large a message is", async () => {
  const script = "tests/site/pieces_memory_child.ts";
  await using child = Child.running(script, [`${SIZE_MIB}`]);
  const kinds: [string, boolean, number][] = [
    ["one frame", true, Infinity],
    ["fragments of text", false, Infinity],
    ["a bomb", true, 65_536 + 258],
  ];
  for (const [what, isBinary, mostChunk] of kinds) {
    const { binary, length, longest, grownBytes } = await child.json<{
      binary: boolean;
      length: number;
      longest: number;
      grownBytes: number;
    }>(60_000);
    assertEquals([binary, length], [isBinary, SIZE_MIB * MIB], what);
    assert(longest <= mostChunk, `${what}: a chunk of ${longest}`);
    assert(grownBytes < MOST_BYTES, `${what}: it grew by ${grownBytes} bytes`);
  }
  await child.assertEnds();
});
