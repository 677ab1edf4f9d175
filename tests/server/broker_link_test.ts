/** What a broker is given of a message, and gives back. */
import { type Message, prepareMessage } from "../../codec.ts";
import { BrokerLink } from "../../server/broker.ts";
import { assertEquals, test } from "../harness.ts";
import { Hub } from "../site/memory_broker.ts";

test("PM-12: what is not to be compressed is not by other processes either", async () => {
  const hub = new Hub();
  const delivered: [string, Message, boolean][] = [];
  const all = Promise.withResolvers<void>();
  const join = () =>
    new BrokerLink(hub.join(), {
      // Bytes are lent.
      deliver(topic, data, compress) {
        if (delivered.push([topic, data.slice(), compress]) === 4) {
          all.resolve();
        }
      },
      reportError(error) {
        throw error;
      },
    });
  const here = join();
  const there = join();
  there.began("news");
  for (const compress of [true, false]) {
    here.publish("news", prepareMessage("text", compress));
    here.publish("news", prepareMessage(Uint8Array.of(1, 2), compress));
  }
  await all.promise;
  assertEquals(delivered, [
    ["news", "text", true],
    ["news", Uint8Array.of(1, 2), true],
    ["news", "text", false],
    ["news", Uint8Array.of(1, 2), false],
  ]);
});
