/** An object of callbacks in place of a class, on a site and on a dialled connection. */
import { dial } from "../../client.ts";
import {
  type Connection,
  Handler,
  type RouteCallbacks,
  Site,
} from "../../server.ts";
import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import {
  rawConnect,
  rawUpgrade,
  upgradeRequest,
} from "../harness/raw_client.ts";
import { readClose, readText, serve, statusOf, until } from "./served.ts";

test("AB13, TW3: callbacks are told the connection first, in the order of hooks", async () => {
  const log: unknown[] = [];
  const seen = new Set<Connection>();
  const note = (connection: Connection, ...entry: unknown[]): void => {
    seen.add(connection);
    log.push(entry);
  };
  const callbacks: RouteCallbacks = {
    open: (connection) => note(connection, "open"),
    async message(connection, data) {
      note(connection, "message", data);
      await Promise.resolve();
      connection.send(data);
      note(connection, "sent");
    },
    ping: (connection, payload) => note(connection, "ping", payload.length),
    pong: (connection, payload) => note(connection, "pong", payload.length),
    error: (connection, error) => note(connection, "error", error.name),
    close: (connection, info) => note(connection, "close", info.cause),
  };
  const setup = (site: Site): void => site.addHandler("/callbacks", callbacks);
  await serve({ setup }, async ({ port }) => {
    await using client = await rawUpgrade(port, "/callbacks");
    client.sendFrame({ payload: "a" });
    client.sendFrame({ payload: "b" });
    assertEquals([await readText(client), await readText(client)], ["a", "b"]);
    client.sendFrame({ opcode: "ping", payload: "123" });
    client.sendFrame({ opcode: "pong" });
    client.sendFrame({ opcode: 3 });
    await client.readToEnd();
    client.end();
    await until(() => log.length === 9, "the close callback");
  });
  assertEquals(log, [
    ["open"],
    ["message", "a"],
    ["sent"],
    ["message", "b"],
    ["sent"],
    ["ping", 3],
    ["pong", 0],
    ["error", "ProtocolError"],
    ["close", "protocol-error"],
  ]);
  assertEquals(seen.size, 1);
});

test("AB13: what a callback returns does not count, unless it is a promise", async () => {
  const order: string[] = [];
  const setup = (site: Site): void =>
    site.addHandler("/short", {
      // Arrow functions that return what `send` does, and a number.
      open: (connection) => connection.send("welcome"),
      message: (connection, data) => connection.send(data),
      ping: (_, payload) => order.push(`ping of ${payload.length}`),
      pong: () => Promise.resolve().then(() => order.push("pong")),
      close: () => order.push("close"),
    });
  await serve({ setup }, async ({ port }) => {
    await using client = await rawUpgrade(port, "/short");
    client.sendFrame({ payload: "a" });
    assertEquals(await readText(client), "welcome");
    assertEquals(await readText(client), "a");
    client.sendFrame({ opcode: "pong" });
    client.sendFrame({ opcode: "ping", payload: "123" });
    client.end();
    await until(() => order.length === 3, "the close callback");
  });
  assertEquals(order, ["pong", "ping of 3", "close"]);
});

test("AB13: one object serves all connections, with its own state and this", async () => {
  class Counter {
    count = 0;
    message(connection: Connection): void {
      connection.send(`${++this.count}`);
    }
  }
  const setup = (site: Site): void => {
    site.addHandler("/counter", new Counter());
  };
  await serve({ setup }, async ({ port }) => {
    await using one = await rawUpgrade(port, "/counter");
    await using other = await rawUpgrade(port, "/counter");
    for (
      const [client, text] of [[one, "1"], [other, "2"], [one, "3"]] as const
    ) {
      client.sendFrame({ payload: "next" });
      assertEquals(await readText(client), text);
    }
  });
});

test("AB13: a callback that throws closes with 1011, and harms no other", async () => {
  const setup = (site: Site): void => {
    site.addHandler("/failing", {
      message: () => {
        throw new Error("planted");
      },
    });
  };
  await serve({ setup }, async (served) => {
    await using client = await rawUpgrade(served.port, "/failing");
    client.sendFrame({ payload: "x" });
    assertEquals(await readClose(client), 1011);
    assertEquals(served.takeErrors(), ["planted"]);
  });
});

test("AB13: upgrade among callbacks decides, and its data reaches them", async () => {
  const setup = (site: Site): void => {
    site.addHandler<string>("/guarded", {
      upgrade: (request, { params: _ }) =>
        request.headers.get("x-name") === null
          ? new Response("No.", { status: 401 })
          : { data: request.headers.get("x-name")! },
      open: (connection) => void connection.send(connection.data),
    });
  };
  await serve({ setup }, async (served) => {
    const { port } = served;
    await using client = await rawUpgrade(port, "/guarded", {
      "X-Name": "eve",
    });
    assertEquals(await readText(client), "eve");
    await using other = await rawConnect(port);
    other.write(upgradeRequest("/guarded"));
    assertEquals(statusOf(await other.readHead()), 401);
  });
});

test("AB13: without a message callback messages wait to be taken", async () => {
  const received: unknown[] = [];
  const setup = (site: Site): void => {
    site.addHandler("/pull", {
      async open(connection) {
        received.push(await connection.receive());
        connection.send("taken");
      },
    });
  };
  await serve({ setup }, async ({ port }) => {
    await using client = await rawUpgrade(port, "/pull");
    client.sendFrame({ payload: "one" });
    assertEquals(await readText(client), "taken");
    assertEquals(received, ["one"]);
  });
});

test("BL6: dial() takes callbacks", async () => {
  await serve({}, async ({ port }) => {
    const log: unknown[] = [];
    const closed = Promise.withResolvers<void>();
    const connection = await dial<number>(`ws://127.0.0.1:${port}/echo`, {
      handler: {
        open(connection) {
          connection.data = 0;
          connection.send("hello");
        },
        message(connection, data) {
          log.push([data, ++connection.data]);
          if (connection.data === 1) connection.send("again");
          else connection.close();
        },
        close(_connection, info) {
          log.push(info.code);
          closed.resolve();
        },
      },
    });
    await within(closed.promise, "the close callback");
    assertEquals(log, [["hello", 1], ["again", 2], 1000]);
    assertEquals(connection.readyState, 3);
  });
});

test("AP-1: what cannot be meant as callbacks is refused", () => {
  const site = new Site();
  const wrong: unknown[] = [
    {},
    { onMessage: () => {} },
    { message: () => {}, mesage: () => {} },
    { message: "x" },
    { message: () => {}, close: 5 },
    { message: () => {}, upgrade: true },
    { upgrade: () => {} },
    new Handler({} as Connection),
    [],
  ];
  for (const handler of wrong) {
    assertThrows(
      () => site.addHandler("/x", handler as RouteCallbacks),
      TypeError,
    );
  }
  assert(!site.hasHandler("/x"));
});
