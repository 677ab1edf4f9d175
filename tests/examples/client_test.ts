/** `examples/client.ts`: it stops when it cannot connect, and when it is left. */
import { assert, assertEquals, test } from "../harness.ts";
import { Example, runExample } from "./example.ts";

test("BL7, BL8: client.ts ends when the connection fails, and when it is lost", async () => {
  await using example = await Example.run("echo");
  await using refused = runExample("client", {
    args: [
      `ws://127.0.0.1:${example.port}/nothing`,
    ],
  });
  assertEquals((await refused.exited).code, 1);
  assert(refused.stderr.includes("(bad-status)"), refused.stderr);

  const url = `ws://127.0.0.1:${example.port}/echo`;
  await using left = runExample("client", { args: [url] });
  left.say("hello");
  assertEquals(await left.line(), "hello");
  example.child.signal("SIGTERM");
  await left.assertEnds();

  await using failed = runExample("client", { args: [url] });
  assertEquals((await failed.exited).code, 1);
  assert(failed.stderr.includes("(connect-failed)"), failed.stderr);
});
