/** HD-5 over real sockets, on the runtime at hand; see `memory_model_test.ts`. */
import process from "node:process";
import { testWhere } from "../harness.ts";
import { fastCheck } from "./fast_check.ts";
import { play } from "./play.ts";
import { SocketWorld } from "./socket_world.ts";

testWhere(
  fastCheck === undefined ? "fast-check" : undefined,
  "HD-5: random steps over sockets: open, messages in order, close, and nothing else",
  async () => {
    const options = {
      runs: 30,
      maxSteps: 60,
      limitMs: 5_000,
      hasPowers: false,
    };
    await play(fastCheck!, process.env, options, () => SocketWorld.open());
  },
);
