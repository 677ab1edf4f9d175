/** A program that redials no more ends by itself (BL8). */
import { assertEquals, test } from "../harness.ts";
import { Child } from "../harness/child.ts";
import { serve } from "../site/served.ts";

const WAYS = [
  "break",
  "close",
  "close while it waits",
  "abort",
  "refusal",
  "giving up",
];

for (const how of WAYS) {
  test(`BL8: a process ends by itself after redial: ${how}`, () =>
    serve({}, async ({ port }) => {
      const script = "tests/client/redialing_child.ts";
      await using child = Child.running(script, [], {
        SOCKEYE_TEST_URL: `ws://127.0.0.1:${port}/echo`,
        SOCKEYE_TEST_HOW: how,
      });
      assertEquals(await child.json(), "hello");
      await child.assertEnds(8_000);
    }));
}
