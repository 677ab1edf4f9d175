/** Topics: who is subscribed gets what is published (B-1, WS18, LC-4, BL1). */
import { dial } from "../../client.ts";
import { type Connection, Handler, type Site } from "../../server.ts";
import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import { closePayload } from "../harness/frame.ts";
import { rawConnect, upgradeRequest } from "../harness/raw_client.ts";
import { assertTexts, crowd } from "./crowd.ts";
import { serve, until } from "./served.ts";

test("B-1: what is published reaches those who are subscribed, framed once", async () => {
  await crowd(4, {}, async ({ site, clients, connections }) => {
    const [a, b, c, d] = connections;
    assertEquals(a!.subscribe("news"), true);
    assertEquals(a!.subscribe("news"), false);
    b!.subscribe("news");
    b!.subscribe("sport");
    c!.subscribe("sport");
    assertEquals(site.publish("news", "n1"), { sent: 2, skipped: 0 });
    assertEquals(site.publish("sport", Uint8Array.of(0x73)), {
      sent: 2,
      skipped: 0,
    });
    assertEquals(site.publish("weather", "w"), { sent: 0, skipped: 0 });
    assertEquals(site.publish("news", "n2", { except: a! }), {
      sent: 1,
      skipped: 0,
    });
    // The sender need not be subscribed, and never gets its own.
    assertEquals(b!.publish("news", "n3"), { sent: 1, skipped: 0 });
    assertEquals(d!.publish("sport", "s2"), { sent: 2, skipped: 0 });
    assertEquals(b!.topics, new Set(["news", "sport"]));
    assertEquals([...site.topics.keys()], ["news", "sport"]);
    assertEquals([...site.topics.get("sport")!], [b, c]);
    assertEquals(b!.unsubscribe("news"), true);
    assertEquals(b!.unsubscribe("news"), false);
    assertEquals(site.publish("news", "n4"), { sent: 1, skipped: 0 });
    site.broadcast("end");
    await assertTexts(clients[0]!, ["n1", "n3", "n4", "end"]);
    await assertTexts(clients[1]!, ["n1", "s", "n2", "s2", "end"]);
    await assertTexts(clients[2]!, ["s", "s2", "end"]);
    await assertTexts(clients[3]!, ["end"]);
    for (const connection of connections) {
      for (const topic of connection.topics) connection.unsubscribe(topic);
      assertEquals(connection.topics.size, 0);
    }
    assertEquals(site.topics.size, 0);
  });
});

test("LC-4: who closes has left its topics before its close hook", async () => {
  const log: unknown[] = [];
  class Member extends Handler {
    constructor(connection: Connection) {
      super(connection);
      // What is published at once comes after the answer to the handshake.
      connection.subscribe("all");
      connection.site.publish("all", "welcome");
    }
    override message(): void {
      void this.connection.close();
      log.push(["closing", this.connection.topics.size]);
      assertEquals(this.connection.subscribe("late"), false);
    }
    override close(): void {
      const { site, topics } = this.connection;
      log.push(["close", topics.size, site.topics.size]);
      assertEquals(this.connection.subscribe("late"), false);
      assertEquals(this.connection.publish("all", "x").sent, 0);
    }
  }
  const setup = (site: Site): void => site.addHandler("/member", Member);
  await crowd(0, { setup }, async ({ site, join }) => {
    // By closing, by being closed, by a reset and by terminate.
    const one = await join("/member");
    await assertTexts(one.client, ["welcome"]);
    one.client.sendFrame({ payload: "close yourself" });
    await until(() => log.length === 1, "the message");
    one.client.sendFrame({ opcode: "close", payload: closePayload(1000) });
    one.client.end();
    await until(() => log.length === 2, "the close hook");
    assertEquals(log.splice(0), [["closing", 0], ["close", 0, 0]]);
    for (const how of ["close", "reset", "terminate"]) {
      const { client, connection } = await join("/member");
      assertEquals(site.topics.get("all")?.size, 1);
      if (how === "close") {
        client.sendFrame({ opcode: "close", payload: closePayload(1000) });
        client.end();
      } else if (how === "reset") {
        client.reset();
      } else {
        connection.terminate();
        assertEquals(site.topics.size, 0);
      }
      await until(() => log.length === 1, `the close hook after ${how}`);
      assertEquals(log.splice(0), [["close", 0, 0]], how);
    }
  });
});

test("LC-4: a handler that fails before it is open leaves no subscription", async () => {
  let kept: Connection | undefined;
  class Broken extends Handler {
    constructor(connection: Connection) {
      super(connection);
      kept = connection;
      connection.subscribe("all");
      throw new Error("broken");
    }
  }
  const setup = (site: Site): void => site.addHandler("/broken", Broken);
  await serve({ setup }, async (served) => {
    await using client = await rawConnect(served.port);
    client.write(upgradeRequest("/broken"));
    await client.readToEnd();
    assertEquals(served.takeErrors(), ["broken"]);
    assertEquals(served.site.topics.size, 0);
    assertEquals(kept!.subscribe("all"), false);
    assertEquals(served.site.topics.size, 0);
  });
});

test("LC-4: sockets that go without a word leave the maps empty", async () => {
  await crowd(20, {}, async ({ site, clients, connections, infos }) => {
    for (let n = 0; n < 20_000; n++) {
      const connection = connections[n % 20]!;
      connection.subscribe(`topic ${n % 977}`);
      if (n % 3 === 0) connection.unsubscribe(`topic ${(n * 7) % 977}`);
    }
    assert(site.topics.size > 900, `${site.topics.size}`);
    for (const [at, client] of clients.entries()) {
      if (at % 2 === 0) client.reset();
      else await client[Symbol.asyncDispose]();
    }
    await until(() => infos.length === 20, "the close hooks");
    assertEquals(site.topics.size, 0);
  });
});

test("BL4: publishing from filters, hooks and to those who leave meanwhile", async () => {
  class Relay extends Handler {
    override open(): void {
      this.connection.subscribe("all");
    }
    override message(data: string | Uint8Array): void {
      // Leaves and comes back while everybody is sent something.
      const { connection } = this;
      connection.unsubscribe("all");
      assertEquals(connection.publish("all", data).skipped, 0);
      connection.subscribe("all");
    }
    override close(): void {
      this.connection.publish("all", "bye");
    }
  }
  const setup = (site: Site): void => site.addHandler("/relay", Relay);
  await crowd(0, { setup }, async ({ site, join }) => {
    const members = [];
    for (let n = 0; n < 5; n++) members.push(await join("/relay"));
    const [first, second, ...others] = members;
    first!.client.sendFrame({ payload: "hello" });
    for (const { client } of [second!, ...others]) {
      await assertTexts(client, ["hello"]);
    }
    second!.client.reset();
    for (const { client } of [first!, ...others]) {
      await assertTexts(client, ["bye"]);
    }
    assertEquals(site.publish("all", "x"), { sent: 4, skipped: 0 });
  });
});

test("B-1: topics and what is published are checked", async () => {
  await crowd(1, {}, async ({ site, clients, connections: [connection] }) => {
    for (const topic of ["", 5, null, undefined, {}, ["a"]]) {
      const bad = topic as string;
      assertThrows(() => connection!.subscribe(bad), TypeError);
      assertThrows(() => connection!.unsubscribe(bad), TypeError);
      assertThrows(() => connection!.publish(bad, "x"), TypeError);
      assertThrows(() => site.publish(bad, "x"), TypeError);
    }
    // Also where nobody would get it.
    assertThrows(() => site.publish("a", 5 as never), TypeError);
    assertThrows(
      () => site.publish("a", "x", { filter: 5 } as never),
      TypeError,
    );
    assertThrows(
      () => site.publish("a", "x", { except: 5 } as never),
      TypeError,
    );
    connection!.subscribe("__proto__");
    assertEquals(site.publish("constructor", "x").sent, 0);
    assertEquals(site.publish("__proto__", "p").sent, 1);
    await assertTexts(clients[0]!, ["p"]);
  });
});

test("BL1: a connection knows its site, one that was dialled has none", async () => {
  const sites: unknown[] = [];
  class Knowing extends Handler {
    override open(): void {
      sites.push(this.connection.site);
    }
  }
  const setup = (site: Site): void => site.addHandler("/knowing", Knowing);
  await serve({ setup }, async ({ site, port }) => {
    await using connection = await dial(`ws://127.0.0.1:${port}/knowing`);
    await until(() => sites.length === 1, "the open hook");
    assert(sites[0] === site);
    for (
      const call of [
        () => connection.site,
        () => connection.topics,
        () => connection.subscribe("a"),
        () => connection.unsubscribe("a"),
        () => connection.publish("a", "x"),
      ]
    ) {
      const { message } = assertThrows(call, TypeError);
      assert(message.endsWith("the connection was dialled"), message);
    }
    assertEquals(connection.stats.messagesDropped, 0);
  });
});
