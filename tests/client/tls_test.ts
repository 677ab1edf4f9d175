/** CI-16: whom a client trusts. */
import {
  type Connection,
  type ConnectTls,
  dial,
  HandshakeError,
} from "../../client.ts";
import { type Server, Site } from "../../server.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { certificate } from "../runtime/recorder.ts";
import { Echo } from "../site/served.ts";

const ca = certificate("ca.crt");

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

test("CI-16: a server that speaks no TLS is said to speak none", async () => {
  const site = new Site();
  await using server = await site.listen({ port: 0, hostname: "127.0.0.1" });
  assert(server.addr.transport === "tcp");
  const { port } = server.addr;
  const at = `127.0.0.1:${port}`;
  const error = await assertRejects(
    () => dial(`wss://${at}/`),
    HandshakeError,
  );
  assertEquals(error.reason, "tls-failed");
  assertEquals(
    error.message,
    `Cannot connect to ${at}: no TLS is spoken there`,
  );
  assert(error.cause instanceof Error);

  const url = `https://${at}`;
  const refused = await assertRejects(
    () => dial("ws://nowhere.test/", { proxy: url }),
    HandshakeError,
  );
  assertEquals(refused.reason, "proxy-failed");
  assert(refused.message.endsWith("no TLS is spoken there"), refused.message);
});

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
  const settings: [unknown, string][] = [
    [null, "tls is not an object"],
    [5, "tls is not an object"],
    [{ ca: 5 }, "tls.ca is not the text of a PEM file with a certificate"],
    [{ ca: [5] }, "tls.ca is not"],
    [{ ca: new Uint8Array(3) }, "tls.ca is not"],
    [{ cert: 5 }, "tls.cert and tls.key need each other"],
    [{ cert: 5, key: 5 }, "tls.cert is not"],
    [{ key: {} }, "tls.cert and tls.key"],
    [{ rejectUnauthorized: 0 }, "tls.rejectUnauthorized is not a boolean"],
    [{ rejectUnauthorized: "false" }, "tls.rejectUnauthorized"],
    [{ rejectUnauthorized: null }, "tls.rejectUnauthorized"],
    [{ serverName: 5 }, "tls.serverName is not a string"],
    [{ serverName: "" }, "tls.serverName is not a host name"],
    [{ serverName: "localhost:443" }, "tls.serverName is not a host name"],
    [{ serverName: "localhost\0.evil.test" }, "tls.serverName is not a host"],
    [{ servername: "x" }, "tls.servername; did you mean serverName?"],
    [{ alpnProtocols: "http/1.1" }, "tls.alpnProtocols"],
    [{ alpnProtocols: [5] }, "tls.alpnProtocols"],
    [{ rejectUnauthorised: false }, "tls.rejectUnauthorised"],
    [{ ca: "" }, "tls.ca is not"],
    [{ ca: ["", certificate("ca.crt")] }, "tls.ca is not"],
    [{ ca: certificate("leaf.key") }, "tls.ca is not"],
    [{ cert: certificate("leaf.crt") }, "tls.cert and tls.key"],
    [{ key: certificate("leaf.key") }, "tls.cert and tls.key"],
    [{ cert: "leaf.crt", key: certificate("leaf.key") }, "tls.cert is not"],
    [
      { cert: certificate("leaf.crt"), key: certificate("leaf.crt") },
      "tls.key is not the text of a PEM file with a private key",
    ],
  ];
  for (const [tls, message] of settings) {
    await assertRejects(
      () => dial("wss://127.0.0.1:1/", { tls: tls as ConnectTls }),
      TypeError,
      message,
    );
  }
});
