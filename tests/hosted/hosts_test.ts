/** The runtimes' own servers where they are otherwise: HTTP/2, Unix sockets, faults. */
import { rmSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { type CloseInfo, Handler, Site, type SiteStats } from "../../server.ts";
import {
  assert,
  assertEquals,
  assertStringIncludes,
  test,
} from "../harness.ts";
import { Child, currentRuntime } from "../harness/child.ts";
import { within } from "../harness/deadline.ts";
import { closeCode, closePayload } from "../harness/frame.ts";
import {
  rawConnect,
  type RawConnectOptions,
  rawUpgrade,
  upgradeRequest,
} from "../harness/raw_client.ts";
import { certificate } from "../runtime/recorder.ts";
import { Echo, readText } from "../site/served.ts";
import { serveOnDeno } from "../ways/hosts.ts";

function testDeno(name: string, body: () => Promise<void>): void {
  if (currentRuntime === "deno") test(name, body);
}

function testBun(name: string, body: () => Promise<void>): void {
  if (currentRuntime === "bun") test(name, body);
}

/** Asks over HTTP/2; returns status, headers and body. */
async function askHttp2(
  origin: string,
  headers: Record<string, string>,
): Promise<{ status: number; upgrade: unknown; body: string }> {
  const session = connectHttp2(origin, { ca: certificate("ca.crt") });
  const failed = new Promise<never>((_, reject) => session.on("error", reject));
  try {
    const stream = session.request(headers);
    const answered = new Promise<Record<string, unknown>>((resolve) =>
      stream.on("response", resolve)
    );
    const head = await within(Promise.race([answered, failed]), "the answer");
    let body = "";
    stream.setEncoding("utf8");
    for await (const chunk of stream) body += chunk;
    return { status: Number(head[":status"]), upgrade: head.upgrade, body };
  } finally {
    session.close();
    await new Promise<void>((resolve) => session.on("close", () => resolve()));
  }
}

testDeno(
  "AB16: over HTTP/2 a path with a handler is 426, the rest the root's",
  async () => {
    for (const root of [undefined, () => new Response("the root's")]) {
      const site = new Site(root && { root });
      site.addHandler("/echo", Echo);
      const server = serveOnDeno(site.fetch, true);
      try {
        const origin = `https://localhost:${server.port}`;
        const handler = await askHttp2(origin, { ":path": "/echo" });
        const other = await askHttp2(origin, { ":path": "/" });
        if (root === undefined) {
          assertEquals([handler.status, other.status], [426, 404]);
          assertStringIncludes(handler.body, "This is a WebSocket endpoint.");
          // RFC 9113, section 8.2.2: no connection-specific header fields.
          assertEquals(handler.upgrade, undefined);
        } else {
          assertEquals([handler.body, other.body], [
            "the root's",
            "the root's",
          ]);
        }
      } finally {
        await site.shutdown();
        await server.stop();
      }
    }
  },
);

interface Globals {
  readonly Deno: {
    serve(options: object, handler: unknown): {
      shutdown(): Promise<void>;
      readonly addr: { readonly port: number };
    };
  };
  readonly Bun: {
    serve(options: object): { readonly port: number; stop(now: true): void };
  };
}
const globals = globalThis as unknown as Globals;

/** Serves a site on a Unix socket. */
async function onSocketFile(
  site: Site,
  path: string,
  body: (target: RawConnectOptions) => Promise<void>,
): Promise<void> {
  const { fetch, websocket } = site;
  const stop = currentRuntime === "deno"
    ? (() => {
      const server = globals.Deno.serve({ path, onListen() {} }, fetch);
      return () => server.shutdown();
    })()
    : (() => {
      const server = globals.Bun.serve({ unix: path, fetch, websocket });
      return () => Promise.resolve(server.stop(true));
    })();
  try {
    await body({ path });
  } finally {
    await site.shutdown();
    await stop();
    rmSync(path, { force: true });
  }
}

if (currentRuntime !== "node") {
  test("a host on a Unix socket: the peer has no address, and all else", async () => {
    const site = new Site();
    site.addHandler("/who", (connection) => {
      connection.send(connection.remoteAddress.transport);
    });
    const path = join(tmpdir(), `sockeye-hosted-${process.pid}.sock`);
    await onSocketFile(site, path, async (target) => {
      await using client = await rawUpgrade(target, "/who");
      assertEquals(await readText(client), "unix");
    });
  });
}

class Logged extends Handler {
  override close(info: CloseInfo): void {
    infos.push(info);
  }
}
let infos: CloseInfo[] = [];

testDeno(
  "a host that is stopped before its site ends connections with 1005",
  async () => {
    infos = [];
    const site = new Site();
    site.addHandler("/logged", Logged);
    const server = globals.Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      site.fetch,
    );
    await using client = await rawUpgrade(server.addr.port, "/logged");
    const [connection] = site.connections;
    await within(server.shutdown(), "the host's end");
    const { cause, code } = await within(connection!.closed, "the end");
    assertEquals([cause, code, infos.length], ["peer", 1005, 1]);
    assert(client.localPort > 0);
    await site.shutdown();
  },
);

if (currentRuntime !== "node") {
  test("clients that go before they are answered are not kept", async () => {
    await using child = Child.running("tests/hosted/gone_child.ts");
    const { open, closing, opened, closed } = await child.json<SiteStats>();
    assertEquals([open, closing], [0, 0]);
    assertEquals(opened, closed);
    assert(opened > 0, "nobody was there at all");
  });
}

testBun(
  "a server without site.websocket cannot upgrade: 500, and reported",
  async () => {
    infos = [];
    const errors: string[] = [];
    const site = new Site({ onError: ({ message }) => errors.push(message) });
    site.addHandler("/logged", Logged);
    const { fetch } = site;
    const server = globals.Bun.serve({ hostname: "127.0.0.1", port: 0, fetch });
    await using client = await rawConnect(server.port);
    client.write(upgradeRequest("/logged"));
    assertStringIncludes(await client.readHead(), "HTTP/1.1 500 ");
    assertEquals(errors.length, 1);
    assertStringIncludes(errors[0]!, "websocket");
    assertEquals([infos.length, site.connections.size], [1, 0]);
    await site.shutdown();
    server.stop(true);
  },
);

test("the limits of handlers say how much Bun is to take", () => {
  const site = new Site();
  site.addHandler("/small", Echo, { maxMessageBytes: 10 });
  assertEquals(site.websocket.maxPayloadLength, 16_777_216);
  site.addHandler("/big", Echo, { maxMessageBytes: 20_000_000 });
  assertEquals(site.websocket.maxPayloadLength, 20_000_000);
  site.addHandler("/rooms/:id", Echo, { maxMessageBytes: Infinity });
  assertEquals(site.websocket.maxPayloadLength, 4_294_967_295);
});

testBun("a handler with a large limit is given large messages", async () => {
  const site = new Site();
  site.addHandler("/echo", Echo, { maxMessageBytes: 20_000_000 });
  const { fetch, websocket } = site;
  const options = { hostname: "127.0.0.1", port: 0, fetch, websocket };
  const server = globals.Bun.serve(options);
  await using client = await rawUpgrade(server.port, "/echo");
  const payload = new Uint8Array(17_000_000);
  client.sendFrame({ opcode: "binary", payload });
  const echo = await client.readFrame();
  assertEquals([echo.opcode, echo.payload.length], [2, 17_000_000]);
  client.sendFrame({ opcode: "close", payload: closePayload(1000) });
  assertEquals(closeCode((await client.readFrame()).payload), 1000);
  await site.shutdown();
  server.stop(true);
});
