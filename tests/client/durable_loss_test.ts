/**
 * A durable connection learns of a loss at once, and survives it, whatever its hooks
 * are about: over real sockets (B-8).
 */
import {
  type Connection,
  type DurableConnection,
  type DurableOptions,
  redial,
} from "../../client.ts";
import { Site } from "../../server.ts";
import { assertEquals, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { until } from "../site/served.ts";

/** How a server loses a peer, and the code that the peer reports. */
const WAYS: readonly [string, number, (peer: Connection) => void][] = [
  ["with a Close frame", 1012, (peer) => void peer.close(1012)],
  ["without one", 1006, (peer) => peer.terminate()],
];

/** A server, and a client that it has lost once; the code that `down` was told. */
async function lose(
  way: (peer: Connection) => void,
  greeting: string | undefined,
  options: DurableOptions,
  use: (durable: DurableConnection) => Promise<void> = async () => {},
): Promise<number> {
  const peers: Connection[] = [];
  const site = new Site({ onError: () => {} });
  site.addHandler("/", {
    open(peer: Connection) {
      peers.push(peer);
      if (greeting !== undefined) peer.send(greeting);
    },
    message: () => {},
  });
  await using server = await site.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = server.addr as { port: number };
  const lost = Promise.withResolvers<number>();
  const durable = redial(`ws://127.0.0.1:${port}/`, {
    // Half of it was how late a loss was reported.
    dial: { closeTimeoutMs: 60_000 },
    delays: () => [0, 0],
  }).connect({ ...options, down: ({ info }) => lost.resolve(info.code) });
  await until(() => peers.length === 1, "the peer");
  await use(durable);
  way(peers[0]!);
  const code = await within(
    Promise.race([lost.promise, durable.closed.then(({ cause }) => cause)]),
    "the report",
  );
  await until(() => peers.length === 2, "the next connection");
  await within(durable.close(), "the end");
  return code as number;
}

for (const [how, expected, way] of WAYS) {
  test(`B-8: a server that goes ${how} while open waits for an answer: tried again`, async () => {
    let count = 0;
    const open = async (connection: Connection) => {
      if (count++ === 0) await connection.receive();
    };
    assertEquals(await lose(way, undefined, { open }), expected);
    count = 0;
    const message = () => {};
    assertEquals(await lose(way, undefined, { open, message }), expected);
  });

  test(`B-8: a loss ${how} is told at once after open has taken an answer`, async () => {
    const open = async (connection: Connection) => {
      assertEquals(await connection.receive(), "welcome");
    };
    const isOpen = (durable: DurableConnection) =>
      until(() => durable.state === "open", "the login");
    assertEquals(await lose(way, "welcome", { open }, isOpen), expected);
    const message = () => {};
    assertEquals(
      await lose(way, "welcome", { open, message }, isOpen),
      expected,
    );
  });

  test(`B-8: a loss ${how} is told at once after a loop was left`, async () => {
    const leave = async (durable: DurableConnection) => {
      for await (const message of durable) {
        assertEquals(message, "welcome");
        break;
      }
    };
    assertEquals(await lose(way, "welcome", {}, leave), expected);
  });
}
