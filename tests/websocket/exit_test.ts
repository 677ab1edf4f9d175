/** A program that has closed its sockets ends by itself. */
import { Site } from "../../server.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { Child } from "../harness/child.ts";
import { Echo } from "../site/served.ts";

test("BL8: a process ends by itself after a WebSocket and a WebSocketStream", async () => {
  const site = new Site();
  site.addHandler("/echo", Echo);
  await using server = await site.listen({ port: 0, hostname: "127.0.0.1" });
  assert(server.addr.transport === "tcp");
  const url = `ws://127.0.0.1:${server.addr.port}/echo`;
  const script = "tests/websocket/exiting_child.ts";
  await using child = Child.running(script, [], { SOCKEYE_TEST_URL: url });
  assertEquals(await child.json(), "hello");
  assertEquals(await child.json(), 1005);
  assertEquals(await child.json(), { closeCode: 3000, reason: "" });
  // Well under the 10 or 20 seconds that a timer left behind would take.
  await child.assertEnds(8_000);
});
