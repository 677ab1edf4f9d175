/** One message for a crowd (AB22). */
import type { PreparedMessage } from "../../codec.ts";
import type { ConnectionSite, SocketConnection } from "../../connection.ts";
import { Crowd } from "../../server/crowd.ts";
import { assert, assertEquals, assertStrictEquals, test } from "../harness.ts";
import { sameBytes } from "../harness/bytes.ts";
import { frame } from "../harness/frame.ts";

test("AB22: a message for many is framed once, and everyone sends the same bytes", () => {
  const crowd = new Crowd({
    site: {} as ConnectionSite,
    broker: undefined,
    reportError() {},
  });
  const got: PreparedMessage[] = [];
  for (let n = 0; n < 5; n++) {
    const member = {
      readyState: 1,
      link: { settings: {} },
      sendPrepared: (message: PreparedMessage) => got.push(message) > 0,
    };
    crowd.connections.add(member as unknown as SocketConnection);
    crowd.subscribe(member as unknown as SocketConnection, "topic");
  }
  for (
    const send of [
      () => crowd.broadcast("text"),
      () => crowd.publish("topic", "text"),
    ]
  ) {
    assertEquals(send(), { sent: 5, skipped: 0 });
    const [first, ...others] = got.splice(0);
    assert(sameBytes(first!.frame, frame({ payload: "text" })));
    assertEquals(others.length, 4);
    for (const other of others) assertStrictEquals(other, first);
  }
});
