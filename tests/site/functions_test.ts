/** Handlers that are functions, and taking messages by asking. */
import {
  ClosedError,
  type Connection,
  Handler,
  type HandlerFunction,
  type Site,
} from "../../server.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { closePayload, frame } from "../harness/frame.ts";
import {
  type RawClient,
  rawConnect,
  rawUpgrade,
  upgradeRequest,
} from "../harness/raw_client.ts";
import { readClose, readText, serve, until } from "./served.ts";

function on(path: string, handler: HandlerFunction): (site: Site) => void {
  return (site) => site.addHandler(path, handler);
}

function text(payload: string): Uint8Array {
  return frame({ payload, mask: true });
}

function close(code?: number): Uint8Array {
  const payload = code === undefined ? "" : closePayload(code);
  return frame({ opcode: "close", payload, mask: true });
}

test("a function: its return closes with 1000, its throw with 1011", async () => {
  const setup = (site: Site): void => {
    site.addHandler("/hello", async (connection) => {
      connection.send(`Hello ${await connection.receive()}!`);
    });
    site.addHandler("/sync", (connection) => void connection.send("hi"));
    site.addHandler("/throws", () => {
      throw new Error("sync");
    });
    site.addHandler("/rejects", async (connection) => {
      await connection.receive();
      throw new Error("async");
    });
    site.addHandler("/closes", (connection) => {
      connection.close(4000);
    });
  };
  await serve({ setup }, async (served) => {
    const say = async (path: string): Promise<RawClient> => {
      const client = await rawConnect(served.port);
      client.write(upgradeRequest(path), text("Ann"));
      await client.readHead();
      return client;
    };
    await using hello = await say("/hello");
    assertEquals(await readText(hello), "Hello Ann!");
    assertEquals(await readClose(hello), 1000);
    await using sync = await say("/sync");
    assertEquals(await readText(sync), "hi");
    assertEquals(await readClose(sync), 1000);
    await using closes = await say("/closes");
    assertEquals(await readClose(closes), 4000);
    assertEquals(served.takeErrors(), []);
    await using throws = await say("/throws");
    assertEquals(await readClose(throws), 1011);
    await using rejects = await say("/rejects");
    assertEquals(await readClose(rejects), 1011);
    assertEquals(served.takeErrors(), ["sync", "async"]);
  });
});

test("for await ends after 1000, 1001 and no code, and throws after any other", async () => {
  const ends: unknown[] = [];
  const setup = on("/for", async (connection) => {
    const messages: unknown[] = [];
    try {
      for await (const message of connection) messages.push(message);
      ends.push([...messages, "end"]);
    } catch (error) {
      assert(error instanceof ClosedError);
      ends.push([...messages, error.info.code, error.info.cause]);
    }
  });
  await serve({ setup }, async ({ port }) => {
    const cases: [Uint8Array, number, unknown[]][] = [
      [close(1000), 1000, ["a", "b", "end"]],
      [close(1001), 1001, ["a", "b", "end"]],
      [close(), 1005, ["a", "b", "end"]],
      [close(4000), 4000, ["a", "b", 4000, "peer"]],
      [frame({ opcode: 3, mask: true }), 1002, [
        "a",
        "b",
        1006,
        "protocol-error",
      ]],
    ];
    for (const [last, code, expected] of cases) {
      await using client = await rawConnect(port);
      // All in one segment: what came before the end is still delivered.
      client.write(upgradeRequest("/for"), text("a"), text("b"), last);
      await client.readHead();
      assertEquals(await readClose(client), code);
      client.end();
      await client.closed;
      await until(() => ends.length > 0, "the end of the loop");
      assertEquals(ends.shift(), expected);
    }
    await using client = await rawUpgrade(port, "/for");
    client.sendFrame({ payload: "a" });
    client.end();
    await client.closed;
    await until(() => ends.length > 0, "the end of the loop");
    assertEquals(ends.shift(), ["a", 1006, "transport-error"]);
  });
});

test("messages that arrived before the end can be taken after it", async () => {
  let held: Connection | undefined;
  const setup = on("/held", async (connection) => {
    held = connection;
    await connection.closed;
    assertEquals(await connection.receive(), "a");
    assertEquals(await connection.receive(), "b");
    const rest: unknown[] = [];
    for await (const message of connection) rest.push(message);
    assertEquals(rest, ["c"]);
    await assertRejects(() => connection.receive(), ClosedError, "code 1000");
  });
  await serve({ setup }, async ({ port }) => {
    await using client = await rawUpgrade(port, "/held");
    client.write(text("a"), text("b"), text("c"), close(1000));
    assertEquals(await readClose(client), 1000);
    client.end();
    await client.closed;
    await until(() => held?.readyState === 3, "the end");
  });
});

test("calls of receive are served in order, and a waiting one hears of the end", async () => {
  const done = Promise.withResolvers<unknown[]>();
  const setup = on("/order", async (connection) => {
    const results = await Promise.allSettled(
      [1, 2, 3].map(() => connection.receive()),
    );
    done.resolve(
      results.map((result) =>
        result.status === "fulfilled" ? result.value : result.reason.name
      ),
    );
  });
  await serve({ setup }, async ({ port }) => {
    await using client = await rawUpgrade(port, "/order");
    client.write(text("a"), text("b"), close(1000));
    assertEquals(await readClose(client), 1000);
    assertEquals(await done.promise, ["a", "b", "ClosedError"]);
  });
});

test("leaving a loop leaves the connection open", async () => {
  const setup = on("/leave", async (connection) => {
    for await (const message of connection) {
      connection.send(`first ${message}`);
      break;
    }
    for await (const message of connection) connection.send(`then ${message}`);
  });
  await serve({ setup }, async ({ port }) => {
    await using client = await rawUpgrade(port, "/leave");
    client.write(text("a"), text("b"));
    assertEquals(await readText(client), "first a");
    assertEquals(await readText(client), "then b");
    client.write(text("c"));
    assertEquals(await readText(client), "then c");
  });
});

test("a class without a message hook may take messages by asking", async () => {
  const log: string[] = [];
  class Asking extends Handler {
    override async open(): Promise<void> {
      for await (const message of this.connection) {
        this.connection.send(`got ${message}`);
      }
      log.push("open is over");
    }
    override close(): void {
      log.push("close");
    }
  }
  const setup = (site: Site): void => site.addHandler("/ask", Asking);
  await serve({ setup }, async ({ port }) => {
    await using client = await rawUpgrade(port, "/ask");
    client.write(text("a"), frame({ opcode: "ping", mask: true }), text("b"));
    assertEquals((await client.readFrame(2_000)).opcode, 10);
    assertEquals(await readText(client), "got a");
    assertEquals(await readText(client), "got b");
    client.write(close(1000));
    assertEquals(await readClose(client), 1000);
    client.end();
    await until(() => log.length === 2, "the close hook");
    assertEquals(log, ["open is over", "close"]);
  });
});

test("receive is refused where the message hook takes the messages", async () => {
  const refused = Promise.withResolvers<void>();
  class Hooked extends Handler {
    override async open(): Promise<void> {
      await assertRejects(() => this.connection.receive(), TypeError, "hook");
      const next = this.connection[Symbol.asyncIterator]().next();
      await assertRejects(() => next, TypeError, "hook");
      refused.resolve();
    }
    override message(): void {}
  }
  const setup = (site: Site): void => site.addHandler("/hook", Hooked);
  await serve({ setup }, async ({ port }) => {
    await using _client = await rawUpgrade(port, "/hook");
    await within(refused.promise, "both refusals");
  });
});

test("HD-2: a function that never ends holds nothing up", async () => {
  const setup = on("/never", () => new Promise(() => {}));
  await serve({ setup }, async ({ port, site, server }) => {
    await using client = await rawUpgrade(port, "/never");
    client.write(text("a"), close(1000));
    assertEquals(await readClose(client), 1000);
    client.end();
    await client.closed;
    await until(() => site.connections.size === 1, "the end");
    assertEquals(server.addr.transport, "tcp");
    // A second one is open when `serve` shuts the site down.
    await using open = await rawUpgrade(port, "/never");
    assertEquals(site.connections.size, 2);
    open.sendFrame({ opcode: "ping" });
    assertEquals((await open.readFrame()).opcode, 10);
  });
});
