/** `examples/counter_handler.ts`: the seed's counter handler. */
import { assertEquals, test } from "../harness.ts";
import { closed, Example, receiveText } from "./example.ts";

test("SI6, SI14: counter_handler.ts greets, takes turns, and ends the play", async () => {
  await using example = await Example.run("counter_handler");
  await using connection = await example.dial("/counter");
  // What the constructor sent comes first, and unasked.
  assertEquals(await receiveText(connection), "hello world");
  const answers = [];
  for (let count = 1; count <= 10; count++) {
    connection.send("play");
    answers.push(await receiveText(connection));
  }
  const turn = ["Now we're even", "That was odd"];
  assertEquals(answers, [
    ...turn,
    ...turn,
    ...turn,
    ...turn,
    "Now we're even",
    "Enough play",
  ]);
  const { code, wasClean } = await closed(connection);
  assertEquals([code, wasClean], [1000, true]);
  assertEquals(await example.child.line(), "Connection closed after 10 frames");
});

test("SI14: counter_handler.ts counts for each connection", async () => {
  await using example = await Example.run("counter_handler");
  await using one = await example.dial("/counter");
  await using other = await example.dial("/counter");
  for (const connection of [one, other]) {
    assertEquals(await receiveText(connection), "hello world");
    connection.send("play");
    assertEquals(await receiveText(connection), "Now we're even");
  }
  one.send("play");
  assertEquals(await receiveText(one), "That was odd");
  await one.close();
  assertEquals(await example.child.line(), "Connection closed after 2 frames");
  await other.close();
  assertEquals(await example.child.line(), "Connection closed after 1 frames");
});
