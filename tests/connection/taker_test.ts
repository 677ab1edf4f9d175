/** How long the end waits for one who took a message, and may answer it yet. */
import type { Connection } from "../../connection.ts";
import { FakeClock, RawPeer, settle } from "../../testing.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { closePayload } from "../harness/frame.ts";

const NEVER_MS = 60_000;

/** A client's end, whose peer does only what it is told to. */
async function dialled(): Promise<[Connection, RawPeer]> {
  const peer = await RawPeer.accept({ closeTimeoutMs: 20_000 });
  return [await peer.dialled!, peer];
}

/** Sends messages that somebody may answer. */
async function ask(peer: RawPeer, ...messages: string[]): Promise<void> {
  for (const payload of messages) peer.sendFrame({ payload, mask: false });
  await settle();
}

/** Sends a Close frame. */
async function sendClose(peer: RawPeer): Promise<void> {
  const payload = closePayload(1000);
  peer.sendFrame({ opcode: "close", payload, mask: false });
  await settle();
}

/** Milliseconds until the Close frame is answered, or the stream ended. */
async function untilEnd(clock: FakeClock, peer: RawPeer): Promise<number> {
  await settle();
  const startMs = clock.nowMs;
  while (peer.received.length === 0 && !peer.isEnded) {
    assert(clock.nowMs - startMs < NEVER_MS, "it never ends");
    await clock.advance(250);
  }
  return clock.nowMs - startMs;
}

test("a Close frame is answered at once where the end is asked for", async () => {
  using clock = new FakeClock();
  const [connection, peer] = await dialled();
  await using _peer = peer;
  await ask(peer, "question", "untaken");
  assertEquals(await connection.receive(), "question");
  await sendClose(peer);
  assertEquals(peer.received.length, 0);
  const closed = connection.closed;
  assertEquals(await untilEnd(clock, peer), 0);
  peer.end();
  assertEquals((await closed).cause, "peer");
  assertEquals(await connection.receive(), "untaken");
});

test("a Close frame is answered at once where a loop was left", async () => {
  using clock = new FakeClock();
  const [connection, peer] = await dialled();
  await using _peer = peer;
  await ask(peer, "question");
  for await (const message of connection) {
    assertEquals(message, "question");
    await sendClose(peer);
    assertEquals(peer.received.length, 0);
    break;
  }
  assertEquals(await untilEnd(clock, peer), 0);
});

test("a Close frame waits a second for one who has taken all messages", async () => {
  using clock = new FakeClock();
  const [connection, peer] = await dialled();
  await using _peer = peer;
  // Asked for before it took a message, so it says nothing of that.
  connection.closed.catch(() => {});
  await ask(peer, "question");
  assertEquals(await connection.receive(), "question");
  await sendClose(peer);
  await clock.advance(750);
  connection.send("answer");
  assertEquals((await peer.readFrame()).text, "answer");
  const ms = await untilEnd(clock, peer);
  assert(ms > 0 && ms <= 3_000, `answered after ${ms} ms`);
});

test("a Close frame waits longer while messages wait to be taken", async () => {
  using clock = new FakeClock();
  const [connection, peer] = await dialled();
  await using _peer = peer;
  await ask(peer, "first", "second");
  assertEquals(await connection.receive(), "first");
  await sendClose(peer);
  const ms = await untilEnd(clock, peer);
  assert(ms >= 10_000 && ms <= 13_000, `answered after ${ms} ms`);
});

test("a Close frame waits for one who takes what he had waited for", async () => {
  using clock = new FakeClock();
  const [connection, peer] = await dialled();
  await using _peer = peer;
  const waited = connection.receive();
  const closed = connection.closed;
  await ask(peer, "question");
  assertEquals(await waited, "question");
  await sendClose(peer);
  assertEquals(peer.received.length, 0);
  connection.send("answer");
  assertEquals((await peer.readFrame()).text, "answer");
  assert(await untilEnd(clock, peer) > 0);
  peer.end();
  assertEquals((await closed).wasClean, true);
});

test("the end of the stream waits no longer than a Close frame", async () => {
  using clock = new FakeClock();
  const [connection, peer] = await dialled();
  await using _peer = peer;
  await ask(peer, "question");
  assertEquals(await connection.receive(), "question");
  peer.end();
  await settle();
  assert(!peer.isEnded, "no time for an answer");
  const ms = await untilEnd(clock, peer);
  assert(ms > 0 && ms <= 3_000, `ended after ${ms} ms`);
  assertEquals((await connection.closed).cause, "transport-error");
});
