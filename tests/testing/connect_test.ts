/** Two connections joined in memory (B-12, TW22). */
import { HandshakeError } from "../../client.ts";
import {
  type Connection,
  Handler,
  refuseAfterOpen,
  Site,
  type UpgradeDecision,
  type UpgradeInfo,
} from "../../server.ts";
import { connect, settle } from "../../testing.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
  test,
} from "../harness.ts";

class Echo extends Handler {
  count = 0;

  override message(data: string | Uint8Array): void {
    this.count++;
    this.connection.send(data);
  }
}

test("B-12: connect() joins a handler and a client, without a socket", async () => {
  await using pair = await connect(Echo);
  const { client, server, handler } = pair;
  client.send("hello");
  client.send(Uint8Array.of(1, 2, 3));
  assertEquals(await client.receive(), "hello");
  assertEquals(await client.receive(), Uint8Array.of(1, 2, 3));
  assert(handler instanceof Echo && handler.constructor === Echo);
  assertEquals([handler.count, handler.connection === server], [2, true]);
  // Both are what a socket has: masked one way, counted, and 1000 at the end.
  assertEquals(
    [server.stats.messagesReceived, client.stats.messagesReceived],
    [2, 2],
  );
  assertEquals(server.stats.bytesReceived, 6 + 5 + 6 + 3);
  const info = await client.close(1000, "done");
  assertEquals([info.code, info.wasClean, info.cause], [1000, true, "local"]);
  assertEquals((await server.closed).reason, "done");
});

test("B-12: connect() to a site goes through its routes and its checks", async () => {
  class Room extends Handler<{ user: string }> {
    static upgrade(
      request: Connection["request"],
      { params, subprotocols, secure, remoteAddress }: UpgradeInfo,
    ): UpgradeDecision<{ user: string }> {
      const user = request.headers.get("x-user");
      if (user === null) return new Response("who?", { status: 401 });
      const address = remoteAddress.transport === "tcp" &&
        remoteAddress.hostname;
      const headers = {
        "X-Seen": `${params.id} ${subprotocols} ${secure} ${address}`,
      };
      return { data: { user }, headers };
    }

    override open(): void {
      const { connection } = this;
      connection.send(`${connection.data.user} in ${connection.params.id}`);
    }
  }
  const site = new Site();
  site.addHandler("/rooms/:id", Room, { subprotocols: ["b", "a"] });
  await using pair = await connect(site, {
    path: "/rooms/7?x=1",
    headers: { "X-User": "ann", "Origin": "https://localhost" },
    subprotocols: ["a", "b"],
    secure: true,
    remoteAddress: "203.0.113.7",
  });
  assertEquals(await pair.client.receive(), "ann in 7");
  assertEquals(pair.client.subprotocol, "b");
  assertEquals(pair.server.request.url, "wss://localhost/rooms/7?x=1");
  assertEquals(site.connections.has(pair.server), true);
  assertEquals(pair.server.remoteAddress, pair.client.localAddress);

  const refused = async (options: Parameters<typeof connect>[1]) => {
    const failed = await assertRejects(
      () => connect(site, options),
      HandshakeError,
    );
    const { status, body } = failed as HandshakeError;
    return [status, new TextDecoder().decode(body)];
  };
  assertEquals(await refused({ path: "/rooms/7" }), [401, "who?"]);
  assertEquals((await refused({ path: "/elsewhere" }))[0], 404);
  const origin = { "X-User": "ann", "Origin": "https://evil.example" };
  assertEquals(
    (await refused({ path: "/rooms/7", headers: origin }))[0],
    403,
  );
});

test("B-12: all who connect to a site are its connections", async () => {
  const site = new Site();
  site.addHandler("/all", async (connection) => {
    for await (const message of connection) site.broadcast(message);
  });
  const pairs = await Promise.all(
    Array.from({ length: 50 }, () => connect(site, { path: "/all" })),
  );
  assertEquals(site.connections.size, 50);
  assertEquals(new Set(pairs.map(({ server }) => server)).size, 50);
  pairs[0]!.client.send("news");
  for (const { client } of pairs) assertEquals(await client.receive(), "news");
  // One who does not read delays nobody.
  pairs[1]!.client.pause();
  pairs[1]!.wire.capacityBytes = 1_000;
  site.broadcast("x".repeat(100_000));
  const [slow, ...others] = [pairs[1]!, pairs[0]!, ...pairs.slice(2)];
  for (const { client } of others) {
    assertEquals((await client.receive()).length, 100_000);
  }
  assert(slow.server.bufferedAmount > 0);
  slow.client.resume();
  assertEquals((await slow.client.receive()).length, 100_000);
  for (const { client } of pairs) void client.receive().catch(() => {});
  await site.shutdown();
  for (const { client } of pairs) {
    assertEquals((await client.closed).code, 1001);
  }
  assertEquals(site.connections.size, 0);
  await using again = await connect(site, { path: "/all" });
  again.client.send("anew");
  assertEquals(await again.client.receive(), "anew");
});

test("B-12: a wire cuts, stalls, flows and breaks", async () => {
  await using pair = await connect(Echo, { chunkBytes: 1 });
  const { client, server, wire } = pair;
  client.send("cut to pieces");
  assertEquals(await client.receive(), "cut to pieces");
  wire.chunkBytes = Infinity;
  wire.stall();
  assertEquals(wire.isStalled, true);
  client.send("late");
  await settle();
  client.terminate();
  await settle();
  assertEquals([server.readyState, client.readyState], [1, 3]);
  wire.flow();
  // TCP delivers what had left, then the end.
  assertEquals((await server.closed).cause, "transport-error");
  assertEquals(server.stats.messagesReceived, 2);

  await using other = await connect(Echo, { capacityBytes: 10 });
  other.wire.reset();
  assertEquals(
    (await other.client.closed).error?.message,
    "Connection reset by peer",
  );
  assertEquals((await other.server.closed).cause, "transport-error");
});

test("B-12: what a handler throws is kept, and complained of unless it is taken", async () => {
  class Failing extends Handler {
    override message(): void {
      throw new Error("no");
    }
  }
  const fail = async (take: boolean): Promise<void> => {
    await using pair = await connect(Failing);
    pair.client.send("x");
    assertEquals((await pair.client.closed).code, 1011);
    if (take) assertEquals(pair.takeErrors().map(String), ["Error: no"]);
  };
  await fail(true);
  await assertRejects(() => fail(false), Error, "The handler threw: no");
});

test("connect() ends what does not end by itself", async () => {
  const never = new Promise<void>(() => {});
  const held = await connect(
    class extends Handler {
      override message(): Promise<void> {
        return never;
      }
    },
  );
  held.client.send("x");
  await settle();
  await held[Symbol.asyncDispose]();
  assertEquals([held.client.readyState, held.server.readyState], [3, 3]);
  const stalled = await connect(Echo);
  stalled.wire.stall();
  await stalled[Symbol.asyncDispose]();
  assertEquals([stalled.client.readyState, stalled.server.readyState], [3, 3]);
});

test("connect() finds a connection that was closed at once", async () => {
  class Refusing extends Handler {
    constructor(connection: Connection) {
      super(connection);
      connection.close(4000);
    }
  }
  await using pair = await connect(Refusing);
  assertEquals((await pair.client.closed).code, 4000);
  assertEquals((await pair.server.closed).sent?.code, 4000);
});

test("connect() refuses what cannot be meant", async () => {
  const refuses = (options: object, includes: string) =>
    assertRejects(() => connect(Echo, options), TypeError, includes);
  await refuses({ path: "echo" }, 'must begin with "/"');
  await refuses({ paht: "/" }, "unknown option: paht");
  await refuses({ chunkBytes: "1" }, "chunkBytes");
  await refuses({ handlerOptions: { orgins: [] } }, "orgins");
  const site = new Site();
  await assertRejects(
    () => connect(site, { handlerOptions: {} }),
    TypeError,
    "a site has handler options of its own",
  );
  await assertRejects(
    () => connect(Echo, { capacityBytes: 0 }),
    RangeError,
    "capacityBytes is less than 1",
  );
  await using pair = await connect(Echo);
  assertThrows(() => pair.wire.chunkBytes = 0, RangeError, "chunkBytes");
});

test("connect() finds both ends of a site that traces, and of one that refuses after the opening", async () => {
  const frames: string[] = [];
  const site = new Site({
    onFrame: ({ direction, opcode }) => frames.push(`${direction} ${opcode}`),
  });
  site.addHandler("/echo", Echo);
  site.addHandler(
    "/no",
    class extends Handler {
      static upgrade(): UpgradeDecision {
        return refuseAfterOpen(4401, "log in first");
      }
    },
  );
  await using pair = await connect(site, { path: "/echo" });
  pair.client.send("traced");
  assertEquals(await pair.client.receive(), "traced");
  assertEquals(pair.server.stats.messagesReceived, 1);
  assertEquals(frames, ["received text", "sent text"]);

  await using refused = await connect(site, { path: "/no" });
  assertEquals((await refused.client.closed).code, 4401);
  assertEquals((await refused.server.closed).sent?.code, 4401);
});

test("connect() takes callbacks, whose first argument is the connection", async () => {
  await using pair = await connect({
    open: (connection) => void connection.send("welcome"),
    message: (connection, data) => void connection.send(data),
  }, { path: "/any/path" });
  pair.client.send("back");
  assertEquals(await pair.client.receive(), "welcome");
  assertEquals(await pair.client.receive(), "back");
});
