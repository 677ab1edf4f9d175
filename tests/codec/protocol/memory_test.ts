/** What the messages that an application keeps cost it, beyond their own bytes. */
import type { Role } from "../../../codec/frame.ts";
import { Protocol } from "../../../codec/protocol.ts";
import { assert, assertEquals, test } from "../../harness.ts";
import { concat, sameBytes } from "../../harness/bytes.ts";
import { frame } from "../../harness/frame.ts";
import { seededRandom } from "../../harness/random.ts";

test("where arrays are cheap, small binary messages do not share one", () => {
  const sizes = (cheapArrayBytes: number) => {
    const chunk = concat(
      frame({ opcode: 2, mask: true, payload: new Uint8Array(16) }),
      frame({ opcode: 2, mask: true, payload: new Uint8Array(16) }),
      frame({ opcode: 2, mask: true, payload: new Uint8Array(100) }),
      frame({ opcode: 2, mask: true, payload: new Uint8Array(100) }),
    );
    const protocol = new Protocol({ role: "server", cheapArrayBytes });
    protocol.receive(chunk);
    return protocol.takeEvents().map((event) =>
      event.type === "message" && typeof event.data !== "string"
        ? event.data.buffer.byteLength
        : 0
    );
  };
  assertEquals(sizes(100), [16, 16, 100, 100]);
  const [first, second] = sizes(0);
  assert(first! > 16 && first === second, "they share");
  assertEquals(sizes(64).slice(0, 2), [16, 16]);
});

test("a message may stay in a chunk that is given away, if it is most of it", () => {
  for (const mask of [true, false]) {
    const role: Role = mask ? "server" : "client";
    const sent = seededRandom(9).bytes(3000);
    const large = frame({ opcode: 2, mask, payload: sent });
    const take = (chunk: Uint8Array, given: boolean) => {
      const protocol = new Protocol({ role });
      protocol.receive(chunk, given);
      const [event] = protocol.takeEvents();
      assert(event?.type === "message" && typeof event.data !== "string");
      assert(sameBytes(event.data, sent));
      return event.data.buffer === chunk.buffer;
    };
    assertEquals(take(large.slice(), true), true);
    assertEquals(take(large.slice(), false), false);
    // LC-5: a small part of a large chunk would keep all of it.
    assertEquals(take(concat(large, new Uint8Array(4000)), true), false);
  }
});
