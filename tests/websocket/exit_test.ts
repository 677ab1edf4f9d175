/** A program that has closed its sockets ends by itself. */
import process from "node:process";
import { Site } from "../../server.ts";
import { assert, assertEquals, test } from "../harness.ts";
import {
  Child,
  currentRuntime,
  runtimePath,
  scriptArguments,
} from "../harness/child.ts";
import { within } from "../harness/deadline.ts";
import { Echo } from "../site/served.ts";

test("BL8: a process ends by itself after a WebSocket and a WebSocketStream", async () => {
  const site = new Site();
  site.addHandler("/echo", Echo);
  await using server = await site.listen({ port: 0, hostname: "127.0.0.1" });
  assert(server.addr.transport === "tcp");
  process.env["SOCKEYE_TEST_URL"] = `ws://127.0.0.1:${server.addr.port}/echo`;
  const args = scriptArguments(
    currentRuntime,
    "tests/websocket/exiting_child.ts",
  );
  await using child = new Child(runtimePath(currentRuntime) ?? "", args);
  assertEquals(await child.json(), "hello");
  assertEquals(await child.json(), 1005);
  assertEquals(await child.json(), { closeCode: 3000, reason: "" });
  // Well under the 10 or 20 seconds that a timer left behind would take.
  const exit = await within(child.exited, "the child's end", 4000);
  assertEquals([exit, child.stderr], [{ code: 0, signal: null }, ""]);
});
