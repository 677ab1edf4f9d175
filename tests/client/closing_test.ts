/** How a client's connection ends, for each cause that there is. */
import { ClosedError } from "../../connection.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  test,
} from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { closeCode, closePayload } from "../harness/frame.ts";
import { inSomeTry } from "../harness/tries.ts";
import { pause } from "../site/served.ts";
import { type Opened, opened } from "./dialing.ts";

/** Sends a Close frame. */
function sendClose(end: Opened, code: number, reason = ""): void {
  const payload = closePayload(code, reason);
  end.raw.sendFrame({ opcode: "close", mask: false, payload });
}

/** Reads a Close frame; returns its code. */
async function readClose(end: Opened): Promise<number> {
  const { opcode, payload } = await end.raw.readFrame();
  assertEquals(opcode, 8);
  return closeCode(payload);
}

test("peer: the server closes first", async () => {
  await using end = await opened();
  const { connection } = end;
  sendClose(end, 3001, "bye");
  assertEquals(await readClose(end), 3001);
  assertEquals(connection.readyState, 2);
  end.raw.end();
  const frame = { code: 3001, reason: "bye" };
  assertEquals(await connection.closed, {
    ...frame,
    wasClean: true,
    sent: frame,
    received: frame,
    cause: "peer",
  });
  assertEquals(connection.readyState, 3);
  const error = await assertRejects(() => connection.receive(), ClosedError);
  assertEquals(
    error.message,
    "The connection is closed: peer, code 3001 (bye)",
  );
  assertStrictEquals(error.info, await connection.closed);
});

test("peer: a Close frame without a code reports 1005, and ends a loop", async () => {
  await using end = await opened();
  end.raw.sendFrame({ opcode: "close", mask: false });
  end.raw.sendFrame({ mask: false, payload: "too late" });
  for await (const message of end.connection) assertEquals(message, "none");
  const answer = await end.raw.readFrame();
  assertEquals([answer.opcode, answer.payload.length], [8, 0]);
  end.raw.end();
  const info = await end.connection.closed;
  assertEquals([info.code, info.cause, info.wasClean], [1005, "peer", true]);
});

test("peer: a loop ends after 1000 and 1001, and throws after any other code", async () => {
  for (const code of [1000, 1001, 1011, 1012, 3000]) {
    await using end = await opened();
    sendClose(end, code);
    const loop = (async () => {
      for await (const _ of end.connection);
      return "ended";
    })().catch((error) => error);
    const result = await loop;
    if (code <= 1001) assertEquals(result, "ended");
    else assert(result instanceof ClosedError && result.info.code === code);
  }
});

test("local: what was sent before leaves first, what is sent after is dropped", async () => {
  await using end = await opened();
  const { connection } = end;
  connection.send("last");
  const closed = connection.close(1000, "done");
  assertEquals(connection.readyState, 2);
  assertEquals(connection.send("dropped"), false);
  const pinged = assertRejects(() => connection.ping(), ClosedError);
  assertEquals((await end.raw.readFrame()).opcode, 1);
  assertEquals(await readClose(end), 1000);
  sendClose(end, 1000);
  end.raw.end();
  assertEquals(await closed, {
    code: 1000,
    reason: "",
    wasClean: true,
    sent: { code: 1000, reason: "done" },
    received: { code: 1000, reason: "" },
    cause: "local",
  });
  await pinged;
});

test("local: a second close changes nothing, and wrong arguments still throw", async () => {
  await using end = await opened();
  const first = end.connection.close(3000);
  const second = end.connection.close(3001);
  let error: unknown;
  try {
    end.connection.close(1006);
  } catch (thrown) {
    error = thrown;
  }
  assert(error instanceof RangeError);
  assertEquals(await readClose(end), 3000);
  sendClose(end, 3000);
  end.raw.end();
  assertStrictEquals(await first, await second);
  assertStrictEquals(await end.connection.close(), await first);
  assertEquals((await end.raw.readToEnd()).length, 0);
});

test("local: closing after a message was taken takes no longer", async () => {
  // Regression: the peer's Close frame waited for the next receive().
  await using end = await opened();
  end.raw.sendFrame({ payload: "x", mask: false });
  assertEquals(await end.connection.receive(), "x");
  const closed = end.connection.close();
  await readClose(end);
  sendClose(end, 1000);
  end.raw.end();
  await within(closed, "the end");
});

test("local: messages that arrive after close() can still be taken", async () => {
  await using end = await opened();
  const closed = end.connection.close();
  await readClose(end);
  end.raw.sendFrame({ payload: "crossed", mask: false });
  sendClose(end, 1000);
  end.raw.end();
  assertEquals((await closed).wasClean, true);
  assertEquals(await end.connection.receive(), "crossed");
  await assertRejects(() => end.connection.receive(), ClosedError);
});

test("local: terminate() sends nothing", async () => {
  await using end = await opened();
  end.connection.terminate();
  const info = await end.connection.closed;
  assertEquals([info.code, info.cause, info.wasClean], [1006, "local", false]);
  assertEquals([info.sent, info.received, info.error], [
    undefined,
    undefined,
    undefined,
  ]);
  assertEquals((await end.raw.readToEnd()).length, 0);
  end.connection.terminate();
});

test("CL-7: both sides close at the same time", async () => {
  await using end = await opened();
  sendClose(end, 1001);
  const closed = end.connection.close(1000);
  assertEquals(await readClose(end), 1000);
  end.raw.end();
  const info = await closed;
  assertEquals([info.code, info.wasClean, info.cause], [1001, true, "local"]);
  assertEquals((await end.raw.readToEnd()).length, 0);
});

test("CL-8: a client waits for the server's FIN", async () => {
  await using end = await opened();
  const closed = end.connection.close();
  await readClose(end);
  sendClose(end, 1000);
  // Section 7.1.1: the server closes first, so that it is the client that is left
  // waiting. Only time can show that something does not happen.
  await new Promise((resolve) => setTimeout(resolve, 60));
  assertEquals(end.raw.ended, false);
  end.raw.end();
  await closed;
  await end.raw.readToEnd();
});

test("CL-8: but not for ever", async () => {
  await using end = await opened({ closeTimeoutMs: 80 });
  const closed = end.connection.close();
  await readClose(end);
  sendClose(end, 1000);
  const info = await within(closed, "the end");
  assertEquals([info.cause, info.wasClean], ["local", true]);
});

test("close-timeout: the server does not answer", async () => {
  await using end = await opened({ closeTimeoutMs: 80 });
  const startMs = performance.now();
  const closed = end.connection.close(3000);
  const chatter = setInterval(() => {
    end.raw.sendFrame({ payload: "go on", mask: false });
  }, 10);
  const info = await within(closed, "the end");
  clearInterval(chatter);
  assertEquals(
    [info.code, info.wasClean, info.cause, info.sent?.code],
    [1006, false, "close-timeout", 3000],
  );
  assert(performance.now() - startMs >= 75, "it gave up too early");
});

test("ping-timeout: a server that is silent is pinged, told and dropped", async () => {
  const times = { pingIntervalMs: 40, pingTimeoutMs: 40, closeTimeoutMs: 100 };
  await using end = await opened(times);
  assertEquals((await end.raw.readFrame()).opcode, 9);
  assertEquals(await readClose(end), 1011);
  const info = await within(end.connection.closed, "the end");
  assertEquals(
    [info.code, info.wasClean, info.cause, info.sent?.code],
    [1006, false, "ping-timeout", 1011],
  );
});

test("KA: any byte is a sign of life", async () => {
  const times = { pingIntervalMs: 60, pingTimeoutMs: 200 };
  await using end = await opened(times);
  // Not a Pong in sight: an endless frame, one byte at a time.
  end.raw.write(Uint8Array.of(0x82, 126, 4, 0));
  for (let i = 0; i < 20; i++) {
    end.raw.write(Uint8Array.of(i));
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assertEquals(end.connection.readyState, 1);
});

test("transport-error: the stream ends, or breaks, without a Close frame", async () => {
  for (const how of ["end", "reset"] as const) {
    await using end = await opened();
    end.raw[how]();
    const info = await within(end.connection.closed, "the end");
    assertEquals(
      [how, info.code, info.wasClean, info.cause],
      [how, 1006, false, "transport-error"],
    );
    if (how === "reset") assert(info.error instanceof Error, "no error");
    await assertRejects(() => end.connection.receive(), ClosedError);
    assertEquals(end.connection.send("x"), false);
    await assertRejects(() => end.connection.drained, ClosedError);
  }
});

test("transport-error: a stream that ended, though one who took a message may still answer", () =>
  inSomeTry(async () => {
    await using end = await opened({ closeTimeoutMs: 200 });
    end.raw.sendFrame({ payload: "question", mask: false });
    assertEquals(await end.connection.receive(), "question");
    end.raw.end();
    // Half-closed: an answer still arrives.
    await pause(20);
    end.connection.send("answer");
    assertEquals((await end.raw.readFrame()).payload.length, 6);
    const info = await within(end.connection.closed, "the end");
    assertEquals(
      [info.code, info.wasClean, info.cause, info.sent],
      [1006, false, "transport-error", undefined],
    );
  }));

test("too-big and protocol-error carry the error", async () => {
  await using end = await opened({ maxMessageBytes: 4 });
  end.raw.sendFrame({ payload: "hello", mask: false });
  assertEquals(await readClose(end), 1009);
  end.raw.end();
  const info = await within(end.connection.closed, "the end");
  assertEquals([info.cause, info.error?.name], ["too-big", "ProtocolError"]);
});

test("await using closes with 1000, and waits", async () => {
  await using end = await opened();
  let isOver = false;
  const scope = (async () => {
    await using connection = end.connection;
    connection.send("x");
  })().then(() => isOver = true);
  assertEquals((await end.raw.readFrame()).opcode, 1);
  assertEquals(await readClose(end), 1000);
  assertEquals(isOver, false);
  sendClose(end, 1000);
  end.raw.end();
  await within(scope, "the end of the scope");
});

test("ping() tells the round trip, of its own payload only", async () => {
  await using end = await opened();
  const { connection } = end;
  assertEquals(connection.latencyMs, undefined);
  const roundTrip = connection.ping();
  const { opcode, payload } = await end.raw.readFrame();
  assertEquals([opcode, payload.length], [9, 4]);
  end.raw.sendFrame({ opcode: "pong", mask: false });
  end.raw.sendFrame({ opcode: "pong", mask: false, payload: "no" });
  end.raw.sendFrame({ payload: "sync", mask: false });
  assertEquals(await connection.receive(), "sync");
  assertEquals(connection.latencyMs, undefined);
  await new Promise((resolve) => setTimeout(resolve, 20));
  end.raw.sendFrame({ opcode: "pong", mask: false, payload });
  const tookMs = await within(roundTrip, "the round trip");
  assert(tookMs >= 19, `${tookMs} ms`);
  assertEquals(connection.latencyMs, tookMs);
});

test("ping() rejects when the connection ends before the answer", async () => {
  await using end = await opened();
  const roundTrip = end.connection.ping();
  void end.connection.ping(new Uint8Array([1])); // nobody listens: no harm done
  await end.raw.readFrame();
  end.raw.reset();
  await assertRejects(() => roundTrip, ClosedError);
});

test("peer: a Close frame behind a message is answered once the loop asks on", async () => {
  await using end = await opened({ closeTimeoutMs: 60_000 });
  end.raw.sendFrame({ mask: false, payload: "last words" });
  sendClose(end, 1000);
  const messages: unknown[] = [];
  for await (const message of end.connection) messages.push(message);
  assertEquals(messages, ["last words"]);
  assertEquals(await within(readClose(end), "the answer"), 1000);
  end.raw.end();
  const info = await within(end.connection.closed, "the end");
  assertEquals([info.cause, info.wasClean], ["peer", true]);
});
