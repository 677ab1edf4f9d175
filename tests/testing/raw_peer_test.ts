/** Peers that say what they are told to, right or wrong (B-12, AB24). */
import { ClosedError, HandshakeError } from "../../client.ts";
import { Site } from "../../server.ts";
import { type RawFrameInit, RawPeer, settle } from "../../testing.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { Echo } from "../site/served.ts";

test("B-12: a raw client sends frames, and reads what it is sent", async () => {
  await using peer = await RawPeer.connect(Echo, { path: "/echo?x" });
  assertEquals(peer.connection.request.url, "ws://localhost/echo?x");
  assert(peer.handler instanceof Echo);
  peer.sendFrame(
    { fin: false, payload: "hel" },
    { opcode: "ping", payload: "p" },
    { opcode: "continuation", payload: Uint8Array.of(0x6c, 0x6f) },
    { opcode: 2, payload: "bytes", lengthBits: 7 },
  );
  const frames = [];
  for (let i = 0; i < 3; i++) frames.push(await peer.readFrame());
  assertEquals(
    frames.map((
      { opcode, text, fin, rsv, isMasked },
    ) => [opcode, text, fin, rsv, isMasked]),
    [
      ["pong", "p", true, 0, false],
      ["text", "hello", true, 0, false],
      ["binary", "bytes", true, 0, false],
    ],
  );
  peer.sendFrame({ code: 4000, payload: "bye" });
  const close = await peer.readFrame();
  assertEquals([close.opcode, close.code, close.text], ["close", 4000, "bye"]);
  await peer.readToEnd();
  assertEquals(peer.isEnded, true);
  peer.end();
  const { code, reason, wasClean } = await peer.connection.closed;
  assertEquals([code, reason, wasClean], [4000, "bye", true]);
});

test("AB24: frames that are wrong in every way end in the code that says so", async () => {
  const wrong: [RawFrameInit, number][] = [
    [{ rsv: 4 }, 1002],
    [{ opcode: 3 }, 1002],
    [{ opcode: "continuation" }, 1002],
    [{ opcode: "ping", fin: false }, 1002],
    [{ opcode: "ping", payload: "x".repeat(126) }, 1002],
    [{ mask: false }, 1002],
    [{ payload: "x", lengthBits: 16 }, 1002],
    [{ payload: "x", lengthBits: 64 }, 1002],
    [{ length: 2_000_000, lengthBits: 64 }, 1009],
    [{ payload: Uint8Array.of(0xff) }, 1007],
    [{ code: 999 }, 1002],
    [{ opcode: "close", payload: "x" }, 1002],
  ];
  for (const [frame, code] of wrong) {
    await using peer = await RawPeer.connect(Echo);
    peer.sendFrame(frame);
    assertEquals([frame, (await peer.readFrame()).code], [frame, code]);
  }
});

test("B-12: a raw server is dialled, and sends what it wants", async () => {
  await using peer = await RawPeer.accept({
    path: "/x",
    subprotocols: ["a", "b"],
    subprotocol: "b",
    responseHeaders: { "X-Y": "z" },
    early: [{ payload: "early" }],
  });
  const { connection } = peer;
  assertEquals(
    [connection.subprotocol, connection.request.url],
    ["b", "ws://localhost/x"],
  );
  assertEquals(await connection.receive(), "early");
  connection.send("hi");
  const { text, isMasked } = await peer.readFrame();
  assertEquals([text, isMasked], ["hi", true]);
  peer.sendFrame({ mask: Uint8Array.of(1, 2, 3, 4), payload: "masked" });
  await assertRejects(() => connection.receive(), ClosedError, "protocol");
  assertEquals((await peer.readFrame()).code, 1002);
});

test("B-12: a handshake by hand, of either side", async () => {
  await using client = await RawPeer.connect(Echo, { upgrade: false });
  client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  assert((await client.readHead()).startsWith("HTTP/1.1 426 "));

  await using server = await RawPeer.accept({ upgrade: false });
  const head = await server.readHead();
  assert(head.startsWith("GET / HTTP/1.1\r\nHost: localhost\r\n"), head);
  server.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  const failed = await assertRejects(() => server.dialled!, HandshakeError);
  assertEquals((failed as HandshakeError).status, 403);

  const site = new Site();
  const refused = await assertRejects(
    () => RawPeer.connect(site),
    HandshakeError,
  );
  assertEquals((refused as HandshakeError).status, 404);
});

test("B-12: a raw peer ends its side, breaks, and stops reading", async () => {
  await using ending = await RawPeer.connect(Echo);
  ending.sendFrame({ payload: "last" });
  ending.end();
  assertEquals((await ending.readFrame()).text, "last");
  assertEquals((await ending.connection.closed).cause, "transport-error");

  await using breaking = await RawPeer.connect(Echo);
  breaking.reset();
  const { error } = await breaking.connection.closed;
  assertEquals(error?.message, "Connection reset by peer");
  await assertRejects(() => breaking.readFrame(), Error, "has ended");

  await using deaf = await RawPeer.connect(Echo, { capacityBytes: 100 });
  deaf.pause();
  const { connection } = deaf;
  assertEquals(connection.send("x".repeat(100_000)), false);
  await settle();
  assertEquals([deaf.received.length, connection.bufferedAmount], [0, 99_910]);
  deaf.resume();
  assertEquals((await deaf.readFrame()).payload.length, 100_000);
  assertEquals(connection.bufferedAmount, 0);
});

test("a raw peer writes more than the wire holds, a little at a time", async () => {
  await using peer = await RawPeer.connect(Echo, {
    capacityBytes: 7,
    chunkBytes: 3,
  });
  for (const payload of ["one", "two", "three".repeat(50)]) {
    peer.sendFrame({ payload });
  }
  assertEquals((await peer.readFrame()).text, "one");
  assertEquals((await peer.readFrame()).text, "two");
  assertEquals((await peer.readBytes(4)).length, 4);
});

test("a raw peer complains of what the handler threw", async () => {
  const peer = await RawPeer.connect(() => {
    throw new Error("oh");
  });
  assertEquals((await peer.readFrame()).code, 1011);
  await assertRejects(
    () => peer[Symbol.asyncDispose](),
    Error,
    "The handler threw: oh",
  );
  await using taken = await RawPeer.connect(() => {
    throw new Error("oh");
  });
  assertEquals((await taken.readFrame()).code, 1011);
  assertEquals(taken.takeErrors().length, 1);
  const unknown: object = { heders: {} };
  await assertRejects(
    () => RawPeer.connect(Echo, unknown),
    TypeError,
    "unknown option: heders",
  );
  await assertRejects(() => RawPeer.accept(unknown), TypeError, "heders");
});
