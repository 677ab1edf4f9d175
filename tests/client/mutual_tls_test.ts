/** TW16: a server that wants to see a certificate of the client's. */
import { dial, HandshakeError } from "../../client.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { RawServer } from "../harness/raw_server.ts";
import { certificate } from "../runtime/recorder.ts";
import { AskingServer } from "./asking_server.ts";

const ca = certificate("ca.crt");
const pair = { cert: certificate("leaf.crt"), key: certificate("leaf.key") };

test("TW16: a client certificate is shown to a server that asks, not by default", async () => {
  await using server = await AskingServer.listen(true);
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
  await using server = await AskingServer.listen(false);
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
