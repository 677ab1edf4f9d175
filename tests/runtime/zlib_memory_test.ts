/**
 * What compression takes of memory and time. Measured in a process of its own: where
 * tests share one, others grow it meanwhile.
 */
import { assert, assertEquals, test } from "../harness.ts";
import {
  checkoutPath,
  Child,
  currentRuntime,
  runtimePath,
} from "../harness/child.ts";

const LIMIT = 1_048_576;

const FLAGS: Readonly<Record<typeof currentRuntime, readonly string[]>> = {
  deno: ["run", "-A", "--no-check", "--v8-flags=--expose-gc"],
  bun: [],
  node: ["--expose-gc"],
};

test("PM-1, PM-2, PM-9: what bombs and contexts take, and give back", async () => {
  await using child = new Child(runtimePath(currentRuntime) ?? "", [
    ...FLAGS[currentRuntime],
    checkoutPath("tests/runtime/zlib_memory_child.ts"),
  ]);
  // 1 GiB out of 1 MiB stops at the limit.
  const bomb = await child.json<
    { result: string; cpuMs: number; grownBytes: number; bombBytes: number }
  >();
  assertEquals(bomb.result, "message-too-big");
  assert(bomb.bombBytes < 1_200_000, `${bomb.bombBytes}`);
  assert(bomb.cpuMs < 50, `${bomb.cpuMs} ms of processor time`);
  // zlib is given the bomb with the trailer, in a copy.
  const mostBytes = LIMIT + 1_048_576 + bomb.bombBytes;
  assert(bomb.grownBytes < mostBytes, `it grew by ${bomb.grownBytes} bytes`);

  const contexts = await child.json<
    { grownBytes: number; released: number }
  >();
  assertEquals(contexts.released, 8_500);
  // Kept, they grow it by 280 to 350 MB; without, V8 lets up to 110 MB pass before
  // it collects.
  const grown = contexts.grownBytes;
  assert(grown < 190_000_000, `it grew by ${grown} bytes`);

  const bombs = await child.json<
    { grownBytes: number; alive: number; results: string[] }
  >();
  assertEquals(bombs.results, ["message-too-big"]);
  assertEquals(bombs.alive, 1_500);
  // One at a time: the limit and the context of each, as it were, is 1 GiB.
  const most = 64 * 1_048_576;
  assert(bombs.grownBytes < most, `it grew by ${bombs.grownBytes} bytes`);
  await child.assertEnds();
});
