/** One message for many (BL3, BL4, WS17, AB22, BP-6 bounded). */
import { type Connection, Handler, type Site } from "../../server.ts";
import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import { closePayload } from "../harness/frame.ts";
import { assertTexts, crowd } from "./crowd.ts";
import { until } from "./served.ts";

test("BL3: a broadcast reaches every open connection, in order", async () => {
  await crowd(30, {}, async ({ site, clients }) => {
    const bytes = Uint8Array.of(1, 2, 3);
    const results = [site.broadcast("one"), site.broadcast(bytes)];
    // Bytes are copied.
    bytes.fill(9);
    results.push(site.broadcast("x".repeat(100_000)));
    for (const result of results) {
      assertEquals(result, { sent: 30, skipped: 0 });
    }
    for (const client of clients) {
      assertEquals((await client.readFrame()).opcode, 1);
      assertEquals([...(await client.readFrame()).payload], [1, 2, 3]);
      assertEquals((await client.readFrame()).payload.length, 100_000);
    }
    assertThrows(() => site.broadcast(5 as never), TypeError);
  });
});

test("BP-6: frozen peers delay nobody, and are closed by the cap", async () => {
  const cap = 2_000_000;
  await crowd(12, { sendMaxBytes: cap }, async ({ site, clients, infos }) => {
    const frozen = clients.slice(0, 2);
    for (const client of frozen) client.pause();
    const message = new Uint8Array(100_000);
    let skipped = 0;
    let rounds = 0;
    while (site.connections.size > 10) {
      assert(++rounds <= 200, "the frozen peers are still there");
      const { size } = site.connections;
      const count = site.broadcast(message);
      assertEquals(count.sent + count.skipped, size);
      skipped += count.skipped;
      for (const connection of site.connections) {
        assert(connection.bufferedAmount <= cap + 200_000);
      }
      for (const client of clients.slice(2)) {
        assertEquals((await client.readFrame()).payload.length, 100_000);
      }
    }
    // Each was skipped once: by the broadcast that found its buffer full.
    assertEquals(skipped, 2);
    await until(() => infos.length === 2, "the frozen peers to go");
    for (const info of infos) assertEquals(info.cause, "backpressure");
    assertEquals(site.broadcast("on"), { sent: 10, skipped: 0 });
  });
});

test("a message that waits in a buffer over its mark counts as sent", async () => {
  await crowd(
    1,
    { sendHighWaterBytes: 1_000 },
    async ({ site, clients: [client] }) => {
      const message = new Uint8Array(3_000_000);
      client!.pause();
      for (let i = 0; i < 4; i++) {
        assertEquals(site.broadcast(message), { sent: 1, skipped: 0 });
      }
      client!.resume();
      for (let i = 0; i < 4; i++) {
        assertEquals((await client!.readFrame()).payload.length, 3_000_000);
      }
    },
  );
});

test("WS17: a broadcast waits for a fragmented message under way", async () => {
  await crowd(1, {}, async ({ site, clients: [client] }) => {
    const [connection] = site.connections;
    const gate = Promise.withResolvers<void>();
    const streamed = connection!.sendStream((async function* () {
      yield "a";
      yield "b";
      await gate.promise;
      yield "c";
    })());
    assertEquals((await client!.readFrame()).fin, false);
    const bytes = new TextEncoder().encode("all");
    assertEquals(site.broadcast(bytes), { sent: 1, skipped: 0 });
    // They were copied, though they have to wait.
    bytes.fill(0);
    gate.resolve();
    await streamed;
    const texts = [];
    for (let i = 0; i < 3; i++) {
      const { payload } = await client!.readFrame();
      texts.push(new TextDecoder().decode(payload));
    }
    assertEquals(texts, ["b", "c", "all"]);
  });
});

test("WS17: closing connections are skipped", async () => {
  await crowd(3, {}, async ({ site, clients }) => {
    const [first] = site.connections;
    void first!.close();
    assertEquals(site.broadcast("x"), { sent: 2, skipped: 0 });
    assertEquals(site.connections.size, 2);
    await clients[2]!.readFrame();
  });
});

test("BL3: except, filter and path say who gets a broadcast", async () => {
  class Other extends Handler {}
  const setup = (site: Site) => {
    site.addHandler("/other/:id", Other);
  };
  await crowd(4, { setup }, async ({ site, clients, connections, join }) => {
    const [a, b, c, d] = connections;
    const other = await join("/other/5");
    const count = (sent: number) => ({ sent, skipped: 0 });
    assertEquals(site.broadcast("all"), count(5));
    assertEquals(site.broadcast("not a", { except: a! }), count(4));
    assertEquals(site.broadcast("not ab", { except: [a!, b!] }), count(3));
    assertEquals(
      site.broadcast("not abc", { except: new Set([a!, b!, c!]) }),
      count(2),
    );
    assertEquals(
      site.broadcast("nobody", { except: site.connections }),
      count(0),
    );
    assertEquals(site.broadcast("c", { filter: (one) => one === c }), count(1));
    assertEquals(site.broadcast("crowd", { path: "/crowd" }), count(4));
    assertEquals(site.broadcast("other", { path: "/other/:id" }), count(1));
    assertEquals(site.broadcast("path", { path: "/other/5" }), count(0));
    const asked: unknown[] = [];
    const filter = (one: Connection) => asked.push(one) > 0 && one !== d;
    const options = { filter, except: [a!], path: "/crowd" };
    assertEquals(site.broadcast("bc", options), count(2));
    assertEquals(asked, [b, c, d]);
    site.broadcast("end");
    await assertTexts(clients[0]!, ["all", "crowd", "end"]);
    await assertTexts(clients[1]!, ["all", "not a", "crowd", "bc", "end"]);
    await assertTexts(clients[2]!, [
      "all",
      "not a",
      "not ab",
      "c",
      "crowd",
      "bc",
      "end",
    ]);
    await assertTexts(clients[3]!, [
      "all",
      "not a",
      "not ab",
      "not abc",
      "crowd",
      "end",
    ]);
    await assertTexts(other.client, [
      "all",
      "not a",
      "not ab",
      "not abc",
      "other",
      "end",
    ]);
  });
});

test("BL3: a broadcast checks what it is given, and sends nothing then", async () => {
  await crowd(2, {}, async ({ site, clients }) => {
    for (
      const options of [
        null,
        5,
        { excpet: [] },
        { filter: 5 },
        { path: 5 },
        { except: "everybody" },
        { except: 5 },
        { except: {} },
        { except: null },
      ]
    ) {
      assertThrows(() => site.broadcast("x", options as never), TypeError);
    }
    // A filter that fails has nobody get the message.
    let calls = 0;
    const filter = () => {
      if (++calls === 2) throw new RangeError("filter");
      return true;
    };
    assertThrows(() => site.broadcast("x", { filter }), RangeError);
    site.broadcast("marker");
    for (const client of clients) await assertTexts(client, ["marker"]);
  });
});

test("BL4: who comes or goes during a broadcast makes nobody miss it", async () => {
  await crowd(6, {}, async ({ site, clients, connections, join }) => {
    const [a, b, c, d, e, f] = connections;
    // The second closes the one before it, itself, and one that comes later.
    const left = site.broadcast("one", {
      filter: (one) => {
        if (one === b) { for (const gone of [a, b, d]) void gone!.close(); }
        return true;
      },
    });
    assertEquals(left, { sent: 3, skipped: 3 });
    assertEquals([...site.connections], [c, e, f]);
    for (const at of [2, 4, 5]) await assertTexts(clients[at]!, ["one"]);
    // Who comes while it is sent is too late for it, and in time for the next.
    const late = join();
    const before = site.connections.size;
    assertEquals(site.broadcast("two").sent, before);
    const { client } = await late;
    site.broadcast("three");
    await assertTexts(client, ["three"]);
    for (const at of [2, 4, 5]) {
      await assertTexts(clients[at]!, ["two", "three"]);
    }
  });
});

test("BL4: a broadcast in a close hook, and one in a drain hook, reach everybody", async () => {
  let told = 0;
  class Farewell extends Handler {
    override close(): void {
      this.connection.site.broadcast(`left ${++told}`);
    }
    override drain(): void {
      this.connection.site.broadcast("drained");
      this.connection.terminate();
    }
  }
  const options = {
    setup: (site: Site) =>
      site.addHandler("/farewell", Farewell, { sendHighWaterBytes: 1_000 }),
  };
  await crowd(3, options, async ({ site, clients, join }) => {
    const first = await join("/farewell");
    const second = await join("/farewell");
    first.client.sendFrame({ opcode: "close", payload: closePayload(1000) });
    first.client.end();
    for (const client of clients) await assertTexts(client, ["left 1"]);
    await assertTexts(second.client, ["left 1"]);
    // The first leaves its buffer over the mark, the second is so large that it is
    // written at once: the hook is called in the middle of the broadcast.
    const [small, large] = ["s".repeat(2_000), "l".repeat(70_000)];
    site.broadcast(small);
    const { sent, skipped } = site.broadcast(large);
    assertEquals([sent + skipped, sent >= 3], [4, true]);
    for (const client of clients) {
      const texts: string[] = [];
      while (texts.length < 4) {
        const { payload } = await client.readFrame();
        texts.push(new TextDecoder().decode(payload));
      }
      // Where the hook is called during the broadcast, its own may come between.
      assertEquals(texts.sort(), ["drained", large, "left 2", small].sort());
    }
    await until(() => site.connections.size === 3, "the second to go");
  });
});
