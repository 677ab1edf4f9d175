/** Clients of others against our site: Python, `ws`, and each runtime's own. */
import { assertEquals, testWhere } from "../harness.ts";
import { EchoSite } from "./echo_site.ts";
import { type Peer, PEERS } from "./peers.ts";

/** What a peer reports when everything went as it should. */
function expected(peer: Peer): Record<string, unknown> {
  return {
    text: true,
    empty: true,
    binary: true,
    "large text": true,
    "large binary": true,
    many: true,
    ...(peer.hasFrames ? { fragments: true, ping: true } : {}),
    close: [4001, "bye"],
    closed: [3001, "because"],
  };
}

async function talk(peer: Peer): Promise<void> {
  await using site = await EchoSite.open();
  await using child = peer.start(["client", site.url]);
  assertEquals(await child.json(), expected(peer));
  const byPeer = await site.nextClose();
  assertEquals(
    [byPeer.code, byPeer.reason, byPeer.wasClean, byPeer.cause],
    [4001, "bye", true, "peer"],
  );
  const byUs = await site.nextClose();
  assertEquals([byUs.code, byUs.wasClean, byUs.cause], [3001, true, "local"]);
  await child.assertEnds();
}

for (const peer of PEERS) {
  testWhere(peer.missing, `${peer.name} talks to our site`, () => talk(peer));
}
