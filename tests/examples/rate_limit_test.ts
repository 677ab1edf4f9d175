/** `examples/rate_limit.ts`: a client that is too fast waits, or goes. */
import { assert, assertEquals, test } from "../harness.ts";
import { Example, receiveText } from "./example.ts";

const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`);

test("B-13: rate_limit.ts makes a fast client wait, and loses nothing", async () => {
  await using example = await Example.run("rate_limit");
  await using connection = await example.dial("/patient");
  const startMs = performance.now();
  for (const text of texts) connection.send(text);
  const passedMs = [];
  for (const text of texts) {
    assertEquals(await receiveText(connection), text);
    passedMs.push(performance.now() - startMs);
  }
  // Ten at once; ten more at 20 for each second.
  assert(passedMs[19]! > 450, `20 messages took ${passedMs[19]} ms`);
  assert(passedMs[19]! - passedMs[9]! > 400, passedMs.join(" "));
});

test("B-13: rate_limit.ts sends a fast client away with 1008", async () => {
  await using example = await Example.run("rate_limit");
  await using hasty = await example.dial("/strict");
  await using calm = await example.dial("/strict");
  for (const text of texts) hasty.send(text);
  let count = 0;
  const { code, reason } = await hasty.closed;
  assertEquals([code, reason], [1008, "too many messages"]);
  try {
    for await (const text of hasty) assertEquals(text, texts[count++]);
  } catch {
    // The loop throws at the end, since the code is no ordinary one.
  }
  assert(count >= 10 && count < 20, `${count} were answered`);
  calm.send("hello");
  assertEquals(await receiveText(calm), "hello");
});
