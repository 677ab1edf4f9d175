/** CI-15: a server that does not read, or reads slowly. */
import { ClosedError } from "../../connection.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { closeCode } from "../harness/frame.ts";
import { opened } from "./dialing.ts";

const CHUNK = new Uint8Array(65_536).map((_, i) => i * 31);
/** Header of a client's frame of that size: 2, 8 and the mask key. */
const FRAME_BYTES = CHUNK.length + 14;

test("CI-15: bufferedAmount is right to the byte, and drained settles", async () => {
  await using end = await opened();
  const { connection, raw } = end;
  raw.pause();
  const handshakeBytes = connection.stats.bytesSent;
  assertEquals(connection.bufferedAmount, 0);
  let sent = 0;
  // More than the kernel takes, so that some of it must wait here.
  while (connection.bufferedAmount < 2_000_000 && sent < 1000) {
    connection.send(CHUNK);
    sent++;
    if (sent % 8 === 0) await new Promise((resolve) => setTimeout(resolve));
    const left = connection.stats.bytesSent - handshakeBytes;
    assertEquals(connection.bufferedAmount + left, sent * FRAME_BYTES);
  }
  assert(sent < 1000, "the kernel took it all");
  assertEquals(connection.send("more"), false);
  let isDrained = false;
  const drained = connection.drained.then(() => isDrained = true);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(isDrained, false);
  raw.resume();
  const all = raw.readBytes(sent * FRAME_BYTES + 10, 20_000);
  await within(drained, "the drain", 20_000);
  assert(connection.bufferedAmount < 65_536);
  await all;
  assertEquals(connection.bufferedAmount, 0);
  assertEquals(connection.send("again"), true);
  assertEquals((await raw.readFrame()).payload.length, 5);
});

test("CI-15: what waited arrives unharmed", async () => {
  await using end = await opened();
  end.raw.pause();
  for (let i = 0; i < 20; i++) end.connection.send(CHUNK);
  end.raw.resume();
  for (let i = 0; i < 20; i++) {
    assertEquals((await end.raw.readFrame()).payload, CHUNK);
  }
});

test("CI-15: the hard cap closes with 1013 and says why", async () => {
  const sendMaxBytes = 1_000_000;
  await using end = await opened({ sendMaxBytes, closeTimeoutMs: 100 });
  const { connection, raw } = end;
  raw.pause();
  let sent = 0;
  while (connection.readyState === 1 && sent++ < 1000) {
    connection.send(CHUNK);
    if (sent % 8 === 0) await new Promise((resolve) => setTimeout(resolve));
    assert(connection.bufferedAmount <= sendMaxBytes + FRAME_BYTES + 100);
  }
  const drained = assertRejects(() => connection.drained, ClosedError);
  const info = await within(connection.closed, "the end");
  assertEquals(
    [info.code, info.cause, info.sent?.code, info.wasClean],
    [1006, "backpressure", 1013, false],
  );
  await drained;
});

test("CI-15: a server that reads in the end is told why it was closed", async () => {
  await using end = await opened({ sendMaxBytes: 1_000_000 });
  const { connection, raw } = end;
  raw.pause();
  while (connection.readyState === 1) {
    connection.send(CHUNK);
    await new Promise((resolve) => setTimeout(resolve));
  }
  raw.resume();
  let frame = await raw.readFrame();
  while (frame.opcode === 2) frame = await raw.readFrame();
  assertEquals([frame.opcode, closeCode(frame.payload)], [8, 1013]);
});

test("send and wait, in a loop, ends with the connection", async () => {
  // Regression: while closing, `drained` settled at once, so that this loop kept
  // everything else from happening.
  await using end = await opened({ closeTimeoutMs: 100 });
  const { connection } = end;
  const loop = (async () => {
    while (true) {
      if (!connection.send("x")) await connection.drained;
      else await new Promise((resolve) => setTimeout(resolve));
    }
  })();
  connection.close();
  await assertRejects(() => within(loop, "the loop"), ClosedError);
});
