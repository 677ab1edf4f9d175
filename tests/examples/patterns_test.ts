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

/**
 * Tries again where the producer was done, after two seconds, before the client,
 * held up by a busy machine, had stopped it.
 *
 * @param stop Stops a producer, and returns the lines that this leads to.
 */
async function inTime(stop: () => Promise<string[]>): Promise<string[]> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const said = await stop();
    if (!said.some((line) => line.endsWith(" after 20"))) return said;
  }
  throw new Error("The producer was always done first");
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
    const [line] = await inTime(async () => {
      const connection = await example.dial("/producer");
      assertEquals(await receiveTexts(connection, 3), [
        "product 1",
        "product 2",
        "product 3",
      ]);
      await connection[leave]();
      return await lines(example.child, 1);
    });
    assertStopped(line!, "ends");
  }
});

test("A6: either half of the both-sides pattern ends the other", async () => {
  await using example = await Example.run("patterns");
  // The peer leaves: the consumer ends, and ends the producer.
  const left = await inTime(async () => {
    const connection = await example.dial("/both");
    assertEquals(await receiveText(connection), "product 1");
    connection.send("hello");
    assertEquals(await example.child.line(), "consumed hello");
    await connection.close();
    return await lines(example.child, 3);
  });
  assertEquals([left[0], left[2]], ["consumer ends", "both have ended"]);
  assertStopped(left[1]!);
  // The consumer has had enough: the producer ends, and the connection.
  const sated = await inTime(async () => {
    const connection = await example.dial("/both");
    connection.send("enough");
    const { code, wasClean } = await connection.closed;
    assertEquals([code, wasClean], [1000, true]);
    return await lines(example.child, 4);
  });
  assertEquals([sated[0], sated[1], sated[3]], [
    "consumed enough",
    "consumer ends",
    "both have ended",
  ]);
  assertStopped(sated[2]!);
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
