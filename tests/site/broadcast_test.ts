/** One message for many (BP-6, bounded). */
import { type CloseInfo, type HandlerOptions, Site } from "../../server.ts";
import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import { type RawClient, rawUpgrade } from "../harness/raw_client.ts";
import { Echo, until } from "./served.ts";

/** A site of its own, without a canary that would hear the broadcast as well. */
async function crowd(
  count: number,
  options: HandlerOptions,
  body: (site: Site, clients: RawClient[], infos: CloseInfo[]) => Promise<void>,
): Promise<void> {
  const infos: CloseInfo[] = [];
  class Member extends Echo {
    override close(info: CloseInfo): void {
      infos.push(info);
    }
  }
  const site = new Site();
  site.addHandler("/crowd", Member, { closeTimeoutMs: 200, ...options });
  const server = await site.listen({ port: 0, hostname: "127.0.0.1" });
  assert(server.addr.transport === "tcp");
  const { port } = server.addr;
  const clients = await Promise.all(
    Array.from({ length: count }, () => rawUpgrade(port, "/crowd")),
  );
  try {
    await body(site, clients, infos);
  } finally {
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
    await server.shutdown({ timeoutMs: 500 });
  }
}

test("a broadcast reaches every open connection, in order", async () => {
  await crowd(30, {}, async (site, clients) => {
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
  await crowd(12, { sendMaxBytes: cap }, async (site, clients, infos) => {
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
  await crowd(1, { sendHighWaterBytes: 1_000 }, async (site, [client]) => {
    const message = new Uint8Array(3_000_000);
    client!.pause();
    for (let i = 0; i < 4; i++) {
      assertEquals(site.broadcast(message), { sent: 1, skipped: 0 });
    }
    client!.resume();
    for (let i = 0; i < 4; i++) {
      assertEquals((await client!.readFrame()).payload.length, 3_000_000);
    }
  });
});

test("a broadcast waits for a fragmented message under way", async () => {
  await crowd(1, {}, async (site, [client]) => {
    const [connection] = site.connections;
    const gate = Promise.withResolvers<void>();
    const streamed = connection!.sendStream((async function* () {
      yield "a";
      yield "b";
      await gate.promise;
      yield "c";
    })());
    assertEquals((await client!.readFrame()).fin, false);
    assertEquals(site.broadcast("all"), { sent: 1, skipped: 0 });
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

test("closing connections are skipped", async () => {
  await crowd(3, {}, async (site, clients) => {
    const [first] = site.connections;
    void first!.close();
    assertEquals(site.broadcast("x"), { sent: 2, skipped: 0 });
    assertEquals(site.connections.size, 2);
    await clients[2]!.readFrame();
  });
});
