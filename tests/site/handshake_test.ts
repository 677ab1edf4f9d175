/** The opening handshake of a site, over real sockets (HS). */
import { Handler, type HandlerOptions, type Site } from "../../server.ts";
import { assert, assertEquals, assertMatch, test } from "../harness.ts";
import { assertEchoes } from "../harness/canary.ts";
import { closeCode, closePayload, frame } from "../harness/frame.ts";
import {
  type RawClient,
  rawConnect,
  rawUpgrade,
  upgradeRequest,
} from "../harness/raw_client.ts";
import {
  assertRefused,
  Echo,
  pause,
  serve,
  type Served,
  serveInTime,
  until,
} from "./served.ts";

const EXTENSIONS = "Sec-WebSocket-Extensions";
const PROTOCOL = "Sec-WebSocket-Protocol";

/** Opens, asserts that the connection works, and returns the 101. */
async function accepted(
  { port }: Served,
  path: string,
  headers: Record<string, string>,
): Promise<string> {
  await using client = await rawConnect(port);
  const head = await client.upgrade(path, headers);
  await assertEchoes(client);
  return head;
}

test("HS-1: a client that says nothing is answered 408 and dropped", async () => {
  await serveInTime({ openTimeoutMs: 100 }, async (served) => {
    const start = performance.now();
    assertRefused(await served.exchange(""), 408);
    assert(performance.now() - start >= 90, "too early");
  });
});

test("HS-2: bytes that dribble in gain no time", async () => {
  await serveInTime({ openTimeoutMs: 400 }, async (served) => {
    const clients: RawClient[] = [];
    try {
      for (let i = 0; i < 200; i++) clients.push(await rawConnect(served.port));
      const dribble = setInterval(() => {
        for (const client of clients) if (!client.ended) client.write("G");
      }, 50);
      try {
        // A good client meanwhile.
        await accepted(served, "/echo", {});
        const answers = await Promise.all(clients.map((c) => c.readHead()));
        for (const head of answers) assertMatch(head, /^HTTP\/1\.1 408 /);
      } finally {
        clearInterval(dribble);
      }
      // They do not go by themselves, and are dropped.
      for (const client of clients) client.end();
      await Promise.all(clients.map((client) => client.closed));
    } finally {
      await Promise.all(clients.map((c) => c[Symbol.asyncDispose]()));
    }
  });
});

test("a refused client that does not go is dropped", async () => {
  await serveInTime({ openTimeoutMs: 200 }, async ({ port }) => {
    await using client = await rawConnect(port);
    client.write("nonsense\r\n\r\n");
    assertRefused(new TextDecoder().decode(await client.readToEnd()), 400);
    // It keeps its side open, and goes on talking: that ends in a reset.
    const chatter = setInterval(() => client.write("and more nonsense"), 50);
    try {
      await client.closed;
    } finally {
      clearInterval(chatter);
    }
  });
});

test("HS-8, HS-9: Upgrade and Connection are lists of tokens", async () => {
  await serve({}, async (served) => {
    const good = [
      { Connection: "keep-alive, Upgrade" },
      { Connection: "keep-alive\r\nConnection: upgrade" },
      { Connection: "\t UPGRADE , x" },
      { Upgrade: "WebSocket" },
      { Upgrade: "h2c, websocket" },
    ];
    for (const headers of good) await accepted(served, "/echo", headers);
    const bad = [
      { Connection: "Upgrade-Insecure" },
      { Connection: "close" },
      { Upgrade: "websocketx" },
    ];
    for (const headers of bad) {
      const response = await served.exchange(upgradeRequest("/echo", headers));
      assertRefused(response, 426);
    }
  });
});

test("HS-12: an absolute target with the same host is accepted", async () => {
  await serve({}, async (served) => {
    await accepted(served, "http://127.0.0.1/echo?a=b", {});
    await accepted(served, "ws://127.0.0.1:80/echo", {});
  });
});

test("HS-16: extensions by the names of object members are ignored", async () => {
  await serve({}, async (served) => {
    const names = ["constructor", "__proto__", "hasOwnProperty", "toString"];
    const offer = names.map((name) => `${name}; ${name}=1`).join(", ");
    const head = await accepted(served, "/echo", { [EXTENSIONS]: offer });
    assert(!head.toLowerCase().includes("sec-websocket-extensions"), head);
    const headers = { [PROTOCOL]: names.join(", ") };
    assert(!(await accepted(served, "/echo", headers)).includes(PROTOCOL));
  });
});

test("HS-17: extensions that nobody has are declined, not refused", async () => {
  await serve({}, async (served) => {
    const offers = [
      "permessage-foo; x=1",
      'x; a="quoted"; a; a=2',
      "permessage-deflate; server_max_window_bits=99",
      "permessage-deflate; client_max_window_bits, x, permessage-deflate",
    ];
    for (const offer of offers) {
      const head = await accepted(served, "/echo", { [EXTENSIONS]: offer });
      assert(!head.includes(EXTENSIONS), head);
    }
  });
});

test("subprotocols: the first of ours that the client offers", async () => {
  const subprotocols = ["v2.chat", "v1.chat"];
  const setup = (site: Site): void => {
    site.addHandler("/chat", Echo, { subprotocols } as HandlerOptions);
    site.addHandler("/said", (connection) => {
      connection.send(connection.subprotocol);
    }, { subprotocols });
  };
  await serve({ setup }, async (served) => {
    const offered = { [PROTOCOL]: "v1.chat, v2.chat" };
    const head = await accepted(served, "/chat", offered);
    assertMatch(head, /^Sec-WebSocket-Protocol: v2\.chat\r$/m);
    for (const headers of [{}, { [PROTOCOL]: "v9.chat" }]) {
      const head = await accepted(served, "/chat", headers as typeof offered);
      assert(!head.includes(PROTOCOL), head);
    }
    await using client = await rawUpgrade(served.port, "/said", offered);
    const { payload } = await client.readFrame();
    assertEquals(new TextDecoder().decode(payload), "v2.chat");
  });
});

test("HS-20: a head and frames split anywhere arrive in order", async () => {
  await serve({}, async ({ port }) => {
    const request = new TextEncoder().encode(upgradeRequest());
    const texts = ["one", "two", "three"];
    const frames = texts.map((payload) => frame({ payload, mask: true }));
    const all = [...request, ...frames.flatMap((bytes) => [...bytes])];
    const cuts = [1, 20, request.length - 1, request.length];
    for (let at = request.length + 1; at < all.length; at += 3) cuts.push(at);
    for (const cut of cuts) {
      await using client = await rawConnect(port);
      await client.writeAll(Uint8Array.from(all.slice(0, cut)));
      client.write(Uint8Array.from(all.slice(cut)));
      assertMatch(await client.readHead(), /^HTTP\/1\.1 101 /);
      for (const text of texts) {
        const { payload } = await client.readFrame();
        assertEquals(new TextDecoder().decode(payload), text);
      }
    }
  });
});

test("HS-20: what waits while a handler decides is bounded, and comes after open", async () => {
  const log: string[] = [];
  const decision = Promise.withResolvers<void>();
  class Slow extends Handler {
    static async upgrade(): Promise<void> {
      await decision.promise;
    }
    override open(): void {
      log.push("open");
    }
    override message(data: string | Uint8Array): void {
      log.push(`${data.length}`);
    }
  }
  const setup = (site: Site): void => site.addHandler("/slow", Slow);
  await serve({ setup }, async ({ port }) => {
    await using client = await rawConnect(port);
    const payload = new Uint8Array(60_000);
    const one = frame({ payload, opcode: "binary", mask: true });
    client.write(upgradeRequest("/slow"), one);
    // Far more than 64 KiB and what the kernel holds: it must not be taken.
    let written = 0;
    const writing = (async () => {
      for (let i = 0; i < 400; i++) {
        await client.writeAll(one);
        written++;
      }
    })();
    await pause(150);
    assert(written < 300, `the site took ${written} messages undecided`);
    assertEquals(log, []);
    decision.resolve();
    assertMatch(await client.readHead(), /^HTTP\/1\.1 101 /);
    await writing;
    client.sendFrame({ opcode: "close", payload: closePayload(1000) });
    assertEquals(closeCode((await client.readFrame()).payload), 1000);
    assertEquals(log, ["open", ...Array(401).fill("60000")]);
  });
});

test("HS-21: a client that goes while a handler decides is let go", async () => {
  let opened = 0;
  let asked = 0;
  const decision = Promise.withResolvers<void>();
  class Slow extends Handler {
    static async upgrade(): Promise<void> {
      asked++;
      await decision.promise;
    }
    override open(): void {
      opened++;
    }
  }
  const setup = (site: Site): void => site.addHandler("/slow", Slow);
  await serve({ setup }, async ({ port }) => {
    await using finished = await rawConnect(port);
    await using broken = await rawConnect(port);
    finished.write(upgradeRequest("/slow"));
    broken.write(upgradeRequest("/slow"));
    await until(() => asked === 2, "the handler to be asked");
    finished.end();
    broken.reset();
    assertEquals((await finished.readToEnd()).length, 0);
    await Promise.all([finished.closed, broken.closed]);
    decision.resolve();
    await pause(20);
    assertEquals(opened, 0);
  });
});
