/** What a broadcast does about those who do not keep up (B-2, BP-6, WS17). */
import type { BroadcastOverflow, Connection } from "../../server.ts";
import { Handler, Site } from "../../server.ts";
import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import type { RawClient } from "../harness/raw_client.ts";
import { crowd, type Crowded, stuff } from "./crowd.ts";
import { until } from "./served.ts";

const MAX_BYTES = 200_000;

/** Messages of 1,000 bytes with a number in front. */
function numbered(n: number, topic = ""): string {
  return `${topic}${n}`.padEnd(996, ".");
}

/** Broadcasts, at the pace of the first of the crowd. */
async function paced(
  { connections: [quick] }: Crowded,
  count: number,
  broadcast: (n: number) => void,
): Promise<void> {
  for (let n = 0; n < count; n++) {
    broadcast(n);
    if (n % 20 > 0) continue;
    await until(() => quick!.bufferedAmount === 0, "the quick one's buffer");
  }
}

function nameOf(payload: Uint8Array): string {
  return new TextDecoder().decode(payload.subarray(0, 40)).replace(/\.+$/, "");
}

/** One who reads, and one who does not until `body` has ended; what each then got. */
async function withSlowPeer(
  broadcastOverflow: BroadcastOverflow,
  body: (crowded: Crowded, slow: Connection) => void | Promise<void>,
): Promise<{ quick: string[]; slow: string[]; connection: Connection }> {
  const options = { broadcastOverflow, broadcastMaxBytes: MAX_BYTES };
  const got = { quick: [] as string[], slow: [] as string[] };
  let connection: Connection;
  await crowd(2, options, async (crowded) => {
    const { clients: [quick, slow], connections, site } = crowded;
    connection = connections[1]!;
    slow!.pause();
    const stuffed = await stuff(connection);
    await body(crowded, connection);
    if (connection.readyState !== 1) return;
    slow!.resume();
    for (let n = 0; n < stuffed; n++) await slow!.readFrame();
    const readAll = async (client: RawClient, into: string[]) => {
      while (true) {
        const { payload } = await client.readFrame();
        if (nameOf(payload) === "end") break;
        into.push(nameOf(payload));
      }
    };
    await connection.drained;
    await until(() => connection.bufferedAmount === 0, "the buffer to empty");
    site.broadcast("end");
    await readAll(quick!, got.quick);
    await readAll(slow!, got.slow);
  });
  return { ...got, connection: connection! };
}

const names = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, n) => `${from + n}`);

test("B-2: drop-new skips a slow peer, and counts what it missed", async () => {
  let sent = 0;
  const { quick, slow, connection } = await withSlowPeer(
    "drop-new",
    async (crowded, connection) => {
      const { site, connections } = crowded;
      await paced(crowded, 500, (n) => {
        sent += site.broadcast(numbered(n)).sent - 1;
      });
      assert(connection.bufferedAmount < MAX_BYTES + 1_000);
      assertEquals(connections[0]!.stats.messagesDropped, 0);
      assertEquals(connection.stats.messagesDropped, 500 - sent);
      assertEquals(site.stats.messagesDropped, 500 - sent);
    },
  );
  assertEquals(quick, names(500));
  // Those that had room, and none after.
  assert(sent > 0 && sent < 200, `${sent}`);
  assertEquals(slow, names(sent));
  assertEquals(connection.stats.messagesDropped, 500 - sent);
});

test("B-2: drop-old keeps the newest for a slow peer, in order", async () => {
  let dropped = 0;
  const { quick, slow } = await withSlowPeer(
    "drop-old",
    async (crowded, connection) => {
      await paced(crowded, 500, (n) => {
        const count = crowded.site.broadcast(numbered(n));
        assertEquals(count, { sent: 2, skipped: 0 });
        assert(connection.bufferedAmount < MAX_BYTES + 1_000);
      });
      dropped = connection.stats.messagesDropped;
    },
  );
  assertEquals(quick, names(500));
  assert(dropped > 0);
  assertEquals(slow.length, 500 - dropped);
  // The first ones had room in the buffer; then come as many of the newest as may
  // wait.
  const first = slow.length - 200;
  assertEquals(slow.slice(0, first), names(first));
  assertEquals(slow.slice(first), names(200, 300));
});

test("B-2: latest keeps one message of each topic for a slow peer", async () => {
  const { quick, slow, connection } = await withSlowPeer(
    "latest",
    async (crowded) => {
      const { site, connections } = crowded;
      for (const connection of connections) {
        for (const topic of ["a", "b"]) connection.subscribe(topic);
      }
      await paced(crowded, 300, (n) => {
        site.publish("a", numbered(n, "a"));
        if (n % 2 === 0) site.publish("b", numbered(n, "b"));
        if (n % 3 === 0) site.broadcast(numbered(n));
      });
    },
  );
  assertEquals(quick.length, 300 + 150 + 100);
  assertEquals(new Set(slow.slice(-3)), new Set(["a299", "b298", "297"]));
  // What the buffer had room for is in order, and nothing is there twice.
  assertEquals(new Set(slow).size, slow.length);
  const { messagesDropped } = connection.stats;
  assertEquals(slow.length + messagesDropped, quick.length);
});

test("B-2: close gives a slow peer up with 1013, at the mark for broadcasts", async () => {
  await withSlowPeer("close", async ({ site, infos }, connection) => {
    const results = [];
    while (connection.readyState === 1) {
      results.push(site.broadcast(numbered(0)));
    }
    assertEquals(results.pop(), { sent: 1, skipped: 1 });
    assert(results.every(({ sent }) => sent === 2));
    assert(results.length < 140, `${results.length}`);
    await until(() => infos.length === 1, "the close hook");
    const { cause, sent } = infos[0]!;
    assertEquals([cause, sent?.code], ["backpressure", 1013]);
  });
});

test("B-2: the policy is for messages to many; send keeps to its own cap", async () => {
  const { slow } = await withSlowPeer("drop-new", ({ site }, connection) => {
    for (let n = 0; n < 200; n++) site.broadcast(numbered(n));
    assert(connection.stats.messagesDropped > 0);
    for (let n = 0; n < 200; n++) {
      assertEquals(connection.send(numbered(n, "direct")), false);
    }
    assert(connection.bufferedAmount > MAX_BYTES + 190_000);
  });
  assertEquals(slow.filter((name) => name.startsWith("direct")).length, 200);
});

test("B-2: a slow peer in the middle of a fragmented message", async () => {
  const options = {
    broadcastOverflow: "drop-old",
    broadcastMaxBytes: 5_000,
  } as const;
  await crowd(
    1,
    options,
    async ({ site, clients: [client], connections: [connection] }) => {
      const gate = Promise.withResolvers<void>();
      const streamed = connection!.sendStream((async function* () {
        yield "a";
        yield "b";
        await gate.promise;
        yield "z";
      })());
      assertEquals((await client!.readFrame()).fin, false);
      for (let n = 0; n < 20; n++) site.broadcast(numbered(n));
      const { messagesDropped } = connection!.stats;
      assert(messagesDropped > 5 && messagesDropped < 15, `${messagesDropped}`);
      gate.resolve();
      await streamed;
      assertEquals((await client!.readFrame()).fin, false);
      assertEquals((await client!.readFrame()).fin, true);
      const got: number[] = [];
      while (got.length < 20 - messagesDropped) {
        got.push(Number(nameOf((await client!.readFrame()).payload)));
      }
      assertEquals(got, [...got].sort((a, b) => a - b));
      assertEquals(got.at(-1), 19);
    },
  );
});

test("B-2: for a slow peer that has just gone nothing is kept", async () => {
  await withSlowPeer("drop-old", async (crowded, connection) => {
    const { site } = crowded;
    await paced(crowded, 300, (n) => void site.broadcast(numbered(n)));
    let before = 0;
    const filter = (one: Connection) => {
      if (one === connection) void connection.close();
      before = connection.stats.messagesDropped;
      return true;
    };
    const count = site.broadcast("too late", { filter });
    assertEquals(count, { sent: 1, skipped: 1 });
    assertEquals(connection.stats.messagesDropped, before);
    assert(before >= 100, `${before}`);
  });
});

test("B-2: a drain hook that broadcasts comes after what has waited", async () => {
  let isArmed = false;
  let most = 0;
  class Chatty extends Handler {
    override drain(): void {
      const { connection } = this;
      if (isArmed) connection.site.broadcast("from the hook");
      isArmed = false;
      // What has waited is sent after the hook, as much as there is room for.
      queueMicrotask(() => most = Math.max(most, connection.bufferedAmount));
    }
  }
  const setup = (site: Site): void =>
    site.addHandler("/chatty", Chatty, {
      broadcastOverflow: "drop-old",
      broadcastMaxBytes: MAX_BYTES,
    });
  await crowd(0, { setup }, async ({ site, join }) => {
    const { client, connection } = await join("/chatty");
    client.pause();
    const stuffed = await stuff(connection);
    for (let n = 0; n < 300; n++) site.broadcast(numbered(n));
    isArmed = true;
    most = 0;
    client.resume();
    for (let n = 0; n < stuffed; n++) await client.readFrame();
    const got: string[] = [];
    while (got.at(-1) !== "from the hook") {
      got.push(nameOf((await client.readFrame()).payload));
    }
    assertEquals(got.length, 301 - connection.stats.messagesDropped);
    assert(most > 0 && most <= 65_536 + 1_000, `${most} bytes at once`);
    // What waits when a connection ends is dropped, and counted.
    client.pause();
    await stuff(connection);
    const before = connection.stats.messagesDropped;
    for (let n = 0; connection.stats.messagesDropped === before; n++) {
      assert(n < 20_000, "nothing was dropped");
      site.broadcast(numbered(n));
    }
    connection.terminate();
    const { messagesDropped } = connection.stats;
    assertEquals(messagesDropped, before + 1 + MAX_BYTES / 1_000);
    await until(() => site.stats.closed === 1, "the end");
    assertEquals(site.stats.messagesDropped, messagesDropped);
  });
});

test("B-2: the options are checked, of a handler as of a site", () => {
  const site = new Site();
  const add = (options: object) => () =>
    site.addHandler(`/${Math.random()}`, Handler, options);
  for (
    const options of [
      { broadcastOverflow: "drop" },
      { broadcastOverflow: null },
      { broadcastMaxBytes: "1" },
      { broadcastOverflw: "latest" },
    ]
  ) {
    assertThrows(add(options), TypeError);
    assertThrows(() => new Site(options as never), TypeError);
  }
  for (const broadcastMaxBytes of [-1, 0, 0.5, NaN]) {
    assertThrows(add({ broadcastMaxBytes }), RangeError);
    assertThrows(() => new Site({ broadcastMaxBytes }), RangeError);
  }
  add({ broadcastOverflow: "latest", broadcastMaxBytes: 1 })();
  new Site({ broadcastOverflow: "close", broadcastMaxBytes: Infinity });
});
