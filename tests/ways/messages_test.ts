/** Messages both ways, whichever way a connection came in. */
import { type Connection, Handler } from "../../server.ts";
import { assert, assertEquals } from "../harness.ts";
import { sameBytes } from "../harness/bytes.ts";
import { within } from "../harness/deadline.ts";
import { closePayload } from "../harness/frame.ts";
import type { RawClient } from "../harness/raw_client.ts";
import { pause, readText, until } from "../site/served.ts";
import { testWays } from "./ways.ts";

/** Bytes of which every stretch is different. */
function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8) * 13) & 255);
}

/** Closes from the client's side, and waits until it is done. */
async function bye(client: RawClient): Promise<void> {
  client.sendFrame({ opcode: "close", payload: closePayload(1000) });
  assertEquals((await client.readFrame()).opcode, 8);
  client.end();
}

testWays("text, bytes, and nothing come back as they went", {}, async (way) => {
  await using client = await way.upgrade();
  for (const text of ["", "hello", "grüße 🐟", "x".repeat(70_000)]) {
    client.sendFrame({ payload: text });
    const { opcode, fin, payload } = await client.readFrame();
    assertEquals([opcode, fin], [1, true]);
    assertEquals(new TextDecoder().decode(payload), text);
  }
  for (const length of [0, 1, 125, 126, 65_535, 65_536, 900_000]) {
    const bytes = pattern(length);
    client.sendFrame({ opcode: "binary", payload: bytes });
    const { opcode, payload } = await client.readFrame();
    assertEquals(opcode, 2);
    assert(sameBytes(payload, bytes), `${length} bytes came back as others`);
  }
});

testWays("a message in fragments arrives as one", {}, async (way) => {
  await using client = await way.upgrade();
  client.sendFrame({ payload: "ab", fin: false });
  client.sendFrame({ opcode: "ping", payload: "?" });
  client.sendFrame({ opcode: "continuation", payload: "cd", fin: false });
  client.sendFrame({ opcode: "continuation", payload: "ef" });
  const frames = [await client.readFrame(), await client.readFrame()];
  assertEquals(frames.map(({ opcode }) => opcode), [10, 1]);
  assertEquals(new TextDecoder().decode(frames[1]!.payload), "abcdef");
});

testWays("many messages keep their order", {}, async (way) => {
  await using client = await way.upgrade();
  for (let i = 0; i < 500; i++) client.sendFrame({ payload: `message ${i}` });
  for (let i = 0; i < 500; i++) {
    assertEquals(await readText(client), `message ${i}`);
  }
});

class Ordered extends Handler<string[]> {
  constructor(connection: Connection<string[]>) {
    super(connection);
    connection.data = ["made"];
    connection.send("from the constructor");
  }

  override async open(): Promise<void> {
    this.connection.data.push("open");
    this.connection.send("from open");
    await Promise.resolve();
    this.connection.data.push("opened");
  }

  override async message(data: string | Uint8Array): Promise<void> {
    this.connection.data.push(`message ${data}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
    this.connection.data.push(`handled ${data}`);
    this.connection.send(`re ${data}`);
  }

  override close(): void {
    this.connection.data.push("close");
  }
}

testWays("hooks of a connection never overlap, and end with close", {
  setup: (site) => site.addHandler("/ordered", Ordered),
}, async (way) => {
  const { client, connection } = await way.pair("/ordered");
  await using _client = client;
  for (const text of ["a", "b", "c"]) client.sendFrame({ payload: text });
  const texts = [];
  for (let i = 0; i < 5; i++) texts.push(await readText(client));
  assertEquals(texts, [
    "from the constructor",
    "from open",
    "re a",
    "re b",
    "re c",
  ]);
  await bye(client);
  await within(connection.closed, "the end");
  await until(() => (connection.data as string[]).includes("close"), "close");
  assertEquals(connection.data, [
    "made",
    "open",
    "opened",
    ...["a", "b", "c"].flatMap((
      text,
    ) => [`message ${text}`, `handled ${text}`]),
    "close",
  ]);
});

testWays("a function receives one by one, and its end is a close", {
  setup: (site) =>
    site.addHandler("/function", async (connection) => {
      connection.send(`hello ${await connection.receive()}`);
      connection.send(`and ${await connection.receive()}`);
    }),
}, async (way) => {
  await using client = await way.upgrade("/function");
  client.sendFrame({ payload: "one" });
  client.sendFrame({ payload: "two" });
  assertEquals(await readText(client), "hello one");
  assertEquals(await readText(client), "and two");
  const { opcode, payload } = await client.readFrame();
  assertEquals([opcode, [...payload]], [8, [...closePayload(1000)]]);
});

testWays("an object of callbacks is told the connection", {
  setup: (site) =>
    site.addHandler("/callbacks", {
      open: (connection) => void connection.send("open"),
      message: (connection, data) => void connection.send(`re ${data}`),
    }),
}, async (way) => {
  await using client = await way.upgrade("/callbacks");
  client.sendFrame({ payload: "one" });
  assertEquals(await readText(client), "open");
  assertEquals(await readText(client), "re one");
});

testWays("for await ends with the connection, with nothing lost", {
  setup: (site) =>
    site.addHandler<string[]>("/iterate", async (connection) => {
      connection.data = [];
      for await (const message of connection) {
        connection.data.push(`${message}`);
      }
      connection.data.push("over");
    }),
}, async (way) => {
  const { client, connection } = await way.pair("/iterate");
  await using _client = client;
  for (let i = 0; i < 50; i++) client.sendFrame({ payload: `${i}` });
  await bye(client);
  const seen = connection.data as string[];
  await until(() => seen.at(-1) === "over", "the end of the loop");
  assertEquals(seen, [...Array.from({ length: 50 }, (_, i) => `${i}`), "over"]);
});

testWays("streams carry messages both ways", {
  setup: (site) =>
    site.addHandler("/streams", async (connection) => {
      await connection.readable.pipeTo(connection.writable);
    }),
}, async (way) => {
  await using client = await way.upgrade("/streams");
  client.sendFrame({ payload: "text" });
  client.sendFrame({ opcode: "binary", payload: pattern(100) });
  assertEquals(await readText(client), "text");
  const { opcode, payload } = await client.readFrame();
  assertEquals([opcode, payload.length], [2, 100]);
});

testWays(
  "sendStream is one message, and what is sent meanwhile waits",
  {},
  async (way) => {
    const { client, connection } = await way.pair();
    await using _client = client;
    const sent = connection.sendStream(["gr", "üß", "e"]);
    connection.send("after");
    await within(sent, "the fragments");
    let text = "";
    const count = way.way.expects.streamFrames;
    for (let i = 1; i <= count; i++) {
      const { fin, payload } = await client.readFrame();
      assertEquals(fin, i === count);
      text += new TextDecoder().decode(payload);
    }
    assertEquals(text, "grüße");
    assertEquals(await readText(client), "after");
  },
);

testWays("broadcast and topics reach everybody", {
  setup: (site) =>
    site.addHandler("/topic", (connection) => {
      connection.subscribe("news");
      return connection.closed.then(() => {});
    }),
}, async (way) => {
  await using plain = await way.upgrade();
  await using one = await way.upgrade("/topic");
  await using other = await way.upgrade("/topic");
  await until(() => way.site.topics.get("news")?.size === 2, "two members");
  assertEquals(way.site.publish("news", "to two").sent, 2);
  way.site.broadcast("to all", { path: "/topic" });
  way.site.broadcast("to all", { path: "/echo" });
  assertEquals([await readText(one), await readText(other)], [
    "to two",
    "to two",
  ]);
  for (const client of [plain, one, other]) {
    assertEquals(await readText(client), "to all");
  }
});

testWays("stats count what went over the wire", {}, async (way) => {
  const { client, connection } = await way.pair();
  await using _client = client;
  client.sendFrame({ payload: "0123456789" });
  assertEquals(await readText(client), "0123456789");
  const { bytesReceived, messagesReceived, messagesSent } = connection.stats;
  assertEquals([bytesReceived, messagesReceived, messagesSent], [16, 1, 1]);
  assert(connection.stats.bytesSent > 12, "the answer to the request counts");
});

testWays("B-2: a peer that does not read gets the newest of a broadcast", {
  setup: (site) =>
    site.addHandler("/slow", Handler, {
      broadcastOverflow: "drop-old",
      broadcastMaxBytes: 200_000,
    }),
}, async (way) => {
  const { client, connection } = await way.pair("/slow");
  client.pause();
  const message = new Uint8Array(50_000);
  for (let n = 0; connection.stats.messagesDropped < 10; n++) {
    assert(n < 2_000, "nothing was dropped");
    assertEquals(way.site.broadcast(message, { path: "/slow" }).sent, 1);
    assert(connection.bufferedAmount < 300_000);
    // The kernel takes some megabytes first.
    if (n % 10 === 0) await pause(1);
  }
  way.site.broadcast("end", { path: "/slow" });
  client.resume();
  let last = 0;
  while (last !== 1) last = (await client.readFrame()).opcode;
  assertEquals(connection.readyState, 1);
  await client[Symbol.asyncDispose]();
});
