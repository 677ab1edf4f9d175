/** TW16: a server that wants to see a certificate of the client's. */
import { Buffer } from "node:buffer";
import type { AddressInfo } from "node:net";
import { createServer } from "node:tls";
import { dial, HandshakeError } from "../../client.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { upgradeResponse } from "../harness/raw_server.ts";
import { certificate } from "../runtime/recorder.ts";

const ca = certificate("ca.crt");
const pair = { cert: certificate("leaf.crt"), key: certificate("leaf.key") };

test("TW16: a client certificate is shown to a server that asks, not by default", async () => {
  const subjects: unknown[] = [];
  const server = createServer(
    { ...pair, ca, requestCert: true, rejectUnauthorized: true },
    (socket) => {
      socket.on("error", () => {});
      socket.once("data", (chunk: Uint8Array) => {
        subjects.push(socket.getPeerCertificate().subject?.CN);
        socket.write(upgradeResponse(Buffer.from(chunk).toString("latin1")));
      });
    },
  );
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve());
  });
  try {
    const url = `wss://localhost:${(server.address() as AddressInfo).port}/`;
    const connection = await dial(url, { tls: { ca, ...pair } });
    assertEquals(subjects.length, 1);
    connection.terminate();
    await connection.closed;
    const error = await assertRejects(
      () => dial(url, { tls: { ca } }),
      HandshakeError,
    );
    assert(/tls-failed|closed-early/.test(error.reason), error.reason);
    assertEquals(subjects.length, 1);
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
});
