/** A program that redials no more ends by itself (BL8). */
import process from "node:process";
import { assertEquals, test } from "../harness.ts";
import {
  Child,
  currentRuntime,
  runtimePath,
  scriptArguments,
} from "../harness/child.ts";
import { within } from "../harness/deadline.ts";
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
      process.env["SOCKEYE_TEST_URL"] = `ws://127.0.0.1:${port}/echo`;
      process.env["SOCKEYE_TEST_HOW"] = how;
      const script = "tests/client/redialing_child.ts";
      const args = scriptArguments(currentRuntime, script);
      await using child = new Child(runtimePath(currentRuntime) ?? "", args);
      assertEquals(await child.json(), "hello");
      const exit = await within(child.exited, "the child's end", 4_000);
      assertEquals([exit, child.stderr], [{ code: 0, signal: null }, ""]);
    }));
}
