/** Compressed messages in pieces, some of them bombs (AB21, PM-1). */
import { type ConnectionOptions, loadCompression } from "../../connection.ts";
import { deflated } from "../compression/zlib_peer.ts";
import { assert, assertEquals, assertStrictEquals, test } from "../harness.ts";
import { hex } from "../harness/bytes.ts";
import { agreedTransform, all, closedError } from "./pieces.ts";
import { close, Rig, settle } from "./rig.ts";

/** A rig that has agreed on compression. */
async function compressed(options: ConnectionOptions): Promise<Rig> {
  await loadCompression();
  return new Rig(options, {}, "server", agreedTransform());
}

test("PM-1: of a bomb no more is inflated than is taken", async () => {
  await using rig = await compressed({ maxStreamBytes: Infinity });
  const first = rig.connection.receiveStream();
  const bytes = 50_000_000;
  const payload = deflated(new Uint8Array(bytes));
  rig.send({ opcode: "binary", rsv: 4, payload }, "after");
  const message = await first;
  assert(message.binary);
  let taken = 0;
  let held = 0;
  for await (const chunk of message) {
    taken += chunk.length;
    held = Math.max(held, chunk.length);
  }
  assertStrictEquals(taken, bytes);
  assert(held <= 65_536 + 258);
  assertStrictEquals(await all(await rig.connection.receiveStream()), "after");
});

test("PM-1: a limit holds for what is inflated, and ends it there", async () => {
  await using rig = await compressed({ maxStreamBytes: 100_000 });
  const first = rig.connection.receiveStream();
  const payload = deflated(new Uint8Array(50_000_000));
  rig.send({ opcode: "binary", rsv: 4, payload });
  let taken = 0;
  const message = await first;
  const error = await closedError((async () => {
    for await (const chunk of message) taken += chunk.length;
  })());
  assert(taken <= 100_000);
  assertStrictEquals(error.info.cause, "too-big");
  assertEquals(rig.sent, ["close 1009"]);
});

test("a compressed message that was complete can be taken after the end", async () => {
  await using rig = await compressed({ closeTimeoutMs: 20 });
  const first = rig.connection.receiveStream();
  rig.send({ rsv: 4, payload: deflated("first ".repeat(20_000)) });
  rig.send({ rsv: 4, payload: deflated("second"), fin: true });
  const message = await first;
  await settle();
  rig.send(close(1000));
  assertStrictEquals((await rig.closed()).wasClean, true);
  assertStrictEquals((await all(message)).length, 120_000);
  assertStrictEquals(await all(await rig.connection.receiveStream()), "second");
});

test("broken compression, and bad text in it, end a message", async () => {
  for (
    const [payload, code] of [
      [hex("ff ff ff"), 1007],
      [deflated(hex("61 ff")), 1007],
    ] as const
  ) {
    await using rig = await compressed({});
    const first = rig.connection.receiveStream();
    rig.send({ rsv: 4, payload, fin: false });
    const error = await closedError(all(await first));
    assertStrictEquals(error.info.cause, "protocol-error");
    assertEquals(rig.sent, [`close ${code}`]);
  }
});
