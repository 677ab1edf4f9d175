/**
 * Our dialer against servers of others: Python, `ws`, and each runtime's own; in the
 * clear and over TLS.
 */
import { dial, type DialOptions, HandshakeError } from "../../client.ts";
import type { Connection } from "../../connection.ts";
import { assert, assertEquals, assertRejects, testWhere } from "../harness.ts";
import { sameBytes } from "../harness/bytes.ts";
import type { Child } from "../harness/child.ts";
import { within } from "../harness/deadline.ts";
import { certificate } from "../runtime/recorder.ts";
import { type Peer, PEERS, TLS_FILES } from "./peers.ts";

type Message = string | Uint8Array;

function receive(connection: Connection): Promise<Message> {
  return within(connection.receive(), "a message");
}

async function assertEchoed(
  connection: Connection,
  message: Message,
): Promise<void> {
  connection.send(message);
  const answer = await receive(connection);
  if (typeof message === "string") assert(answer === message, "wrong text");
  else {
    assert(answer instanceof Uint8Array, "text came back for bytes");
    assert(sameBytes(answer, message), "wrong bytes");
  }
}

async function assertInOrder(connection: Connection): Promise<void> {
  const sent = Array.from({ length: 1000 }, (_, index) => String(index));
  for (const text of sent) connection.send(text);
  const received: Message[] = [];
  while (received.length < sent.length) {
    received.push(await receive(connection));
  }
  assertEquals<unknown>(received, sent);
}

async function talk(
  url: string,
  options: DialOptions,
  peer: Peer,
  child: Child,
): Promise<void> {
  await using connection = await dial(url, options);
  await assertEchoed(connection, "Hello, κόσμε \u{1f41f}");
  await assertEchoed(connection, "");
  await assertEchoed(connection, Uint8Array.from({ length: 256 }, (_, i) => i));
  await assertEchoed(connection, "x".repeat(2 ** 20));
  await assertEchoed(connection, new Uint8Array(2 ** 20).fill(0xfe));
  await assertInOrder(connection);
  // Every peer answers a Ping, also those that cannot send one.
  assert(await within(connection.ping(), "a Pong") >= 0);
  if (peer.hasFrames) {
    connection.send("ping");
    assertEquals(await receive(connection), "pong");
    connection.send("fragments");
    assertEquals(await receive(connection), "fragments");
  }
  connection.close(4001, "bye");
  const info = await within(connection.closed, "the end");
  assertEquals([info.code, info.wasClean, info.cause], [4001, true, "local"]);
  assertEquals(await child.json(), { closed: [4001, "bye"] });
}

async function isClosed(url: string, options: DialOptions): Promise<void> {
  await using connection = await dial(url, options);
  connection.send("close 3001 because");
  const info = await within(connection.closed, "the end");
  assertEquals(
    [info.code, info.reason, info.wasClean, info.cause],
    [3001, "because", true, "peer"],
  );
}

for (const peer of PEERS.filter(({ canServe }) => canServe)) {
  testWhere(peer.missing, `our dialer talks to ${peer.name}`, async () => {
    await using child = peer.start(["server"]);
    const { port } = await child.json<{ port: number }>();
    const url = `ws://127.0.0.1:${port}/echo`;
    await talk(url, {}, peer, child);
    await isClosed(url, {});
  });

  testWhere(
    peer.missing,
    `TW16: our dialer talks to ${peer.name} over TLS`,
    async () => {
      await using child = peer.start(["server", ...TLS_FILES]);
      const { port } = await child.json<{ port: number }>();
      const url = `wss://127.0.0.1:${port}/echo`;
      const options = { tls: { ca: certificate("ca.crt") } };
      await talk(url, options, peer, child);
      await isClosed(url, options);
      const error = await assertRejects(() => dial(url), HandshakeError);
      assertEquals(error.reason, "tls-failed");
    },
  );
}
