/** Pings, floods, and what a small message costs (CT, LC). */
import { Handler, type Site } from "../../server.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { concat } from "../harness/bytes.ts";
import { frame } from "../harness/frame.ts";
import { rawUpgrade } from "../harness/raw_client.ts";
import { pause, serve, until } from "./served.ts";

test("CT-1, CT-4: pings are answered, pongs that nobody asked for ignored", async () => {
  await serve({}, async (served) => {
    const { client, connection } = await served.pair("/echo");
    for (const length of [0, 1, 125]) {
      const payload = new Uint8Array(length).fill(length);
      client.sendFrame({ opcode: "ping", payload });
      const pong = await client.readFrame();
      assertEquals([pong.opcode, pong.payload], [10, payload]);
    }
    for (const payload of ["", "surprise"]) {
      client.sendFrame({ opcode: "pong", payload });
    }
    // A round trip ends with the right payload alone.
    const first = connection.ping(new TextEncoder().encode("one"));
    const second = connection.ping(new TextEncoder().encode("two"));
    assertEquals((await client.readFrame()).opcode, 9);
    assertEquals((await client.readFrame()).opcode, 9);
    let settled = false;
    void first.then(() => settled = true);
    client.sendFrame({ opcode: "pong", payload: "three" });
    client.sendFrame({ payload: "sync" });
    await client.readFrame();
    assertEquals([settled, connection.latencyMs], [false, undefined]);
    // The answer to a later ping answers those before it.
    for (let i = 0; i < 3; i++) {
      client.sendFrame({ opcode: "pong", payload: "two" });
    }
    assert(await first >= 0 && await second >= 0);
    assert((connection.latencyMs ?? -1) >= 0);
    await client[Symbol.asyncDispose]();
  });
});

test("CT-2: a flood of pings whose pongs nobody reads costs nothing", async () => {
  await serve({}, async (served) => {
    const { client, connection } = await served.pair("/echo");
    client.pause();
    const ping = frame({
      opcode: "ping",
      payload: new Uint8Array(125),
      mask: true,
    });
    const flood = concat(...Array(1_000).fill(ping));
    let most = 0;
    for (let i = 0; i < 100; i++) {
      // The kernel may stop taking them, when the site pauses.
      await Promise.race([client.writeAll(flood), pause(50)]);
      most = Math.max(most, connection.bufferedAmount);
    }
    // Those of one read, which a runtime makes as large as 512 KiB.
    assert(most < 1_000_000, `${most} bytes of pongs are waiting`);
    client.resume();
    // The latest one is answered.
    client.sendFrame({ opcode: "ping", payload: "last" });
    await until(() => {
      const bytes = client.received;
      const end = new TextDecoder().decode(bytes.subarray(-4));
      return end === "last";
    }, "the last pong");
    await client[Symbol.asyncDispose]();
  });
});

test("LC-5: a message does not pin what was read", async () => {
  const sizes: number[] = [];
  class Sizes extends Handler {
    override message(data: string | Uint8Array): void {
      if (typeof data !== "string") sizes.push(data.buffer.byteLength);
    }
    override ping(payload: Uint8Array): void {
      sizes.push(payload.buffer.byteLength);
    }
  }
  const setup = (site: Site): void => site.addHandler("/sizes", Sizes);
  await serve({ setup }, async ({ port }) => {
    await using client = await rawUpgrade(port, "/sizes");
    const small = frame({ opcode: "binary", payload: "12345", mask: true });
    const big = new Uint8Array(100_000);
    for (let i = 0; i < 20; i++) {
      client.write(
        small,
        frame({ opcode: "ping", payload: "12345", mask: true }),
        frame({ opcode: "binary", payload: big, mask: true }),
        small,
      );
    }
    await until(() => sizes.length === 80, "all messages");
    const pinned = sizes.filter((size) => size > 8_192 && size < 100_000);
    assertEquals(pinned, []);
    assertEquals(sizes.filter((size) => size >= 100_000).length, 20);
  });
});
