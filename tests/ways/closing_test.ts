/** Every end of a connection, whichever way it came in. */
import {
  ClosedError,
  type CloseInfo,
  Handler,
  type Site,
} from "../../server.ts";
import { assertEquals, assertRejects } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { closeCode, closePayload } from "../harness/frame.ts";
import type { RawClient } from "../harness/raw_client.ts";
import { readText, until } from "../site/served.ts";
import { type Reached, testWays } from "./ways.ts";

/** What is told of the end, and how often. */
const infos: CloseInfo[] = [];
/** What the `error` hook was told. */
const failures: Error[] = [];

class Logged extends Handler {
  override message(data: string | Uint8Array): void | Promise<void> {
    if (data === "throw") throw new Error("oh no");
    if (data === "reject") return Promise.reject(new Error("oh no"));
    this.connection.send(data);
  }

  override error(error: Error): void {
    failures.push(error);
  }

  override close(info: CloseInfo): void {
    infos.push(info);
  }
}

const setup = (site: Site): void => {
  site.addHandler("/logged", Logged, { maxMessageBytes: 1_000 });
  site.addHandler("/hasty", Logged, { closeTimeoutMs: 300 });
};

async function connect(way: Reached, path = "/logged") {
  infos.length = 0;
  failures.length = 0;
  return await way.pair(path);
}

/** Waits for the one and only report. */
async function report(): Promise<CloseInfo> {
  await until(() => infos.length > 0, "the close hook");
  assertEquals(infos.length, 1);
  return infos[0]!;
}

async function readCloseCode(client: RawClient): Promise<number> {
  const { opcode, payload } = await client.readFrame();
  assertEquals(opcode, 8);
  return closeCode(payload);
}

const PEER_CLOSES: readonly (readonly [Uint8Array, number, string])[] = [
  [closePayload(1000, "bye"), 1000, "bye"],
  [closePayload(1001), 1001, ""],
  [closePayload(4999, "tschüß 🐟"), 4999, "tschüß 🐟"],
  [new Uint8Array(), 1005, ""],
];

testWays("the peer closes: it is answered, and its code and reason are told", {
  setup,
}, async (way) => {
  for (const [payload, code, reason] of PEER_CLOSES) {
    const { client, connection } = await connect(way);
    await using _client = client;
    client.sendFrame({ opcode: "close", payload });
    assertEquals(await readCloseCode(client), code);
    client.end();
    const info = await within(connection.closed, "the end");
    assertEquals(
      [info.cause, info.code, info.reason, info.wasClean, info.sent?.code],
      ["peer", code, reason, true, code],
    );
    assertEquals(await report(), info);
    assertEquals(connection.readyState, 3);
    assertEquals(connection.send("too late"), false);
  }
});

testWays("this side closes: every code arrives, and the report says so", {
  setup,
}, async (way) => {
  for (const code of [1000, 1001, 1003, 1008, 1011, 1012, 3000, 4999]) {
    const { client, connection } = await connect(way);
    await using _client = client;
    connection.send("first");
    const closed = connection.close(code, "grüße");
    assertEquals(connection.readyState >= 2, true);
    assertEquals(await readText(client), "first");
    const { payload } = await client.readFrame();
    assertEquals([...payload], [...closePayload(code, "grüße")]);
    client.sendFrame({ opcode: "close", payload });
    client.end();
    const info = await within(closed, "the end");
    const { localClose } = way.way.expects;
    assertEquals(
      [info.cause, info.wasClean, info.sent?.code, info.sent?.reason],
      [localClose.cause, localClose.wasClean, code, "grüße"],
    );
    assertEquals(info.code, localClose.wasClean ? code : 1006);
    await report();
  }
});

testWays(
  "a peer that does not answer a Close frame is given up",
  { setup },
  async (way) => {
    const { client, connection } = await connect(way, "/hasty");
    await using _client = client;
    const info = await within(connection.close(1000), "the end");
    assertEquals([info.cause, info.code, info.wasClean], [
      way.way.expects.silentClose,
      1006,
      false,
    ]);
    assertEquals((await report()).sent?.code, 1000);
  },
);

testWays(
  "a peer that goes without a word is a transport error",
  { setup },
  async (way) => {
    for (const go of ["end", "drop"] as const) {
      const { client, connection } = await connect(way);
      if (go === "end") client.end();
      else await client[Symbol.asyncDispose]();
      const info = await within(connection.closed, "the end");
      assertEquals([info.code, info.wasClean, info.received], [
        1006,
        false,
        undefined,
      ]);
      await report();
      await client[Symbol.asyncDispose]();
    }
  },
);

testWays(
  "a hook that throws or rejects closes with 1011",
  { setup },
  async (way) => {
    for (const text of ["throw", "reject"]) {
      const { client, connection } = await connect(way);
      await using _client = client;
      client.sendFrame({ payload: text });
      assertEquals(await readCloseCode(client), 1011);
      client.sendFrame({ opcode: "close", payload: closePayload(1011) });
      client.end();
      const info = await within(connection.closed, "the end");
      assertEquals([info.cause, info.error?.message], ["local", "oh no"]);
      assertEquals(failures.map(String), ["Error: oh no"]);
      assertEquals(way.takeErrors(), ["oh no"]);
      await report();
    }
  },
);

testWays(
  "a message over maxMessageBytes closes with 1009",
  { setup },
  async (way) => {
    for (const opcode of ["text", "binary"] as const) {
      const { client, connection } = await connect(way);
      await using _client = client;
      client.sendFrame({ opcode, payload: new Uint8Array(1_000).fill(65) });
      assertEquals((await client.readFrame()).payload.length, 1_000);
      client.sendFrame({ opcode, payload: new Uint8Array(1_001).fill(65) });
      assertEquals(await readCloseCode(client), 1009);
      client.sendFrame({ opcode: "close", payload: closePayload(1009) });
      client.end();
      const info = await within(connection.closed, "the end");
      assertEquals([info.cause, info.sent?.code], ["too-big", 1009]);
      assertEquals(failures.length, 1);
      await report();
    }
    // As bytes, not as UTF-16.
    const { client } = await connect(way);
    await using _client = client;
    client.sendFrame({ payload: "ü".repeat(501) });
    assertEquals(await readCloseCode(client), 1009);
  },
);

testWays(
  "text that is not UTF-8 ends the connection",
  { setup },
  async (way) => {
    const { client, connection } = await connect(way);
    await using _client = client;
    client.sendFrame({ payload: Uint8Array.of(0xce, 0xba, 0xff) });
    const { sent, report: expected } = way.way.expects.invalidText;
    const bytes = await client.readToEnd();
    assertEquals(
      bytes.length > 0 ? closeCode(bytes.subarray(2)) : undefined,
      sent,
    );
    client.end();
    const { cause, code, wasClean } = await within(
      connection.closed,
      "the end",
    );
    assertEquals({ cause, code, wasClean }, expected);
    await report();
  },
);

testWays("terminate() ends it at once, without a Close frame", {
  setup,
  needs: "terminate",
}, async (way) => {
  const { client, connection } = await connect(way);
  await using _client = client;
  connection.terminate();
  const info = await within(connection.closed, "the end");
  assertEquals([info.cause, info.code, info.sent], ["local", 1006, undefined]);
  assertEquals((await client.readToEnd()).length, 0);
  await report();
});

testWays(
  "what waits for a connection hears of its end",
  { setup },
  async (way) => {
    const { client, connection } = await connect(way, "/hasty");
    await using _client = client;
    const sent = connection.sendStream(
      (async function* () {
        yield "part";
        await new Promise(() => {});
      })(),
    );
    const rejected = assertRejects(() => sent, ClosedError);
    client.sendFrame({ opcode: "close", payload: closePayload(1000) });
    await within(rejected, "the rejection");
    client.end();
    await assertRejects(() => connection.drained, ClosedError);
  },
);

testWays("LC-7: a shutdown tells everybody 1001, and lets nobody in", {
  setup,
  endsSite: true,
}, async (way) => {
  const pairs = [await connect(way), await connect(way), await connect(way)];
  for (const { connection } of pairs) connection.send("last words");
  const end = way.site.shutdown({ reason: "night", timeoutMs: 60_000 });
  for (const { client } of pairs) {
    assertEquals(await readText(client), "last words");
    const { payload } = await client.readFrame();
    assertEquals([...payload], [...closePayload(1001, "night")]);
    client.sendFrame({ opcode: "close", payload });
    client.end();
  }
  for (const { connection } of pairs) {
    assertEquals((await connection.closed).cause, "shutdown");
  }
  await within(end, "the end of the shutdown");
  assertEquals(way.site.connections.size, 0);
  await Promise.all(pairs.map(({ client }) => client[Symbol.asyncDispose]()));
});

testWays("B-14: a drain lets those who are there go on, and nobody in", {
  setup,
  endsSite: true,
}, async (way) => {
  const client = await way.upgrade("/echo");
  const drained = way.site.shutdown({ drain: true, timeoutMs: 60_000 });
  client.sendFrame({ payload: "still", mask: true });
  assertEquals(await readText(client), "still");
  await assertRejects(() => way.upgrade("/echo"));
  client.sendFrame({ payload: "here", mask: true });
  assertEquals(await readText(client), "here");
  // Somebody is in a hurry.
  const ended = way.site.shutdown({ code: 1012, timeoutMs: 500 });
  const { payload } = await client.readFrame();
  assertEquals([...payload], [...closePayload(1012)]);
  // It does not answer: it is given up when the time is over.
  await within(Promise.all([drained, ended]), "the shutdown");
  assertEquals(way.site.connections.size, 0);
  await client[Symbol.asyncDispose]();
});
