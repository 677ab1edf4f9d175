/**
 * Our dialer against servers of others: Python, `ws`, and each runtime's own; in the
 * clear and over TLS.
 */
import { dial, type DialOptions, HandshakeError } from "../../client.ts";
import { assertEquals, assertRejects, testWhere } from "../harness.ts";
import type { Child } from "../harness/child.ts";
import { certificate } from "../runtime/recorder.ts";
import { type Peer, PEERS, TLS_FILES } from "./peers.ts";
import { assertCloses, assertEchoes, assertIsClosed, receive } from "./talk.ts";

async function talk(
  url: string,
  options: DialOptions,
  peer: Peer,
  child: Child,
): Promise<void> {
  await using connection = await dial(url, options);
  await assertEchoes(connection);
  if (peer.hasFrames) {
    connection.send("ping");
    assertEquals(await receive(connection), "pong");
    connection.send("fragments");
    assertEquals(await receive(connection), "fragments");
  }
  await assertCloses(connection, child);
}

for (const peer of PEERS.filter(({ canServe }) => canServe)) {
  testWhere(peer.missing, `our dialer talks to ${peer.name}`, async () => {
    await using child = peer.start(["server"]);
    const { port } = await child.json<{ port: number }>();
    const url = `ws://127.0.0.1:${port}/echo`;
    await talk(url, {}, peer, child);
    await assertIsClosed(url, {});
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
      await assertIsClosed(url, options);
      const error = await assertRejects(() => dial(url), HandshakeError);
      assertEquals(error.reason, "tls-failed");
    },
  );
}
