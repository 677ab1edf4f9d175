/** Topics of several sites, joined by a broker (B-1, B-3). */
import { type Broker, Site } from "../../server.ts";
import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import { assertTexts, crowd } from "./crowd.ts";
import { Hub } from "./memory_broker.ts";
import { until } from "./served.ts";

test("B-1: a broker joins the topics of two sites", async () => {
  const hub = new Hub();
  const one = { site: { broker: hub.join() } };
  const two = { site: { broker: hub.join() } };
  await crowd(2, one, async (left) => {
    await crowd(1, two, async (right) => {
      const [a, b] = left.connections;
      const [c] = right.connections;
      a!.subscribe("news");
      assertEquals(hub.topics, ["news"]);
      b!.subscribe("news");
      c!.subscribe("news");
      // The count is of this process; `except` as well.
      assertEquals(left.site.publish("news", "1"), { sent: 2, skipped: 0 });
      await assertTexts(right.clients[0]!, ["1"]);
      assertEquals(a!.publish("news", "2"), { sent: 1, skipped: 0 });
      await assertTexts(right.clients[0]!, ["2"]);
      assertEquals(right.site.publish("news", "\ufeff3 \u{1f41f}").sent, 1);
      await assertTexts(right.clients[0]!, ["\ufeff3 \u{1f41f}"]);
      // From a site where nobody is subscribed, and nothing but bytes.
      assertEquals(right.connections[0]!.unsubscribe("news"), true);
      right.site.publish("news", Uint8Array.of(0, 255));
      // Each got each message once, in order.
      await assertTexts(left.clients[0]!, ["1", "\ufeff3 \u{1f41f}"]);
      await assertTexts(left.clients[1]!, ["1", "2", "\ufeff3 \u{1f41f}"]);
      for (const client of left.clients) {
        const { opcode, payload } = await client.readFrame();
        assertEquals([opcode, ...payload], [2, 0, 255]);
      }
      // A broadcast stays here.
      right.site.broadcast("right");
      left.site.broadcast("left");
      await assertTexts(right.clients[0]!, ["right"]);
      for (const client of left.clients) await assertTexts(client, ["left"]);
    });
  });
  assertEquals(hub.topics, []);
});

test("B-1: a broker that fails, or brings garbage, is reported and does no harm", async () => {
  const reports: string[] = [];
  const onError = ({ message }: Error) => void reports.push(message);
  let receive: ((bytes: Uint8Array) => void) | undefined;
  const broker: Broker = {
    publish(topic) {
      if (topic === "sync") throw new Error("publish throws");
      return Promise.reject(new Error("publish rejects"));
    },
    subscribe(_topic, to) {
      receive = to;
      return Promise.reject(new Error("subscribe rejects"));
    },
    unsubscribe() {
      throw new Error("unsubscribe throws");
    },
  };
  await crowd(
    1,
    { site: { broker, onError } },
    async ({ site, clients, connections }) => {
      const [connection] = connections;
      connection!.subscribe("sync");
      connection!.subscribe("async");
      assertEquals(site.publish("sync", "1").sent, 1);
      assertEquals(site.publish("async", "2").sent, 1);
      await until(() => reports.length === 4, "the reports");
      assertEquals(reports.splice(0).sort(), [
        "publish rejects",
        "publish throws",
        "subscribe rejects",
        "subscribe rejects",
      ]);
      const name = new Array<number>(16).fill(7);
      for (
        const bytes of [
          [],
          [1],
          [1, ...name.slice(1)],
          [0, ...name, 1],
          [3, ...name, 1],
          // Text that is not UTF-8.
          [1, ...name, 0xff],
        ]
      ) {
        receive!(Uint8Array.from(bytes));
        assertEquals(reports.splice(0).length, 1, `${bytes}`);
      }
      receive!(Uint8Array.of(1, ...name));
      receive!(Uint8Array.of(1, ...name, 0x78));
      connection!.unsubscribe("async");
      assertEquals(reports.splice(0), ["unsubscribe throws"]);
      // It comes too late, and nobody is there any more.
      receive!(Uint8Array.of(1, ...name, 0x79));
      site.broadcast("end");
      await assertTexts(clients[0]!, ["1", "2", "", "x", "end"]);
      assertEquals(reports.length, 0);
    },
  );
  assertEquals(reports, ["unsubscribe throws"]);
});

test("B-1: what is no broker is refused", () => {
  const broker = new Hub().join();
  for (const bad of [null, 5, {}, { ...broker, publish: 5 }]) {
    assertThrows(() => new Site({ broker: bad as never }), TypeError);
  }
  const { subscribe: _, ...incomplete } = broker;
  assertThrows(() => new Site({ broker: incomplete as never }), TypeError);
  assert(new Site({ broker }) instanceof Site);
});
