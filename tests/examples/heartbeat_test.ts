/** `examples/heartbeat.ts` with its client, and a client of ours beside it. */
import { assert, assertEquals, test } from "../harness.ts";
import { Example, lines, receiveTexts, runExample } from "./example.ts";

test("TW21: heartbeat.ts sends the sequence of the seed, to each its own", async () => {
  await using example = await Example.run("heartbeat");
  const url = `ws://127.0.0.1:${example.port}/heartbeat`;
  await using client = runExample("heartbeat_client", { args: [url] });
  const printed = lines(client, 6);
  const startMs = performance.now();
  await using connection = await example.dial("/heartbeat");
  connection.send("me");
  assertEquals(await receiveTexts(connection, 4), [
    "heartbeat 1",
    "reply to me",
    "heartbeat 2",
    "heartbeat 3",
  ]);
  const passedMs = performance.now() - startMs;
  assert(passedMs > 1_800, `two heartbeats took ${passedMs} ms`);
  assertEquals(await printed, [
    "connecting...",
    "connected!",
    "received text: 'heartbeat 1'",
    "received text: 'reply to hello, world!'",
    "received text: 'heartbeat 2'",
    "received text: 'heartbeat 3'",
  ]);
  client.signal("SIGINT");
  await client.assertEnds();
});

test("TW21: heartbeat_client.ts ends when the server does", async () => {
  await using example = await Example.run("heartbeat");
  const url = `ws://127.0.0.1:${example.port}/heartbeat`;
  await using client = runExample("heartbeat_client", { args: [url] });
  await lines(client, 3);
  example.child.signal("SIGTERM");
  await client.assertEnds();
  await example.child.assertEnds();
});
