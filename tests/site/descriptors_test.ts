/** A site that runs out of file descriptors (OS-1). */
import process from "node:process";
import { assert, test } from "../harness.ts";
import { canary } from "../harness/canary.ts";
import { Child, currentRuntime, scriptArguments } from "../harness/child.ts";
import {
  type RawClient,
  rawConnect,
  rawUpgrade,
} from "../harness/raw_client.ts";
import { pause } from "./served.ts";

interface Times {
  readonly cpuMs: number;
  readonly nowMs: number;
}

test("OS-1: a site outlives a lack of descriptors, and does not spin", async () => {
  const args = scriptArguments(currentRuntime, "tests/site/limited_child.ts");
  const limited = ["-c", 'ulimit -n 100; exec "$0" "$@"', process.execPath];
  await using child = new Child("bash", [...limited, ...args]);
  const port = await child.json<number>();
  const times = async (): Promise<Times> => {
    child.say("");
    return await child.json<Times>();
  };
  // Also opens what the child needs in order to answer, while it still can. Deno
  // 2.9.6 itself does that half a second after its start, and panics if it cannot.
  await times();
  if (currentRuntime === "deno") await pause(1_500);
  await canary(port);
  await using early = await rawUpgrade(port);
  const crowd: RawClient[] = [];
  try {
    // The kernel accepts those for which the site has no descriptor.
    for (let i = 0; i < 200; i++) crowd.push(await rawConnect(port));
    const before = await times();
    await pause(500);
    const after = await times();
    const usedMs = after.cpuMs - before.cpuMs;
    const passedMs = after.nowMs - before.nowMs;
    // A bare `Bun.listen` (1.4.5) spins by itself, and says nothing of it.
    // Deno and Node use less than a hundredth, and without a wait half of it and more.
    const mayUseMs = passedMs * (currentRuntime === "bun" ? 1.4 : 0.1);
    assert(usedMs < mayUseMs, `${usedMs} ms of ${passedMs} with nothing to do`);
    // Who was there before is served all the same.
    early.sendFrame({ payload: "still here" });
    assert((await early.readFrame()).payload.length === 10);
  } finally {
    await Promise.all(crowd.map((client) => client[Symbol.asyncDispose]()));
  }
  // The waiting ones may be turned away first.
  for (let tries = 0;; tries++) {
    try {
      await canary(port);
      break;
    } catch (error) {
      if (tries === 50) throw error;
      await pause(100);
    }
  }
});
