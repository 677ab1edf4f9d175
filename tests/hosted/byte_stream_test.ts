/** AB17: streams of bytes where a host carries the messages. */
import {
  byteStream,
  ClosedError,
  type Connection,
  dial,
} from "../../client.ts";
import { Site } from "../../server.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { testHosted } from "./served.ts";

const halfClose = true;
const UP = new Uint8Array(300_000).map((_, index) => index * 7 + (index >> 8));
const DOWN = new Uint8Array(4 * 2 ** 20).map((_, index) => index * 3);

async function sumOf(readable: ReadableStream<Uint8Array>): Promise<number[]> {
  let length = 0;
  let sum = 0;
  for await (const chunk of readable) {
    length += chunk.length;
    for (const byte of chunk) sum = Math.imul(sum, 31) + byte | 0;
  }
  return [length, sum];
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
}

/** Hears what comes, and then says more, each direction with an end of its own. */
async function hearAndSay(
  connection: Connection,
  heard: PromiseWithResolvers<number[]>,
): Promise<void> {
  const { readable, writable } = byteStream(connection, { halfClose });
  heard.resolve(await sumOf(readable));
  await streamOf(DOWN).pipeTo(writable);
}

/** Says something, and hears all of the answer. */
async function sayAndHear(
  port: number,
  heard: PromiseWithResolvers<number[]>,
): Promise<void> {
  const connection = await dial(`ws://127.0.0.1:${port}/bytes`);
  const { readable, writable } = byteStream(connection, { halfClose });
  await streamOf(UP).pipeTo(writable);
  assertEquals(
    await within(sumOf(readable), "all bytes"),
    await sumOf(streamOf(DOWN)),
  );
  assertEquals(await heard.promise, await sumOf(streamOf(UP)));
  const info = await within(connection.closed, "the end");
  assertEquals([info.code, info.wasClean], [1000, true]);
}

const heardByHosted = Promise.withResolvers<number[]>();

testHosted(
  "AB17: hosted, each direction of a byte stream ends by itself, and nothing is lost",
  {
    setup: (site) =>
      site.addHandler("/bytes", (it) => hearAndSay(it, heardByHosted)),
  },
  ({ port }) => sayAndHear(port, heardByHosted),
);

test("AB17: on a raw connection, too, each direction of a byte stream ends by itself", async () => {
  const heard = Promise.withResolvers<number[]>();
  const site = new Site();
  site.addHandler("/bytes", (connection) => hearAndSay(connection, heard));
  await using server = await site.listen({ port: 0, hostname: "127.0.0.1" });
  assert(server.addr.transport === "tcp");
  await sayAndHear(server.addr.port, heard);
});

testHosted(
  "AB17: hosted, text in a byte stream is told 1003",
  {
    setup: (site) =>
      site.addHandler("/bytes", async (connection) => {
        await assertRejects(() => sumOf(byteStream(connection).readable));
      }),
  },
  async ({ port, errors }) => {
    const connection = await dial(`ws://127.0.0.1:${port}/bytes`);
    connection.send("text");
    const info = await within(connection.closed, "the end");
    assertEquals(info.code, 1003);
    assert(errors.length === 0, `${errors}`);
  },
);

const closing = Promise.withResolvers<unknown>();

testHosted(
  "AB17: hosted on Bun, who closes without halfClose cannot know what arrived",
  {
    setup: (site) =>
      site.addHandler("/bytes", async (connection) => {
        const writer = byteStream(connection).writable.getWriter();
        await writer.write(UP);
        closing.resolve(await assertRejects(() => writer.close()));
      }),
  },
  async ({ port }) => {
    const connection = await dial(`ws://127.0.0.1:${port}/bytes`);
    assertEquals(
      await within(sumOf(byteStream(connection).readable), "all bytes"),
      await sumOf(streamOf(UP)),
    );
    const error = await within(closing.promise, "the error");
    assert(error instanceof ClosedError, `${error}`);
    assertEquals([error.info.code, error.info.cause], [1006, "local"]);
  },
  ["bun"],
);
