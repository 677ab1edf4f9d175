/** Messages in pieces, whichever way a connection came in (AB21, WS32). */
import type { Site } from "../../server.ts";
import { assertEquals } from "../harness.ts";
import { closePayload } from "../harness/frame.ts";
import { readText } from "../site/served.ts";
import { testWays } from "./ways.ts";

function setup(site: Site): void {
  site.addHandler("/hook", {
    async stream(connection, message) {
      let length = 0;
      for await (const chunk of message) length += chunk.length;
      connection.send(`${message.binary} ${length}`);
    },
  });
  site.addHandler("/asked", async (connection) => {
    while (true) {
      const message = await connection.receiveStream();
      for await (const chunk of message) {
        connection.send(`${message.binary} ${chunk.length > 0}`);
        // The rest of it is not wanted.
        break;
      }
    }
  });
}

testWays(
  "AB21: a stream hook gets all of each message",
  { setup },
  async (way) => {
    await using client = await way.upgrade("/hook");
    client.sendFrame({ payload: "grüße, ", fin: false });
    client.sendFrame({ opcode: "continuation", payload: "🐟" });
    client.sendFrame({ opcode: "binary", payload: new Uint8Array(300_000) });
    client.sendFrame({ payload: "" });
    assertEquals(await readText(client), "false 9");
    assertEquals(await readText(client), "true 300000");
    assertEquals(await readText(client), "false 0");
  },
);

testWays("WS32: who asks may leave a message early", { setup }, async (way) => {
  await using client = await way.upgrade("/asked");
  for (let round = 0; round < 3; round++) {
    client.sendFrame({ opcode: "binary", payload: new Uint8Array(500_000) });
    assertEquals(await readText(client), "true true");
    client.sendFrame({ payload: "text" });
    assertEquals(await readText(client), "false true");
  }
  client.sendFrame({ opcode: "close", payload: closePayload(1000) });
  assertEquals((await client.readFrame()).opcode, 8);
});
