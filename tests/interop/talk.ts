/** What is said to a server that echoes, whoever made it, and how it is left. */
import { type Connection, dial, type DialOptions } from "../../client.ts";
import { assert, assertEquals } from "../harness.ts";
import { sameBytes } from "../harness/bytes.ts";
import type { Child } from "../harness/child.ts";
import { within } from "../harness/deadline.ts";

/** Waits for the next message. */
export function receive(connection: Connection): Promise<string | Uint8Array> {
  return within(connection.receive(), "a message");
}

/** Sends a message, and takes nothing for an answer but the same. */
export async function assertEchoed(
  connection: Connection,
  message: string | Uint8Array,
): Promise<void> {
  connection.send(message);
  const echo = await receive(connection);
  if (typeof message === "string") assert(echo === message, "wrong text");
  else {
    assert(echo instanceof Uint8Array, "text came back for bytes");
    assert(sameBytes(echo, message), "wrong bytes");
  }
}

/** Sends messages of all kinds: short, empty and large ones, then many at once. */
export async function assertEchoes(connection: Connection): Promise<void> {
  await assertEchoed(connection, "Hello, κόσμε \u{1f41f}");
  await assertEchoed(connection, "");
  await assertEchoed(connection, Uint8Array.from({ length: 256 }, (_, i) => i));
  await assertEchoed(connection, "salmon ".repeat(2 ** 17));
  await assertEchoed(connection, new Uint8Array(2 ** 20).fill(0xfe));
  const sent = Array.from(
    { length: 1000 },
    (_, index) => `${index} `.repeat(9),
  );
  for (const text of sent) connection.send(text);
  for (const text of sent) assertEquals(await receive(connection), text);
  // Every peer answers a Ping, also those that cannot send one.
  assert(await within(connection.ping(), "a Pong") >= 0);
}

/** Closes first; the program on the other side must have been told so. */
export async function assertCloses(
  connection: Connection,
  child: Child,
): Promise<void> {
  const info = await within(connection.close(4001, "bye"), "the end");
  assertEquals([info.code, info.wasClean, info.cause], [4001, true, "local"]);
  assertEquals(await child.json(), { closed: [4001, "bye"] });
}

/** Has a server close first. */
export async function assertIsClosed(
  url: string,
  options: DialOptions,
): Promise<void> {
  await using connection = await dial(url, options);
  connection.send("close 3001 because");
  const info = await within(connection.closed, "the end");
  assertEquals(
    [info.code, info.reason, info.wasClean, info.cause],
    [3001, "because", true, "peer"],
  );
}
