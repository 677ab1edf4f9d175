/** CI-16: whom a client trusts. */
import {
  type Connection,
  type ConnectTls,
  dial,
  HandshakeError,
} from "../../client.ts";
import { Handler, type Server, Site } from "../../server.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { certificate } from "../runtime/recorder.ts";

const ca = certificate("ca.crt");

class Echo extends Handler {
  override message(data: string | Uint8Array): void {
    this.connection.send(data);
  }
}

function listen(name: "leaf" | "self"): Promise<Server> {
  const site = new Site({ onError: () => {} });
  site.addHandler("/echo", Echo);
  return site.listen({
    port: 0,
    hostname: "127.0.0.1",
    tls: { cert: certificate(`${name}.crt`), key: certificate(`${name}.key`) },
  });
}

function dialTls(
  server: Server,
  tls?: ConnectTls,
  hostname = "127.0.0.1",
): Promise<Connection> {
  assert(server.addr.transport === "tcp");
  const url = `wss://${hostname}:${server.addr.port}/echo`;
  return dial(url, tls && { tls });
}

async function assertTrusted(dialing: Promise<Connection>): Promise<void> {
  const connection = await dialing;
  const text = "secret ".repeat(10_000);
  connection.send(text);
  assertEquals(await connection.receive(), text);
  assertEquals((await connection.close()).wasClean, true);
}

async function assertRefused(dialing: Promise<Connection>): Promise<void> {
  const error = await assertRejects(() => dialing, HandshakeError);
  assertEquals(error.reason, "tls-failed");
  assert(error.cause instanceof Error);
  assert(error.message.length <= 300, error.message);
}

test("CI-16: a self-signed certificate is refused unless that is switched off", async () => {
  await using server = await listen("self");
  await assertRefused(dialTls(server));
  await assertRefused(dialTls(server, {}));
  await assertRefused(dialTls(server, { ca }));
  await assertTrusted(dialTls(server, { rejectUnauthorized: false }));
});

test("CI-16: an unknown authority is refused, the right one is trusted", async () => {
  await using server = await listen("leaf");
  await assertRefused(dialTls(server));
  await assertTrusted(dialTls(server, { ca }));
  await assertTrusted(dialTls(server, { ca: [certificate("self.crt"), ca] }));
});

test("CI-16: a wrong host name is refused, and serverName says which to check", async () => {
  await using server = await listen("leaf");
  await assertRefused(dialTls(server, { ca, serverName: "wrong.test" }));
  await assertTrusted(dialTls(server, { ca, serverName: "localhost" }));
  await assertTrusted(dialTls(server, {
    serverName: "wrong.test",
    rejectUnauthorized: false,
  }));
});

test("CI-16: TLS settings of the wrong kind are refused at once", async () => {
  const settings: unknown[] = [
    null,
    5,
    { ca: 5 },
    { ca: [5] },
    { ca: new Uint8Array(3) },
    { cert: 5 },
    { key: {} },
    { rejectUnauthorized: 0 },
    { rejectUnauthorized: "false" },
    { rejectUnauthorized: null },
    { serverName: 5 },
    { alpnProtocols: "http/1.1" },
    { rejectUnauthorised: false },
    { ca: "" },
    { ca: ["", certificate("ca.crt")] },
    { ca: certificate("leaf.key") },
    { cert: certificate("leaf.crt") },
    { key: certificate("leaf.key") },
    { cert: "leaf.crt", key: certificate("leaf.key") },
    { cert: certificate("leaf.crt"), key: certificate("leaf.crt") },
  ];
  for (const tls of settings) {
    await assertRejects(
      () => dial("wss://127.0.0.1:1/", { tls: tls as ConnectTls }),
      TypeError,
    );
  }
});
