/** A program that has closed its connections ends by itself. */
import process from "node:process";
import { Handler, Site } from "../../server.ts";
import { assert, assertEquals, test } from "../harness.ts";
import {
  Child,
  currentRuntime,
  runtimePath,
  scriptArguments,
} from "../harness/child.ts";
import { within } from "../harness/deadline.ts";

class Echo extends Handler {
  override message(data: string | Uint8Array): void {
    this.connection.send(data);
  }
}

test("a process ends by itself after dial() and close(), or terminate()", async () => {
  const site = new Site();
  site.addHandler("/echo", Echo);
  await using server = await site.listen({ port: 0, hostname: "127.0.0.1" });
  assert(server.addr.transport === "tcp");
  process.env["SOCKEYE_TEST_URL"] = `ws://127.0.0.1:${server.addr.port}/echo`;
  const path = runtimePath(currentRuntime) ?? "";
  const args = scriptArguments(
    currentRuntime,
    "tests/client/dialing_child.ts",
  );
  for (const how of ["close", "terminate"]) {
    process.env["SOCKEYE_TEST_HOW"] = how;
    await using child = new Child(path, args);
    assertEquals(await child.json(), "hello");
    if (how === "close") {
      const { cause, wasClean } = await child.json<Record<string, unknown>>();
      assertEquals([cause, wasClean], ["local", true]);
    }
    // Well under the 10 or 20 seconds that a timer left behind would take.
    const exit = await within(child.exited, "the child's end", 4000);
    assertEquals([how, exit, child.stderr], [
      how,
      { code: 0, signal: null },
      "",
    ]);
  }
});
