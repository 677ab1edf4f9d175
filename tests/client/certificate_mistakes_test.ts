/** CI-16: certificates and keys that cannot be used end the attempt, and leave nothing. */
import { dial, HandshakeError } from "../../client.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { RawServer } from "../harness/raw_server.ts";
import { certificate } from "../runtime/recorder.ts";

const cert = certificate("leaf.crt");
const key = certificate("leaf.key");

const MISTAKES = {
  "a key of another's": { cert, key: certificate("self.key") },
  "a certificate that is broken": { cert: withoutLine(cert), key },
  "a key that is broken": { cert, key: withoutLine(key) },
};

function withoutLine(pem: string): string {
  return pem.split("\n").filter((_, index) => index !== 3).join("\n");
}

for (const [what, tls] of Object.entries(MISTAKES)) {
  test(`CI-16: ${what} fails before anything is connected`, async () => {
    await using server = await RawServer.listen();
    const error = await assertRejects(
      () => dial(`wss://127.0.0.1:${server.port}/`, { tls }),
      HandshakeError,
    );
    assertEquals(error.reason, "tls-failed");
    assert(error.cause instanceof Error);
    // The first connection that the server sees is the one that follows.
    const probe = dial(`ws://127.0.0.1:${server.port}/`).catch(() => {});
    const raw = await server.accept();
    assert((await raw.readHead()).startsWith("GET "));
    raw.end();
    await within(probe, "the end of the probe");
  });

  test(`CI-16: ${what} leaves no connection to the proxy`, async () => {
    await using proxy = await RawServer.listen();
    const dialing = dial("wss://name.test/", {
      tls,
      proxy: `http://127.0.0.1:${proxy.port}`,
    });
    const failed = assertRejects(() => dialing, HandshakeError);
    failed.catch(() => {});
    const raw = await proxy.accept();
    await raw.readHead();
    raw.write("HTTP/1.1 200 Fine\r\n\r\n");
    await raw.readToEnd();
    assert(raw.ended, "the client left the socket open");
    const error = await within(failed, "the end of dial()");
    assertEquals(error.reason, "tls-failed");
  });
}
