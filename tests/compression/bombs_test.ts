/** Many who send what inflates to far more, at once. */
import process from "node:process";
import { assert, assertEquals, test } from "../harness.ts";
import { closeCode } from "../harness/frame.ts";
import { rawUpgrade } from "../harness/raw_client.ts";
import { serve } from "../site/served.ts";
import { deflated } from "./zlib_peer.ts";

const MEBIBYTE = 1_048_576;
const BOMBERS = 50;

test("PM-2: bombs on many connections at once take the memory of one", async () => {
  const bomb = deflated(new Uint8Array(32 * MEBIBYTE));
  await serve({ compression: true }, async ({ port, site }) => {
    const headers = { "Sec-WebSocket-Extensions": "permessage-deflate" };
    const clients = await Promise.all(
      Array.from({ length: BOMBERS }, () => rawUpgrade(port, "/echo", headers)),
    );
    const before = process.memoryUsage().rss;
    for (const client of clients) {
      client.sendFrame({
        rsv: 4,
        mask: true,
        opcode: "binary",
        payload: bomb,
      });
    }
    const codes = await Promise.all(clients.map(async (client) => {
      const { opcode, payload } = await client.readFrame();
      client.end();
      return opcode === 8 ? closeCode(payload) : opcode;
    }));
    assertEquals(new Set(codes), new Set([1009]));
    // Inflated together, and whole, they would take 1,600 MiB. What other tests leave
    // behind in the same process counts as well.
    const grown = (process.memoryUsage().rss - before) / MEBIBYTE;
    assert(grown < 800, `${grown} MiB`);
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
    assert(site.connections.size <= 1, "a bomber is listed");
  });
});
