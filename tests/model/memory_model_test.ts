/**
 * HD-5: whatever is done to connections in whatever order, by themselves, by their
 * peers, by the network and by time: open, messages in order, close. In memory.
 */
import process from "node:process";
import { testWhere } from "../harness.ts";
import { fastCheck } from "./fast_check.ts";
import { MemoryWorld } from "./memory_world.ts";
import { play } from "./play.ts";

testWhere(
  fastCheck === undefined ? "fast-check" : undefined,
  "HD-5: random steps in memory: open, messages in order, close, and nothing else",
  async () => {
    const options = {
      runs: 300,
      maxSteps: 80,
      limitMs: 4_000,
      hasPowers: true,
    };
    // deno-lint-ignore require-await
    await play(fastCheck!, process.env, options, async () => new MemoryWorld());
  },
);
