/** What the WebSocket servers of others get wrong: Sockeye gets it right. */
import { type CloseInfo, Handler, Site } from "../../server.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
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
  readText,
  serve,
  serveInTime,
  until,
} from "./served.ts";

const VERSION = "Sec-WebSocket-Version";
const KEY = "Sec-WebSocket-Key";

/** Asserts that a request is refused. */
async function assertStatus(request: string, status: number): Promise<void> {
  await serve({}, async (served) => {
    assertRefused(await served.exchange(request), status);
  });
}

/** Reads until the Close frame, asserts its code, and that the stream ends. */
async function assertFails(client: RawClient, code: number): Promise<void> {
  let received = await client.readFrame();
  while (received.opcode !== 8) received = await client.readFrame();
  assertEquals(closeCode(received.payload), code);
  assertEquals((await client.readToEnd()).length, 0);
}

/** Sends bytes to an echo, which must fail the connection. */
async function assertBreach(
  code: number,
  ...frames: readonly Uint8Array[]
): Promise<void> {
  await serve({}, async ({ port }) => {
    await using client = await rawUpgrade(port);
    client.write(...frames);
    await assertFails(client, code);
  });
}

test("Deno's server accepts unmasked frames", async () => {
  await assertBreach(1002, frame({ payload: "not masked" }));
});

test("Deno's server accepts POST", async () => {
  await assertStatus(upgradeRequest().replace("GET", "POST"), 405);
});

test("Deno's server accepts a missing or wrong version", async () => {
  await assertStatus(upgradeRequest("/echo", { [VERSION]: undefined }), 426);
  await assertStatus(upgradeRequest("/echo", { [VERSION]: "99" }), 426);
});

test("Deno's server accepts a malformed key", async () => {
  await assertStatus(upgradeRequest("/echo", { [KEY]: "abc" }), 400);
});

test("Deno's server ends TCP without a Close frame on protocol errors", async () => {
  for (
    const [bytes, code] of [
      [frame({ rsv: 2, mask: true }), 1002],
      [frame({ opcode: 5, mask: true }), 1002],
      [frame({ opcode: "continuation", mask: true }), 1002],
      [frame({ payload: Uint8Array.of(0xff), mask: true }), 1007],
      [frame({ opcode: "close", payload: "x", mask: true }), 1002],
      [frame({ length: 1n << 40n, lengthForm: 64, mask: true }), 1009],
    ] as const
  ) await assertBreach(code, bytes);
});

test("Deno's server caps a frame and not a message", async () => {
  const payload = new Uint8Array(100_000);
  const part = (opcode: number): Uint8Array =>
    frame({ payload, opcode, fin: false, mask: true });
  await assertBreach(1009, part(2), ...Array(11).fill(part(0)));
});

test("Deno's server has no ping, no pong and no terminate", async () => {
  const pongs: string[] = [];
  class Pongs extends Handler {
    override pong(payload: Uint8Array): void {
      pongs.push(new TextDecoder().decode(payload));
    }
  }
  const setup = (site: Site): void => site.addHandler("/pongs", Pongs);
  await serve({ setup }, async (served) => {
    const { client, connection } = await served.pair("/pongs");
    const roundTrip = connection.ping(new TextEncoder().encode("hi"));
    const { opcode, payload } = await client.readFrame();
    assertEquals([opcode, new TextDecoder().decode(payload)], [9, "hi"]);
    client.sendFrame({ opcode: "pong", payload });
    assert(await roundTrip >= 0);
    assertEquals(pongs, ["hi"]);
    connection.terminate();
    assertEquals((await client.readToEnd()).length, 0);
    await client[Symbol.asyncDispose]();
  });
});

test("Deno's server reports code 0 for an abnormal end", async () => {
  await serve({}, async (served) => {
    const { client, connection } = await served.pair("/echo");
    const { closed } = connection;
    client.reset();
    const { code, cause, wasClean } = await closed;
    assertEquals([code, cause, wasClean], [1006, "transport-error", false]);
  });
});

test("Deno's server leaves socket.protocol empty", async () => {
  const setup = (site: Site): void =>
    site.addHandler("/chat", (connection) => {
      connection.send(connection.subprotocol);
    }, { subprotocols: ["chat"] });
  await serve({ setup }, async ({ port }) => {
    const headers = { "Sec-WebSocket-Protocol": "soap, chat" };
    await using client = await rawUpgrade(port, "/chat", headers);
    assertEquals(await readText(client), "chat");
  });
});

test("Bun's server accepts HTTP/1.0", async () => {
  await assertStatus(upgradeRequest().replace("HTTP/1.1", "HTTP/1.0"), 505);
});

test("Bun's server accepts a missing Connection header", async () => {
  await assertStatus(upgradeRequest("/echo", { Connection: undefined }), 426);
});

test("Bun's server and Python's websockets accept lengths that are not minimal", async () => {
  const payload = "short";
  for (const lengthForm of [16, 64] as const) {
    await assertBreach(1002, frame({ payload, lengthForm, mask: true }));
  }
});

test("Bun's server has no limit of fragments", async () => {
  const empty = frame({ opcode: "continuation", fin: false, mask: true });
  const start = frame({ fin: false, mask: true });
  await assertBreach(1008, start, ...Array(16_384).fill(empty));
});

test("Bun's server lets asynchronous handlers of one connection overlap", async () => {
  let inside = 0;
  let most = 0;
  class Slow extends Handler {
    override async message(data: string | Uint8Array): Promise<void> {
      most = Math.max(most, ++inside);
      await Promise.resolve();
      if (Number(data) % 10 === 0) await pause(1);
      inside--;
      this.connection.send(data);
    }
  }
  const setup = (site: Site): void => site.addHandler("/slow", Slow);
  await serve({ setup }, async ({ port }) => {
    await using client = await rawUpgrade(port, "/slow");
    const numbers = Array.from({ length: 100 }, (_, i) => `${i}`);
    client.write(...numbers.map((payload) => frame({ payload, mask: true })));
    for (const number of numbers) assertEquals(await readText(client), number);
    assertEquals(most, 1);
  });
});

test("Bun's server does not stop while a socket is open", async () => {
  const site = new Site({ closeTimeoutMs: 200 });
  site.addHandler("/echo", Echo);
  const server = await site.listen({ port: 0, hostname: "127.0.0.1" });
  assert(server.addr.transport === "tcp");
  // It answers no Close frame, and keeps its side open.
  await using client = await rawUpgrade(server.addr.port);
  await within(server.shutdown({ timeoutMs: 60_000 }), "the shutdown");
  assertEquals(closeCode((await client.readFrame()).payload), 1001);
});

test("ws accepts version 8", async () => {
  await assertStatus(upgradeRequest("/echo", { [VERSION]: "8" }), 426);
});

test("ws refuses a request for an extension offer that it could decline", async () => {
  await serve({}, async ({ port }) => {
    for (
      const offer of [
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; client_no_context_takeover=1",
        "permessage-deflate; foo, bar",
      ]
    ) {
      await using client = await rawConnect(port);
      const headers = { "Sec-WebSocket-Extensions": offer };
      const head = await client.upgrade("/echo", headers);
      assert(!head.includes("Sec-WebSocket-Extensions"), head);
      client.sendFrame({ payload: "plain" });
      const { rsv, payload } = await client.readFrame();
      assertEquals([rsv, payload.length], [0, 5]);
    }
  });
});

test("ws leaves its clients when the server closes", async () => {
  const site = new Site();
  site.addHandler("/echo", Echo);
  const server = await site.listen({ port: 0, hostname: "127.0.0.1" });
  assert(server.addr.transport === "tcp");
  const { port } = server.addr;
  const clients = await Promise.all([rawUpgrade(port), rawUpgrade(port)]);
  const end = server.shutdown();
  for (const client of clients) {
    assertEquals((await client.readFrame()).payload, closePayload(1001));
    client.sendFrame({ opcode: "close", payload: closePayload(1001) });
    await client.readToEnd();
    await client[Symbol.asyncDispose]();
  }
  await end;
});

test("Python's websockets accepts a missing Host", async () => {
  await assertStatus(upgradeRequest("/echo", { Host: undefined }), 400);
});

test("Python's websockets finds invalid UTF-8 only when it is asked to receive", async () => {
  const setup = (site: Site): void =>
    // It never asks.
    site.addHandler("/deaf", () => new Promise(() => {}));
  await serve({ setup }, async ({ port }) => {
    await using client = await rawUpgrade(port, "/deaf");
    client.sendFrame({ payload: Uint8Array.of(0xc0), fin: false });
    await assertFails(client, 1007);
  });
});

test("Python's websockets says nothing when a handshake takes too long", async () => {
  await serveInTime({ openTimeoutMs: 150 }, async (served) => {
    assertRefused(await served.exchange("GET /echo HTTP/1.1\r\n"), 408);
  });
});

test("Twisted delivers fragments as several messages (TW7)", async () => {
  await serve({}, async ({ port }) => {
    await using client = await rawUpgrade(port);
    const parts = ["one ", "message", " of", " four"];
    for (const [index, payload] of parts.entries()) {
      const opcode = index === 0 ? "text" : "continuation";
      const fin = index === parts.length - 1;
      await client.writeAll(frame({ payload, opcode, fin, mask: true }));
      await pause(1);
    }
    assertEquals(await readText(client), parts.join(""));
    client.sendFrame({ payload: "next" });
    assertEquals(await readText(client), "next");
  });
});

test("Twisted delivers pieces of one large frame as several messages (TW7)", async () => {
  await serve({}, async ({ port }) => {
    await using client = await rawUpgrade(port);
    const payload = new Uint8Array(700_000).map((_, i) => i * 7);
    const bytes = frame({ opcode: "binary", payload, mask: true });
    for (let at = 0; at < bytes.length; at += 100_000) {
      await client.writeAll(bytes.subarray(at, at + 100_000));
      await pause(1);
    }
    assertEquals((await client.readFrame()).payload, payload);
    client.sendFrame({ payload: "next" });
    assertEquals(await readText(client), "next");
  });
});

test("Twisted loses bytes that share a segment with the request (TW7)", async () => {
  const infos: CloseInfo[] = [];
  class Kept extends Echo {
    override close(info: CloseInfo): void {
      infos.push(info);
    }
  }
  const setup = (site: Site): void => site.addHandler("/kept", Kept);
  await serve({ setup }, async ({ port }) => {
    await using client = await rawConnect(port);
    client.write(
      upgradeRequest("/kept"),
      frame({ payload: "kept", mask: true }),
      frame({ opcode: "close", payload: closePayload(1000), mask: true }),
    );
    await client.readHead();
    assertEquals(await readText(client), "kept");
    await assertFails(client, 1000);
    client.end();
    await until(() => infos.length === 1, "the close hook");
    assertEquals(infos[0]!.code, 1000);
    await assertRejects(() => rawUpgrade(port, "/nowhere"), Error, "404");
  });
});
