/** Messages in fragments and as streams, over real sockets. */
import { ClosedError, type Site } from "../../server.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { closeCode, closePayload, frame } from "../harness/frame.ts";
import { type RawClient, rawUpgrade } from "../harness/raw_client.ts";
import { pause, serve, until } from "./served.ts";

/** What frames say: `text+ab` for a first fragment, `cont.c` for a last one. */
async function readFrames(client: RawClient, count: number): Promise<string[]> {
  const said: string[] = [];
  const names = ["cont", "text", "binary"];
  for (let i = 0; i < count; i++) {
    const { opcode, fin, payload } = await client.readFrame();
    const name = names[opcode] ?? (opcode === 8 ? "close" : `control${opcode}`);
    const text = opcode === 8
      ? `${closeCode(payload)}`
      : new TextDecoder().decode(payload);
    said.push(`${name}${fin ? "." : "+"}${text}`);
  }
  return said;
}

/** Chunks that are given one by one; `undefined` is the end. */
class Feed implements AsyncIterable<string> {
  /** Whether the one who took the chunks has left before the end. */
  wasLeft = false;
  readonly #chunks: (string | undefined)[] = [];
  #wake: (() => void) | undefined;

  give(chunk: string | undefined): void {
    this.#chunks.push(chunk);
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<string> {
    this.wasLeft = true;
    while (true) {
      while (this.#chunks.length === 0) {
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
      const chunk = this.#chunks.shift();
      if (chunk === undefined) break;
      yield chunk;
    }
    this.wasLeft = false;
  }
}

test("sendStream: a fragment per chunk, pings between, others after", async () => {
  await serve({}, async (served) => {
    const { client, connection } = await served.pair("/echo");
    const feed = new Feed();
    const sent = connection.sendStream(feed);
    for (const chunk of ["a", "b", "c"]) feed.give(chunk);
    assertEquals(await readFrames(client, 2), ["text+a", "cont+b"]);
    // These two wait, and the second stream after them.
    assert(connection.send("after"));
    const second = connection.sendStream(["x", "y"]);
    client.sendFrame({ opcode: "ping", payload: "1" });
    assertEquals(await readFrames(client, 1), ["control10.1"]);
    void connection.ping(Uint8Array.of(50));
    assertEquals(await readFrames(client, 1), ["control9.2"]);
    feed.give(undefined);
    await Promise.all([sent, second]);
    assertEquals(await readFrames(client, 4), [
      "cont.c",
      "text.after",
      "text+x",
      "cont.y",
    ]);
    connection.send("last");
    assertEquals(await readFrames(client, 1), ["text.last"]);
    // Fragments are frames, not messages.
    const { messagesSent, framesSent, payloadBytesSent } = connection.stats;
    assertEquals([messagesSent, framesSent], [4, 7 + 2]);
    assertEquals(payloadBytesSent, "abcafterxylast".length + 1 + 1);
    await client[Symbol.asyncDispose]();
  });
});

test("sendStream: nothing for no chunk, one frame for one, bytes as binary", async () => {
  await serve({}, async (served) => {
    const { client, connection } = await served.pair("/echo");
    await connection.sendStream([]);
    await connection.sendStream(["one"]);
    await connection.sendStream(["", ""]);
    await connection.sendStream([Uint8Array.of(97), new ArrayBuffer(0)]);
    // A character that is cut in two by its chunks.
    await connection.sendStream(["\ud83d", "\ude00!"]);
    assertEquals(await readFrames(client, 7), [
      "text.one",
      "text+",
      "cont.",
      "binary+a",
      "cont.",
      "text+",
      "cont.😀!",
    ]);
    await client[Symbol.asyncDispose]();
  });
});

test("sendStream: mixed chunks, or an iterable that throws, end in 1011", async () => {
  await serve({}, async (served) => {
    const bad: [() => Iterable<unknown>, ErrorConstructor, string][] = [
      [() => ["a", Uint8Array.of(1), "b"], TypeError, ""],
      [() => ["a", 5], TypeError, ""],
      [
        function* () {
          yield "a";
          yield "b";
          throw new Error("no more");
        },
        Error,
        "no more",
      ],
    ];
    for (const [chunks, type, message] of bad) {
      const { client, connection } = await served.pair("/echo");
      const sent = connection.sendStream(chunks() as Iterable<string>);
      await assertRejects(() => sent, type, message);
      let said = await readFrames(client, 1);
      while (!said[0]!.startsWith("close")) said = await readFrames(client, 1);
      assertEquals(said, ["close.1011"]);
      assertEquals(connection.send("x"), false);
      await client[Symbol.asyncDispose]();
    }
  });
});

test("CL-4: a close during a stream stops it, and it says so", async () => {
  await serve({}, async (served) => {
    const { client, connection } = await served.pair("/echo");
    const feed = new Feed();
    const sent = connection.sendStream(feed);
    feed.give("a");
    feed.give("b");
    assertEquals(await readFrames(client, 1), ["text+a"]);
    void connection.close(4000);
    feed.give("c");
    feed.give("d");
    assertEquals(await readFrames(client, 1), ["close.4000"]);
    client.sendFrame({ opcode: "close", payload: closePayload(4000) });
    client.end();
    await assertRejects(() => sent, ClosedError, "code 4000");
    assert(feed.wasLeft, "the iterable was not told");
    assertEquals((await client.readToEnd()).length, 0);
    await client[Symbol.asyncDispose]();
  });
});

test("sendStream fails with its connection, although no chunk ever comes", async () => {
  await serve({}, async (served) => {
    const { client, connection } = await served.pair("/echo");
    const sent = connection.sendStream(new Feed());
    const later = connection.sendStream(["never"]);
    assert(connection.send("never either"));
    client.reset();
    await assertRejects(() => sent, ClosedError);
    await assertRejects(() => later, ClosedError);
    await assertRejects(() => connection.sendStream(new Feed()), ClosedError);
  });
});

test("sendStream waits for a peer that does not read", async () => {
  await serve({}, async (served) => {
    const { client, connection } = await served.pair("/echo");
    client.pause();
    let taken = 0;
    const chunk = new Uint8Array(500_000);
    const sent = connection.sendStream((function* () {
      for (; taken < 60; taken++) yield chunk;
    })());
    await pause(100);
    assert(taken < 60, "all chunks were taken");
    assert(connection.bufferedAmount < 2_000_000);
    client.resume();
    await sent;
    let bytes = 0;
    for (let i = 0; i < 60; i++) {
      bytes += (await client.readFrame()).payload.length;
    }
    assertEquals(bytes, 30_000_000);
    await client[Symbol.asyncDispose]();
  });
});

test("readable and writable are an echo together", async () => {
  const setup = (site: Site): void =>
    site.addHandler("/pipe", async (connection) => {
      await connection.readable.pipeTo(connection.writable);
    });
  await serve({ setup }, async ({ port }) => {
    await using client = await rawUpgrade(port, "/pipe");
    for (let i = 0; i < 50; i++) client.sendFrame({ payload: `${i}` });
    const said = await readFrames(client, 50);
    assertEquals(said, Array.from({ length: 50 }, (_, i) => `text.${i}`));
    client.sendFrame({ opcode: "close", payload: closePayload(1000) });
    assertEquals(await readFrames(client, 1), ["close.1000"]);
  });
});

test("readable fails after a bad end, and its cancel closes", async () => {
  const results: unknown[] = [];
  const setup = (site: Site): void => {
    site.addHandler("/bad", async (connection) => {
      const reader = connection.readable.getReader();
      results.push((await reader.read()).value);
      await reader.read().catch((error) => results.push(error.name));
    });
    site.addHandler("/cancel", async (connection) => {
      await connection.readable.cancel();
      results.push((await connection.closed).code);
    });
  };
  await serve({ setup }, async ({ port }) => {
    await using client = await rawUpgrade(port, "/bad");
    client.write(
      frame({ payload: "a", mask: true }),
      frame({ opcode: 3, mask: true }),
    );
    assertEquals(await readFrames(client, 1), ["close.1002"]);
    client.end();
    await until(() => results.length === 2, "both reads");
    assertEquals(results.splice(0), ["a", "ClosedError"]);
    await using other = await rawUpgrade(port, "/cancel");
    assertEquals(await readFrames(other, 1), ["close.1000"]);
    other.sendFrame({ opcode: "close", payload: closePayload(1000) });
    await other.readToEnd();
    other.end();
    await until(() => results.length === 1, "the close");
    assertEquals(results, [1000]);
  });
});

test("stats count what went over the wire", async () => {
  await serve({}, async (served) => {
    const { client, connection } = await served.pair("/echo");
    const before = connection.stats;
    assertEquals(
      [before.framesReceived, before.messagesReceived, before.messagesSent],
      [0, 0, 0],
    );
    assert(before.bytesSent > 100, "the handshake counts");
    const first = frame({ payload: "ab", fin: false, mask: true });
    const last = frame({ payload: "cd", opcode: 0, mask: true });
    const ping = frame({ opcode: "ping", mask: true });
    client.write(first, ping, last);
    await client.readFrame();
    await client.readFrame();
    await until(() => connection.bufferedAmount === 0, "the echo to leave");
    const after = connection.stats;
    assertEquals(
      [after.framesReceived, after.messagesReceived, after.messagesSent],
      [3, 1, 1],
    );
    assertEquals(
      after.bytesReceived,
      first.length + last.length + ping.length,
    );
    await until(
      () => connection.stats.bytesSent - before.bytesSent === 2 + 6,
      "the counter of sent bytes",
    );
    await client[Symbol.asyncDispose]();
  });
});
