/** `examples/broadcast.ts`: what one says, all hear. */
import type { Connection } from "../../client.ts";
import { assertEquals, test } from "../harness.ts";
import { Example, receiveText, receiveTexts } from "./example.ts";

test("BL2, BL3: broadcast.ts sends to all, the sender included", async () => {
  await using example = await Example.run("broadcast");
  await using one = await example.dial("/all");
  await using other = await example.dial("/all");
  one.send("hello");
  assertEquals(await receiveText(one), "hello");
  assertEquals(await receiveText(other), "hello");
  assertEquals(await example.child.line(), "sent to 2, skipped 0");
  other.send(Uint8Array.of(1, 2, 3));
  assertEquals(await one.receive(), Uint8Array.of(1, 2, 3));
  await other.close();
  one.send("alone");
  assertEquals(await receiveText(one), "alone");
  assertEquals(await example.child.line(), "sent to 2, skipped 0");
  assertEquals(await example.child.line(), "sent to 1, skipped 0");
});

test("BL4: broadcast.ts loses and repeats nothing while clients come and go", async () => {
  await using example = await Example.run("broadcast");
  await using speaker = await example.dial("/all");
  await using listener = await example.dial("/all");
  const texts = Array.from({ length: 60 }, (_, index) => `text ${index}`);
  const heard = Promise.all([
    receiveTexts(listener, texts.length),
    receiveTexts(speaker, texts.length),
  ]);
  const passersBy: Connection[] = [];
  for (const [index, text] of texts.entries()) {
    speaker.send(text);
    passersBy.push(await example.dial("/all"));
    const leaver = index % 2 === 0 ? passersBy.shift() : undefined;
    if (index % 4 === 0) leaver?.terminate();
    else void leaver?.close();
  }
  assertEquals(await heard, [texts, texts]);
  await Promise.all(passersBy.map((connection) => connection.close()));
});
