/**
 * What the seed systems promise, or get wrong, and no other test of a site says in
 * as many words. The ids are those of docs/features.md.
 */
import { ProtocolError } from "../../codec.ts";
import {
  type CloseInfo,
  type Connection,
  Handler,
  type Site,
} from "../../server.ts";
import { assertEquals, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { frame } from "../harness/frame.ts";
import {
  rawConnect,
  rawUpgrade,
  upgradeRequest,
} from "../harness/raw_client.ts";
import { readClose, serve, statusOf } from "./served.ts";

test("TW6: text comes as a string, binary as bytes, empty or not", async () => {
  const received: unknown[] = [];
  const all = Promise.withResolvers<void>();
  class Kinds extends Handler {
    override message(data: string | Uint8Array): void {
      received.push(typeof data === "string" ? data : [...data]);
      if (received.length === 4) all.resolve();
    }
  }
  const setup = (site: Site): void => site.addHandler("/kinds", Kinds);
  await serve({ setup }, async ({ port }) => {
    await using client = await rawUpgrade(port, "/kinds");
    client.sendFrame({ payload: "text" });
    client.sendFrame({ opcode: "binary", payload: Uint8Array.of(1, 250) });
    client.sendFrame({ payload: "" });
    client.sendFrame({ opcode: "binary", payload: "" });
    await within(all.promise, "four messages");
    assertEquals(received, ["text", [1, 250], "", []]);
  });
});

test("SI7: one handler for each connection that is accepted, none for others", async () => {
  let made = 0;
  class Counted extends Handler {
    static upgrade({ url }: { url: string }): Response | void {
      if (url.endsWith("refuse")) return new Response(null, { status: 403 });
    }
    constructor(connection: Connection) {
      super(connection);
      made++;
    }
  }
  const setup = (site: Site): void =>
    site.addHandler("/counted", Counted, { origins: ["https://a.example"] });
  await serve({ setup }, async (served) => {
    const status = async (
      path: string,
      headers: Record<string, string> = {},
    ): Promise<number> =>
      statusOf(await served.exchange(upgradeRequest(path, headers)));
    assertEquals(await status("/counted?refuse"), 403);
    assertEquals(
      await status("/counted", { Origin: "https://b.example" }),
      403,
    );
    assertEquals(await status("/counted", { "Sec-WebSocket-Key": "a" }), 400);
    assertEquals(made, 0);
    for (let count = 1; count <= 3; count++) {
      await using _client = await rawUpgrade(served.port, "/counted");
      assertEquals(made, count);
    }
  });
});

test("SI9: the error hook hears of a message over the limit before the close", async () => {
  const heard: unknown[] = [];
  const closed = Promise.withResolvers<void>();
  class Small extends Handler {
    override message(data: string | Uint8Array): void {
      heard.push(data.length);
    }
    override error(error: Error): void {
      heard.push(error instanceof ProtocolError && error.reason);
    }
    override close({ cause, sent }: CloseInfo): void {
      heard.push(cause, sent?.code);
      closed.resolve();
    }
  }
  const setup = (site: Site): void =>
    site.addHandler("/small", Small, { maxMessageBytes: 16_384 });
  await serve({ setup }, async ({ port }) => {
    await using client = await rawUpgrade(port, "/small");
    client.sendFrame({ payload: new Uint8Array(16_384), opcode: "binary" });
    client.sendFrame({ payload: new Uint8Array(16_385), opcode: "binary" });
    assertEquals(await readClose(client), 1009);
    client.end();
    await within(closed.promise, "the close hook");
    assertEquals(heard, [16_384, "message-too-big", "too-big", 1009]);
  });
});

test("SI11: close is called once for each connection, also after its own close", async () => {
  const closed: string[] = [];
  const all = Promise.withResolvers<void>();
  class Own extends Handler {
    override open(): void {
      const { url } = this.connection.request;
      if (url.endsWith("close")) this.connection.close();
      if (url.endsWith("terminate")) this.connection.terminate();
    }
    override close({ cause }: CloseInfo): void {
      const { search } = new URL(this.connection.request.url);
      closed.push(`${search}: ${cause}`);
      if (closed.length === 3) all.resolve();
    }
  }
  const setup = (site: Site): void => site.addHandler("/own", Own);
  await serve({ setup }, async ({ port }) => {
    for (const way of ["close", "terminate", "leave"]) {
      await using client = await rawConnect(port);
      client.write(upgradeRequest(`/own?${way}`));
      if (way === "close") {
        await client.readHead();
        assertEquals(await readClose(client), 1000);
        client.write(frame({ opcode: "close", payload: "", mask: true }));
      }
      if (way === "leave") await client.readHead();
      client.end();
      await client.readToEnd();
    }
    await within(all.promise, "three closes");
    assertEquals(closed, [
      "?close: local",
      "?terminate: local",
      "?leave: transport-error",
    ]);
  });
});
