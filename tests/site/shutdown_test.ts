/** The end of a server (HS-22, LC-7, LC-8). */
import {
  type CloseInfo,
  Handler,
  type Server,
  Site,
  type SiteOptions,
} from "../../server.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
  test,
} from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { closePayload, frame } from "../harness/frame.ts";
import {
  type RawClient,
  rawConnect,
  rawUpgrade,
  upgradeRequest,
} from "../harness/raw_client.ts";
import { assertRefused, Echo, pause, until } from "./served.ts";

/** A site with an echo that logs how connections end. */
async function start(
  options: SiteOptions = {},
  setup?: (site: Site) => void,
): Promise<{ site: Site; server: Server; port: number; infos: CloseInfo[] }> {
  const site = new Site({
    onError: (error) => {
      throw error;
    },
    ...options,
  });
  const infos: CloseInfo[] = [];
  class Logged extends Echo {
    override close(info: CloseInfo): void {
      infos.push(info);
    }
  }
  site.addHandler("/echo", Logged);
  setup?.(site);
  const server = await site.listen({ port: 0, hostname: "127.0.0.1" });
  assert(server.addr.transport === "tcp");
  return { site, server, port: server.addr.port, infos };
}

/** Reads the Close frame, answers it, and waits for the end. */
async function answerClose(client: RawClient): Promise<Uint8Array> {
  const { opcode, payload } = await client.readFrame();
  assertEquals(opcode, 8);
  client.sendFrame({ opcode: "close", payload });
  await client.readToEnd();
  client.end();
  return payload;
}

async function readAll(client: RawClient): Promise<string> {
  return new TextDecoder("latin1").decode(await client.readToEnd());
}

test("LC-7: everybody gets what was sent, then 1001, and the port is free", async () => {
  const { site, server, port, infos } = await start();
  const clients = await Promise.all(
    Array.from({ length: 20 }, () => rawUpgrade(port)),
  );
  try {
    assertEquals(site.connections.size, 20);
    for (const connection of site.connections) connection.send("last words");
    let finished = false;
    void server.finished.then(() => finished = true);
    const end = server.shutdown();
    assertEquals(site.connections.size === 0 || !finished, true);
    for (const client of clients) {
      assertEquals((await client.readFrame()).payload.length, 10);
    }
    assert(!finished, "finished although nobody has answered");
    const codes = await Promise.all(clients.map(answerClose));
    for (const code of codes) assertEquals(code, closePayload(1001));
    await within(end, "the shutdown");
    await server.finished;
    assertEquals(infos.length, 20);
    for (const { cause, code, wasClean } of infos) {
      assertEquals([cause, code, wasClean], ["shutdown", 1001, true]);
    }
    assertEquals(site.connections.size, 0);
    await assertRejects(() => rawConnect(port));
    const again = await site.listen({ port, hostname: "127.0.0.1" });
    await using client = await rawUpgrade(port);
    client.sendFrame({ payload: "as before" });
    assertEquals((await client.readFrame()).payload.length, 9);
    await client[Symbol.asyncDispose]();
    await again.shutdown();
  } finally {
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  }
});

test("a shutdown says code and reason, is idempotent, and checks both first", async () => {
  const { server, port } = await start();
  await using client = await rawUpgrade(port);
  assertThrows(() => void server.shutdown({ code: 1006 }), RangeError);
  assertThrows(
    () => void server.shutdown({ reason: "x".repeat(124) }),
    RangeError,
  );
  assertThrows(() => void server.shutdown({ timeoutMs: -1 }), RangeError);
  assertThrows(() => void server.shutdown({ tiemout: 1 } as never), TypeError);
  // Nothing has happened.
  client.sendFrame({ payload: "x" });
  await client.readFrame();
  const first = server.shutdown({ code: 1012, reason: "restart" });
  const second = server.shutdown({ code: 4000 });
  assertEquals(await answerClose(client), closePayload(1012, "restart"));
  await Promise.all([first, second, server.finished]);
  await server.shutdown();
  await server[Symbol.asyncDispose]();
});

test("HS-22: handshakes under way are answered 503", async () => {
  const decision = Promise.withResolvers<void>();
  class Slow extends Handler {
    static async upgrade(): Promise<void> {
      await decision.promise;
    }
  }
  const { server, port } = await start({}, (site) => {
    site.addHandler("/slow", Slow);
  });
  await using silent = await rawConnect(port);
  await using partial = await rawConnect(port);
  await using deciding = await rawConnect(port);
  partial.write(upgradeRequest().slice(0, 40));
  deciding.write(upgradeRequest("/slow"));
  // Until the server has seen them all.
  await using last = await rawUpgrade(port);
  await pause(20);
  const end = server.shutdown();
  assertRefused(await readAll(silent), 503);
  assertRefused(await readAll(partial), 503);
  assertEquals(await answerClose(last), closePayload(1001));
  decision.resolve();
  assertRefused(await readAll(deciding), 503);
  for (const client of [silent, partial, deciding]) client.end();
  await within(end, "the shutdown");
});

test("a shutdown does not wait longer than it may", async () => {
  class Stuck extends Handler {
    static async upgrade(request: { url: string }): Promise<void> {
      if (request.url.endsWith("?never")) await new Promise(() => {});
    }
    override async message(): Promise<void> {
      await new Promise(() => {});
    }
  }
  const { server, port, infos } = await start({}, (site) => {
    site.addHandler("/stuck", Stuck);
    site.addHandler("/function", () => new Promise(() => {}));
  });
  await using undecided = await rawConnect(port);
  undecided.write(upgradeRequest("/stuck?never"));
  await using silent = await rawUpgrade(port);
  await using busy = await rawUpgrade(port, "/stuck");
  busy.write(
    frame({ payload: "x", mask: true }),
    frame({ payload: "y", mask: true }),
  );
  await using lost = await rawUpgrade(port, "/function");
  lost.pause();
  await using frozen = await rawUpgrade(port);
  frozen.pause();
  const payload = new Uint8Array(1_000_000);
  for (let i = 0; i < 8; i++) {
    await Promise.race([
      frozen.writeAll(frame({ payload, opcode: 2, mask: true })),
      pause(100),
    ]);
  }
  const begin = performance.now();
  await within(server.shutdown({ timeoutMs: 200 }), "the shutdown");
  assert(performance.now() - begin >= 150, "too early");
  await until(() => infos.length === 2, "the close hooks");
  for (const { cause, code, wasClean } of infos) {
    assertEquals([cause, code, wasClean], ["close-timeout", 1006, false]);
  }
  assertEquals((await silent.readFrame()).payload, closePayload(1001));
  await Promise.all([undecided.readToEnd(), silent.readToEnd()]);
});

test("LC-8: with no time at all everything is dropped at once", async () => {
  const { site, server, port, infos } = await start();
  const clients = await Promise.all(
    Array.from({ length: 10 }, () => rawUpgrade(port)),
  );
  try {
    await within(server.shutdown({ timeoutMs: 0 }), "the shutdown");
    assertEquals(site.connections.size, 0);
    await Promise.all(clients.map((client) => client.readToEnd()));
    await until(() => infos.length === 10, "the close hooks");
  } finally {
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  }
});

test("LC-7: a shutdown while connections come and talk", async () => {
  const { site, server, port } = await start();
  const stop = { now: false };
  let refusedLate = 0;
  const crowd = Array.from({ length: 8 }, async (_, index) => {
    while (!stop.now) {
      let client: RawClient;
      try {
        client = await rawConnect(port);
      } catch {
        refusedLate++;
        return;
      }
      await using _client = client;
      // Half of them in one segment with their first message.
      client.write(
        upgradeRequest(),
        ...(index % 2 === 0 ? [frame({ payload: "hi", mask: true })] : []),
      );
      // 101, 503 or a reset: whatever it is, it comes to an end.
      client.sendFrame({ opcode: "close", payload: closePayload(1000) });
      await client.readToEnd();
    }
  });
  await pause(50);
  await within(server.shutdown({ timeoutMs: 1_000 }), "the shutdown");
  await Promise.all(crowd.map((one) => within(one, "a client")));
  stop.now = true;
  assertEquals(refusedLate, 8);
  assertEquals(site.connections.size, 0);
});
