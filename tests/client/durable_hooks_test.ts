/** B-8: hooks that wait for the end that waits for them. */
import {
  type DurableConnection,
  type DurableOptions,
  redial,
} from "../../client.ts";
import { settle } from "../../testing.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { inWorld, URL } from "./redialing.ts";

/** Hooks that call something, and wait for it. */
const HOOKS: Record<string, (wait: () => Promise<void>) => DurableOptions> = {
  open: (wait) => ({ open: wait }),
  message: (wait) => ({ message: wait }),
  down: (wait) => ({ down: wait }),
};

for (const [name, hooks] of Object.entries(HOOKS)) {
  for (const how of ["close", "abort"]) {
    test(`B-8: hook ${name} that waits for the end after ${how} does not hold it up for ever`, () =>
      inWorld(async (world) => {
        await world.listen();
        const controller = new AbortController();
        let calls = 0;
        const durable: DurableConnection = redial(URL, {
          signal: controller.signal,
        }).connect({
          outbox: {},
          ...hooks(async () => {
            calls++;
            if (how === "close") void durable.close();
            else controller.abort();
            await durable.closed;
          }),
        });
        durable.send("kept");
        await settle();
        world.opened[0]?.send("one");
        world.opened[0]?.send("two");
        await settle();
        if (name === "down") world.opened[0]!.terminate();
        await settle();
        assertEquals(calls, 1);
        await world.clock.advance(9_000);
        assert(durable.state !== "closed");
        await world.clock.advance(2_000);
        const { cause } = await within(durable.closed, "the end");
        assertEquals(cause, how === "close" ? "closed" : "aborted");
        assertEquals(durable.state, "closed");
        // What the hook does when it goes on at last changes nothing.
        await settle();
        assertEquals([durable.state, calls], ["closed", 1]);
        assertEquals(durable.pendingBytes, 0);
        assertEquals(world.site.connections.size, 0);
      }));
  }
}
