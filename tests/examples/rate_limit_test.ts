/** `examples/rate_limit.ts`: a client that is too fast waits, or goes. */
import { ClosedError } from "../../client.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { Example, receiveText } from "./example.ts";

const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`);

test("B-13: rate_limit.ts makes a fast client wait, and loses nothing", async () => {
  await using example = await Example.run("rate_limit");
  await using connection = await example.dial("/patient");
  const startMs = performance.now();
  for (const text of texts) connection.send(text);
  for (const text of texts) assertEquals(await receiveText(connection), text);
  const passedMs = performance.now() - startMs;
  // Ten at once, and ten more at 20 for each second.
  assert(passedMs > 450, `20 messages took ${passedMs} ms`);
});

test("B-13: rate_limit.ts sends a fast client away with 1008", async () => {
  await using example = await Example.run("rate_limit");
  await using hasty = await example.dial("/strict");
  await using calm = await example.dial("/strict");
  for (let round = 0; round < 5; round++) {
    for (const text of texts) hasty.send(text);
  }
  let count = 0;
  // The loop throws at the end, since the code is no ordinary one.
  await assertRejects(async () => {
    for await (const text of hasty) {
      assertEquals(text, texts[count++ % texts.length]);
    }
  }, ClosedError);
  const { code, reason } = await hasty.closed;
  assertEquals([code, reason], [1008, "too many messages"]);
  assert(count >= 10 && count < 100, `${count} were answered`);
  calm.send("hello");
  assertEquals(await receiveText(calm), "hello");
});
