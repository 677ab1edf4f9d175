/** `examples/heartbeat.ts` with its client, and a client of ours beside it. */
import { assert, assertEquals, test } from "../harness.ts";
import { Example, lines, receiveTexts, runExample } from "./example.ts";

/** Asserts that three heartbeats came in order, and the reply at some time. */
function assertBeats(texts: readonly string[], reply: string): void {
  assertEquals(texts.filter((text) => text !== reply), [
    "heartbeat 1",
    "heartbeat 2",
    "heartbeat 3",
  ]);
  assertEquals(texts.length, 4);
}

test("TW21: heartbeat.ts sends the sequence of the seed, to each its own", async () => {
  await using example = await Example.run("heartbeat");
  const url = `ws://127.0.0.1:${example.port}/heartbeat`;
  await using client = runExample("heartbeat_client", { args: [url] });
  const printed = lines(client, 6);
  const startMs = performance.now();
  await using connection = await example.dial("/heartbeat");
  connection.send("me");
  assertBeats(await receiveTexts(connection, 4), "reply to me");
  const passedMs = performance.now() - startMs;
  assert(passedMs > 1_800, `two heartbeats took ${passedMs} ms`);
  const [connecting, connected, ...received] = await printed;
  assertEquals([connecting, connected], ["connecting...", "connected!"]);
  const texts = received.map((line) =>
    /^received text: '(.*)'$/.exec(line)![1]!
  );
  assertBeats(texts, "reply to hello, world!");
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
