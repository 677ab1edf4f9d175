/** `examples/patterns.ts`: consumer, producer, both sides, registration. */
import { assert, assertEquals, test } from "../harness.ts";
import {
  closed,
  Example,
  lines,
  receiveText,
  receiveTexts,
} from "./example.ts";

/** Asserts that a producer has ended before it had made all its twenty products. */
function assertStopped(line: string, how = "is cancelled"): void {
  const [, said, count] = /^producer (.*) after (\d+)$/.exec(line) ?? [];
  assert(said === how && Number(count) > 0 && Number(count) < 20, line);
}

test("A6: the consumer of patterns.ts takes messages until the peer leaves", async () => {
  await using example = await Example.run("patterns");
  const connection = await example.dial("/consumer");
  connection.send("one");
  connection.send("two");
  await connection.close();
  assertEquals(await lines(example.child, 3), [
    "consumed one",
    "consumed two",
    "consumer ends",
  ]);
});

test("A6: the producer of patterns.ts stops when the peer leaves", async () => {
  await using example = await Example.run("patterns");
  for (const leave of ["close", "terminate"] as const) {
    const connection = await example.dial("/producer");
    assertEquals(await receiveTexts(connection, 3), [
      "product 1",
      "product 2",
      "product 3",
    ]);
    await connection[leave]();
    assertStopped(await example.child.line(), "ends");
  }
});

test("A6: either half of the both-sides pattern ends the other", async () => {
  await using example = await Example.run("patterns");
  {
    // The peer leaves: the consumer ends, and ends the producer.
    const connection = await example.dial("/both");
    assertEquals(await receiveText(connection), "product 1");
    connection.send("hello");
    assertEquals(await example.child.line(), "consumed hello");
    await connection.close();
    const [consumer, producer, both] = await lines(example.child, 3);
    assertEquals([consumer, both], ["consumer ends", "both have ended"]);
    assertStopped(producer!);
  }
  // The consumer has had enough: the producer ends, and the connection.
  const connection = await example.dial("/both");
  connection.send("enough");
  const { code, wasClean } = await connection.closed;
  assertEquals([code, wasClean], [1000, true]);
  const [consumed, consumer, producer, both] = await lines(example.child, 4);
  assertEquals([consumed, consumer, both], [
    "consumed enough",
    "consumer ends",
    "both have ended",
  ]);
  assertStopped(producer!);
  // The producer has made its last product: the consumer ends.
  const patient = await example.dial("/both");
  const products = await receiveTexts(patient, 20);
  assertEquals(products.at(-1), "product 20");
  assertEquals((await closed(patient)).code, 1000);
  assertEquals(await lines(example.child, 3), [
    "producer ends after 20",
    "consumer ends",
    "both have ended",
  ]);
});

test("A6: registration in patterns.ts knows who is there", async () => {
  await using example = await Example.run("patterns");
  await using one = await example.dial("/registration");
  assertEquals(await receiveText(one), "1 registered");
  await using other = await example.dial("/registration");
  assertEquals(await receiveText(other), "2 registered");
  assertEquals(await receiveText(one), "2 registered");
  other.send("hello");
  assertEquals(await receiveText(one), "hello");
  assertEquals(await receiveText(other), "hello");
  other.terminate();
  assertEquals(await receiveText(one), "1 registered");
});
