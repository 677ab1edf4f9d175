/** CI-16: servers whose certificate is wrong in one way, by an authority of the test. */
import type { AddressInfo } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { type ConnectTls, dial, HandshakeError } from "../../client.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { Authority, type Certified } from "../harness/authority.ts";
import { upgradeResponse } from "../harness/raw_server.ts";

const DAY_MS = 86_400_000;
const authority = new Authority();
const ca = authority.cert;

/** A TLS server that accepts WebSockets, and notes what it was told before. */
class TlsServer implements AsyncDisposable {
  /** Names by SNI, one for each connection; `undefined` where none was sent. */
  readonly names: (string | undefined)[] = [];
  /** How many bytes were received within TLS. */
  receivedBytes = 0;
  readonly #server: Server;
  readonly #sockets = new Set<TLSSocket>();

  private constructor(certified: Certified) {
    this.#server = createServer(certified, (socket) => {
      // `false` where the client has sent none.
      const { servername } = socket as { servername?: string | false };
      this.names.push(servername || undefined);
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("data", (chunk: Uint8Array) => {
        this.receivedBytes += chunk.length;
        const head = new TextDecoder("latin1").decode(chunk);
        if (head.startsWith("GET ")) socket.write(upgradeResponse(head));
      });
    });
    this.#server.on("tlsClientError", () => {});
  }

  static async listen(certified: Certified): Promise<TlsServer> {
    const server = new TlsServer(certified);
    await new Promise<void>((resolve) => {
      server.#server.listen(0, "127.0.0.1", () => resolve());
    });
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** Dials a server by a name, and is let in. */
async function assertTrusted(
  server: TlsServer,
  hostname: string,
  tls: ConnectTls = { ca },
): Promise<void> {
  const { port } = server;
  const connection = await dial(`wss://${hostname}:${port}/`, {
    connectTo: { hostname: "127.0.0.1" },
    tls,
  });
  connection.terminate();
  await connection.closed;
}

/** Dials a server by a name, and does not trust it. */
async function assertRefused(
  server: TlsServer,
  hostname: string,
  tls: ConnectTls = { ca },
): Promise<void> {
  const { port } = server;
  const error = await assertRejects(
    () =>
      dial(`wss://${hostname}:${port}/`, {
        connectTo: { hostname: "127.0.0.1" },
        headers: { Authorization: "secret" },
        tls,
      }),
    HandshakeError,
  );
  assertEquals([hostname, error.reason], [hostname, "tls-failed"]);
  assert(error.cause instanceof Error);
  assertEquals(server.receivedBytes, 0, "a server not trusted was sent bytes");
}

test("CI-16: a certificate that is right in all is trusted", async () => {
  const names = ["example.test", "*.wild.test", "127.0.0.1"];
  await using server = await TlsServer.listen(authority.issue({ names }));
  for (const name of ["example.test", "EXAMPLE.test", "a.wild.test"]) {
    await assertTrusted(server, name);
  }
  await assertTrusted(server, "127.0.0.1");
});

test("CI-16: a certificate that has expired, or does not hold yet, is refused", async () => {
  const names = ["example.test"];
  const now = Date.now();
  const times = [
    { until: new Date(now - DAY_MS / 2) },
    { from: new Date(now + DAY_MS / 2) },
  ];
  for (const time of times) {
    const certified = authority.issue({ names, ...time });
    await using server = await TlsServer.listen(certified);
    await assertRefused(server, "example.test");
    await assertTrusted(server, "example.test", { rejectUnauthorized: false });
  }
});

test("CI-16: a wrong authority is refused, though its name is the right one", async () => {
  const wrong = new Authority();
  const certified = wrong.issue({ names: ["example.test"] });
  await using server = await TlsServer.listen(certified);
  await assertRefused(server, "example.test");
  await assertRefused(server, "example.test", {});
  await assertTrusted(server, "example.test", { ca: wrong.cert });
});

test("CI-16: a host name that the certificate does not have is refused", async () => {
  const names = ["example.test", "*.wild.test"];
  await using server = await TlsServer.listen(authority.issue({ names }));
  const wrong = [
    "other.test",
    "example.test.other",
    "sub.example.test",
    "wild.test",
    "a.b.wild.test",
    "127.0.0.1",
  ];
  for (const name of wrong) await assertRefused(server, name);
});

test("CI-16: an IP address is checked as an address, not as a name", async () => {
  const cases: [names: string[], isRight: boolean][] = [
    [["127.0.0.1"], true],
    [["127.0.0.2"], false],
    [["localhost"], false],
  ];
  for (const [names, isRight] of cases) {
    await using server = await TlsServer.listen(authority.issue({ names }));
    if (isRight) await assertTrusted(server, "127.0.0.1");
    else await assertRefused(server, "127.0.0.1");
  }
});

test("CI-16: SNI names the host of the URL or serverName, and no IP address", async () => {
  const names = ["example.test", "other.test", "127.0.0.1"];
  await using server = await TlsServer.listen(authority.issue({ names }));
  await assertTrusted(server, "example.test");
  await assertTrusted(server, "example.test", {
    ca,
    serverName: "other.test",
  });
  await assertTrusted(server, "127.0.0.1", { ca, serverName: "example.test" });
  await assertTrusted(server, "127.0.0.1");
  assertEquals(server.names, [
    "example.test",
    "other.test",
    "example.test",
    undefined,
  ]);
});
