/** TW16: a server that wants to see a certificate of the client's. */
import { Buffer } from "node:buffer";
import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:tls";
import { dial, HandshakeError } from "../../client.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { RawServer, upgradeResponse } from "../harness/raw_server.ts";
import { certificate } from "../runtime/recorder.ts";

const ca = certificate("ca.crt");
const pair = { cert: certificate("leaf.crt"), key: certificate("leaf.key") };

/** A TLS server that accepts WebSockets, and notes who was shown to it. */
class Asking implements AsyncDisposable {
  /** For each connection, whether it showed a certificate. */
  readonly shown: boolean[] = [];
  readonly #server: Server;

  private constructor(isRequired: boolean) {
    this.#server = createServer(
      { ...pair, ca, requestCert: true, rejectUnauthorized: isRequired },
      (socket) => {
        socket.on("error", () => {});
        socket.once("data", (chunk: Uint8Array) => {
          const { raw } = socket.getPeerCertificate() ?? {};
          this.shown.push(raw !== undefined);
          socket.write(upgradeResponse(Buffer.from(chunk).toString("latin1")));
        });
      },
    );
    this.#server.on("tlsClientError", () => {});
  }

  static async listen(isRequired: boolean): Promise<Asking> {
    const asking = new Asking(isRequired);
    await new Promise<void>((resolve) => {
      asking.#server.listen(0, "127.0.0.1", () => resolve());
    });
    return asking;
  }

  get url(): string {
    return `wss://localhost:${(this.#server.address() as AddressInfo).port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

test("TW16: a client certificate is shown to a server that asks, not by default", async () => {
  await using server = await Asking.listen(true);
  const connection = await dial(server.url, { tls: { ca, ...pair } });
  connection.terminate();
  await connection.closed;
  assertEquals(server.shown, [true]);
  const error = await assertRejects(
    () => dial(server.url, { tls: { ca } }),
    HandshakeError,
  );
  assert(/tls-failed|closed-early/.test(error.reason), error.reason);
  assertEquals(server.shown, [true]);
});

test("CI-9: another origin is shown no client certificate, and checked by its own name", async () => {
  await using first = await RawServer.listen();
  await using server = await Asking.listen(false);
  const dialing = dial(`ws://127.0.0.1:${first.port}/`, {
    maxRedirects: 1,
    tls: { ca, ...pair, serverName: "first.test" },
  });
  const raw = await first.accept();
  await raw.readHead();
  raw.write(`HTTP/1.1 302 Found\r\nLocation: ${server.url}\r\n\r\n`);
  const redirected = await dialing;
  redirected.terminate();
  await redirected.closed;
  // That it would have been seen.
  const direct = await dial(server.url, { tls: { ca, ...pair } });
  direct.terminate();
  await direct.closed;
  assertEquals(server.shown, [false, true]);
});
