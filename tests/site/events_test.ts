/** What a site tells those who watch it (WS16, B-13). */
import { dial } from "../../client.ts";
import {
  type Connection,
  Handler,
  Site,
  type SiteEvent,
} from "../../server.ts";
import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import { closePayload } from "../harness/frame.ts";
import {
  rawConnect,
  rawUpgrade,
  upgradeRequest,
} from "../harness/raw_client.ts";
import { Echo, readText, serve, until } from "./served.ts";

/** Collects what a site tells, but for delays, which are the machine's doing. */
class Collector {
  readonly events: SiteEvent[] = [];
  readonly listener = (event: SiteEvent): void => {
    if (event.type !== "delayed") this.events.push(event);
  };

  /** Waits for the first event of a type that fits. */
  async find<T extends SiteEvent["type"]>(
    type: T,
    fits: (event: SiteEvent & { type: T }) => boolean = () => true,
  ): Promise<SiteEvent & { type: T }> {
    const isIt = (event: SiteEvent): event is SiteEvent & { type: T } =>
      event.type === type && fits(event as SiteEvent & { type: T });
    await until(() => this.events.some(isIt), `an event: ${type}`);
    return this.events.find(isIt)!;
  }
}

test("WS16: accepted, opened and closed tell the story of a connection", async () => {
  const collector = new Collector();
  const log: string[] = [];
  const setup = (site: Site): void => {
    site.watch(({ type }) => type === "delayed" || void log.push(type));
    site.addHandler("/rooms/:id", {
      open: () => void log.push("open"),
      message: (connection, data) => void connection.send(data),
      close: () => void log.push("close"),
    }, { subprotocols: ["chat"] });
  };
  const onEvent = collector.listener;
  await serve({ setup, onEvent }, async ({ port }) => {
    log.length = 0;
    await using client = await rawUpgrade(port, "/rooms/7?token=secret", {
      "Sec-WebSocket-Protocol": "chat",
      Cookie: "session=secret",
      Authorization: "Bearer secret",
    });
    const { localPort } = client;
    client.sendFrame({ payload: "hello" });
    await readText(client);
    const payload = closePayload(3000, "done");
    client.sendFrame({ opcode: "close", payload });
    await client.readToEnd();
    client.end();
    const isOurs = (event: { path: string }) => event.path === "/rooms/7";
    const accepted = await collector.find("accepted", isOurs);
    assertEquals(accepted.route, "/rooms/:id");
    assertEquals(accepted.subprotocol, "chat");
    assertEquals(new URL(accepted.request.url).search, "?token=secret");
    const opened = await collector.find("opened", isOurs);
    const closed = await collector.find("closed", isOurs);
    await until(() => log.includes("close"), "the close callback");
    assertEquals(log.slice(0, 5), [
      "accepted",
      "opened",
      "open",
      "closed",
      "close",
    ]);
    for (const event of [accepted, opened, closed]) {
      const { remoteAddress } = event;
      assert(remoteAddress.transport === "tcp");
      assertEquals(remoteAddress.hostname, "127.0.0.1");
      assertEquals(remoteAddress.port, localPort);
    }
    assertEquals(opened.connection, closed.connection);
    assertEquals(opened.id, opened.connection.id);
    assertEquals([opened.route, closed.route], ["/rooms/:id", "/rooms/:id"]);
    assertEquals(closed.id, opened.id);
    assertEquals([closed.info.code, closed.info.reason], [3000, "done"]);
    assertEquals(closed.stats.messagesReceived, 1);
    assertEquals(closed.stats.messagesSent, 1);
    assert(closed.durationMs !== undefined && closed.durationMs < 10_000);
    // What a logger writes of its own accord holds no secrets.
    for (const event of [accepted, opened, closed]) {
      const { request: _, connection: __, ...plain } = {
        request: undefined,
        connection: undefined,
        ...event,
      };
      assert(!JSON.stringify(plain).includes("secret"));
    }
  });
});

/** What a request is refused for: bytes, reason, status, path. */
const REFUSALS: readonly (readonly [string, string, number, string?])[] = [
  ["GET /x HTTP/1.1\r\nBad Header: x\r\n\r\n", "bad-header-name", 400],
  [upgradeRequest("/nowhere?token=secret"), "not-found", 404, "/nowhere"],
  [
    upgradeRequest("/strict", { Origin: "https://example.com" }),
    "origin-not-allowed",
    403,
    "/strict",
  ],
  [
    upgradeRequest("/strict", { "Sec-WebSocket-Version": "8" }),
    "bad-version",
    426,
    "/strict",
  ],
  [
    upgradeRequest("http://127.0.0.1/private?token=secret"),
    "upgrade",
    401,
    "/private",
  ],
  [upgradeRequest("/broken"), "handler-failed", 500, "/broken"],
  [upgradeRequest("http://eve:secret@x/broken"), "bad-target", 400, "/broken"],
];

test("WS16, B-13: refused tells the reason and the status, and the stats count it", async () => {
  const collector = new Collector();
  const setup = (site: Site): void => {
    site.addHandler("/strict", Echo);
    site.addHandler("/private", {
      upgrade: () => new Response("No.", { status: 401 }),
      message: () => {},
    });
    site.addHandler(
      "/broken",
      class extends Handler {
        constructor(connection: Connection) {
          super(connection);
          throw new Error("planted");
        }
      },
    );
  };
  const onEvent = collector.listener;
  await serve({ setup, onEvent }, async (served) => {
    for (const [bytes, reason, status, path] of REFUSALS) {
      await using client = await rawConnect(served.port);
      const { localPort } = client;
      client.write(bytes);
      await client.readToEnd();
      const refused = await collector.find(
        "refused",
        (event) => event.reason === reason,
      );
      assertEquals([refused.status, refused.path], [status, path]);
      assert(refused.remoteAddress.transport === "tcp");
      assertEquals(refused.remoteAddress.port, localPort);
      assert(!JSON.stringify(refused).includes("secret"));
    }
    assertEquals(served.takeErrors(), ["planted"]);
    const { refused, refusedFor, errors, opened } = served.site.stats;
    assertEquals([refused, errors, opened], [REFUSALS.length, 1, 1]);
    assertEquals(
      refusedFor,
      Object.fromEntries(REFUSALS.map(([, reason]) => [reason, 1])),
    );
  });
});

test("WS16: error tells what was thrown, and by which connection's handler", async () => {
  const collector = new Collector();
  const setup = (site: Site): void => {
    site.addHandler("/failing", {
      message: () => {
        throw new TypeError("planted");
      },
    });
  };
  const onEvent = collector.listener;
  await serve({ setup, onEvent }, async (served) => {
    const { client, connection } = await served.pair("/failing");
    client.sendFrame({ payload: "x" });
    await client.readFrame();
    const { error, id } = await collector.find("error");
    assertEquals([error.name, error.message], ["TypeError", "planted"]);
    assertEquals(id, connection.id);
    assertEquals(served.takeErrors(), ["planted"]);
    await client[Symbol.asyncDispose]();
    const closed = await collector.find("closed");
    assertEquals(closed.info.error, error);
  });
});

test("WS16: listening, shutdown and finished tell the story of a server", async () => {
  const collector = new Collector();
  const site = new Site({ onEvent: collector.listener });
  const server = await site.listen({ port: 0, hostname: "127.0.0.1" });
  const { addr: address } = server;
  await server.shutdown({ code: 1012, reason: "restart", timeoutMs: 500 });
  await server.shutdown();
  assertEquals(collector.events, [
    { type: "listening", address },
    {
      type: "shutdown",
      address,
      code: 1012,
      reason: "restart",
      timeoutMs: 500,
      drain: false,
    },
    { type: "finished", address },
  ]);
});

test("WS16: a listener that throws harms nothing", async () => {
  const collector = new Collector();
  const { error } = console;
  const written: unknown[] = [];
  console.error = (value) => void written.push(value);
  try {
    const onEvent = ({ type }: SiteEvent): void => {
      if (type !== "delayed") throw new Error("of the listener");
    };
    const setup = (site: Site): void => void site.watch(collector.listener);
    await serve({ setup, onEvent }, async ({ port }) => {
      await using client = await rawUpgrade(port, "/echo");
      client.sendFrame({ payload: "still here" });
      assertEquals(await readText(client), "still here");
    });
  } finally {
    console.error = error;
  }
  // Each event was told to the other listener nonetheless.
  assertEquals(collector.events.at(-1)?.type, "finished");
  assertEquals(written.length, collector.events.length);
  assert(String(written[0]).includes("of the listener"));
});

test("watch() tells from now on until it is stopped; it takes functions only", async () => {
  await serve({}, async ({ port, site }) => {
    const collector = new Collector();
    await using early = await rawUpgrade(port, "/echo");
    const stop = site.watch(collector.listener);
    const stopOther = site.watch(collector.listener);
    stopOther();
    stopOther();
    await early[Symbol.asyncDispose]();
    // Nobody watched when it was opened.
    const closed = await collector.find("closed");
    assertEquals([closed.durationMs, closed.route], [undefined, "/echo"]);
    await using client = await dial(`ws://127.0.0.1:${port}/echo`);
    await collector.find("opened");
    stop();
    await client.close();
    await until(() => site.connections.size === 1, "the end");
    assertEquals(collector.events.map(({ type }) => type), [
      "closed",
      "accepted",
      "opened",
    ]);
    for (const wrong of [undefined, null, {}, "x"]) {
      assertThrows(() => site.watch(wrong as unknown as () => void), TypeError);
    }
  });
});

test("with onEvent errors are events, and are not written to the console", async () => {
  const collector = new Collector();
  const { error } = console;
  const written: unknown[] = [];
  console.error = (value) => void written.push(value);
  try {
    for (const options of [{ onEvent: collector.listener }, {}]) {
      const site = new Site(options);
      site.addHandler("/failing", () => {
        throw new Error("planted");
      });
      await using server = await site.listen({
        port: 0,
        hostname: "127.0.0.1",
      });
      assert(server.addr.transport === "tcp");
      await using client = await rawUpgrade(server.addr.port, "/failing");
      await client.readFrame();
    }
  } finally {
    console.error = error;
  }
  assertEquals((await collector.find("error")).error.message, "planted");
  assertEquals(written.map(String), ["Error: planted"]);
});
