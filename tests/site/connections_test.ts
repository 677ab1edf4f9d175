/** Connections that end early, and which ones a site lists. */
import {
  type CloseInfo,
  type Connection,
  Handler,
  type HandlerClass,
  type Site,
} from "../../server.ts";
import { assertEquals, test } from "../harness.ts";
import { closePayload } from "../harness/frame.ts";
import {
  rawConnect,
  rawUpgrade,
  upgradeRequest,
} from "../harness/raw_client.ts";
import { readClose, serve, until } from "./served.ts";

const CLOSE = { opcode: "close", payload: closePayload(1000) } as const;

test("HD-4: a constructor or open hook that closes leaves nothing behind", async () => {
  const log: string[] = [];
  const closing = (where: string, how: "close" | "terminate"): HandlerClass =>
    class extends Handler {
      constructor(connection: Connection) {
        super(connection);
        if (where === "constructor") connection[how]();
      }
      override open(): void {
        log.push("open");
        if (where === "open") this.connection[how]();
      }
      override message(): void {
        log.push("message");
      }
      override close(info: CloseInfo): void {
        log.push(`close ${info.cause}`);
      }
    };
  const setup = (site: Site): void => {
    for (const where of ["constructor", "open"]) {
      site.addHandler(`/${where}/close`, closing(where, "close"));
      site.addHandler(`/${where}/terminate`, closing(where, "terminate"));
    }
  };
  await serve({ setup }, async ({ port, site }) => {
    for (const where of ["constructor", "open"]) {
      await using client = await rawUpgrade(port, `/${where}/close`);
      assertEquals(await readClose(client), 1000);
      client.sendFrame(CLOSE);
      client.end();
      await client.closed;
      await using other = await rawConnect(port);
      other.write(upgradeRequest(`/${where}/terminate`));
      await other.readToEnd();
      await until(() => log.length === 4, "both close hooks");
      assertEquals(log.splice(0), [
        "open",
        "close local",
        "open",
        "close local",
      ]);
      // The canary's alone.
      assertEquals(site.connections.size, 1);
    }
  });
});

test("connections: listed while open, gone before the close hook", async () => {
  const log: unknown[] = [];
  const setup = (site: Site): void => {
    class Listed extends Handler {
      constructor(connection: Connection) {
        super(connection);
        log.push(["constructor", site.connections.has(connection)]);
      }
      override open(): void {
        log.push(["open", site.connections.has(this.connection)]);
      }
      override message(): void {
        this.connection.close();
        log.push(["closing", site.connections.has(this.connection)]);
      }
      override close(): void {
        log.push(["close", site.connections.has(this.connection)]);
      }
    }
    site.addHandler("/listed", Listed);
  };
  await serve({ setup }, async ({ port, site }) => {
    await using client = await rawUpgrade(port, "/listed");
    assertEquals(site.connections.size, 2);
    client.sendFrame({ payload: "close" });
    assertEquals(await readClose(client), 1000);
    assertEquals(site.connections.size, 1);
    await client[Symbol.asyncDispose]();
    await until(() => log.length === 4, "the close hook");
    assertEquals(log, [
      ["constructor", false],
      ["open", true],
      ["closing", false],
      ["close", false],
    ]);
  });
});

test("HD-6: without any hook nothing crashes", async () => {
  const setup = (site: Site): void => site.addHandler("/none", Handler);
  await serve({ setup }, async ({ port }) => {
    await using client = await rawUpgrade(port, "/none");
    client.sendFrame({ payload: "nobody reads this" });
    client.sendFrame({ opcode: "ping" });
    assertEquals((await client.readFrame()).opcode, 10);
    client.sendFrame({ opcode: 3 });
    assertEquals(await readClose(client), 1002);
    await using other = await rawUpgrade(port, "/none");
    other.reset();
    await other.closed;
  });
});
