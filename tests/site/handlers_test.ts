/** The order of a handler's hooks, over real sockets (HD). */
import {
  type CloseInfo,
  type Connection,
  Handler,
  type HandlerClass,
  type Site,
} from "../../server.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { closePayload, frame } from "../harness/frame.ts";
import {
  rawConnect,
  rawUpgrade,
  upgradeRequest,
} from "../harness/raw_client.ts";
import { pause, readClose, readText, serve, until } from "./served.ts";

function on(path: string, handler: HandlerClass): (site: Site) => void {
  return (site) => site.addHandler(path, handler);
}

const CLOSE = { opcode: "close", payload: closePayload(1000) } as const;

test("sends made in the constructor and in open arrive first, in order", async () => {
  class Greeter extends Handler {
    constructor(connection: Connection) {
      super(connection);
      connection.send("1");
      connection.send(new Uint8Array(100_000));
      connection.send("2");
    }
    override open(): void {
      this.connection.send("3");
    }
    override message(data: string | Uint8Array): void {
      this.connection.send(data);
    }
  }
  await serve({ setup: on("/greet", Greeter) }, async ({ port }) => {
    await using client = await rawConnect(port);
    client.write(
      upgradeRequest("/greet"),
      frame({ payload: "4", mask: true }),
    );
    assert((await client.readHead()).startsWith("HTTP/1.1 101 "));
    assertEquals(await readText(client), "1");
    assertEquals((await client.readFrame()).payload.length, 100_000);
    for (const text of ["2", "3", "4"]) {
      assertEquals(await readText(client), text);
    }
  });
});

test("hooks never overlap, and come in order, asynchronous ones too", async () => {
  const log: string[] = [];
  let running = 0;
  const closed = Promise.withResolvers<void>();
  const step = async (name: string): Promise<void> => {
    assertEquals(running++, 0, `${name} overlaps`);
    log.push(name);
    await pause(2);
    log.push(`/${name}`);
    running--;
  };
  class Steps extends Handler {
    override open(): Promise<void> {
      return step("open");
    }
    override message(data: string | Uint8Array): Promise<void> {
      return step(`${data}`);
    }
    override ping(): Promise<void> {
      return step("ping");
    }
    override pong(): Promise<void> {
      return step("pong");
    }
    override async close(info: CloseInfo): Promise<void> {
      await step(`close ${info.code}`);
      closed.resolve();
    }
  }
  await serve({ setup: on("/steps", Steps) }, async ({ port }) => {
    await using client = await rawConnect(port);
    const sent = ["a", "b", "c"].map((payload) =>
      frame({ payload, mask: true })
    );
    client.write(
      upgradeRequest("/steps"),
      sent[0]!,
      frame({ opcode: "ping", mask: true }),
      sent[1]!,
      frame({ opcode: "pong", mask: true }),
      sent[2]!,
      frame({ ...CLOSE, mask: true }),
    );
    await client.readHead();
    assertEquals((await client.readFrame()).opcode, 10);
    assertEquals(await readClose(client), 1000);
    client.end();
    await closed.promise;
    const names = ["open", "a", "ping", "b", "pong", "c", "close 1000"];
    assertEquals(log, names.flatMap((name) => [name, `/${name}`]));
  });
});

test("HD-1: a hook that throws or rejects ends its connection with 1011", async () => {
  const told: string[] = [];
  const failing = (hook: string, later: boolean): HandlerClass => {
    const fail = (): void | Promise<void> => {
      const error = new Error(`secret of ${hook}`);
      if (later) return pause(1).then(() => Promise.reject(error));
      throw error;
    };
    return class extends Handler {
      override open(): void | Promise<void> {
        if (hook === "open") return fail();
      }
      override message(): void | Promise<void> {
        if (hook === "message") return fail();
      }
      override ping(): void | Promise<void> {
        if (hook === "ping") return fail();
      }
      override pong(): void | Promise<void> {
        if (hook === "pong") return fail();
      }
      override error(error: Error): void {
        told.push(error.message);
      }
      override close(info: CloseInfo): void {
        told.push(`${info.sent?.code} ${info.cause} ${info.error?.message}`);
      }
    };
  };
  const hooks = ["open", "message", "ping", "pong"];
  const setup = (site: Site): void => {
    for (const hook of hooks) {
      site.addHandler(`/${hook}-now`, failing(hook, false));
      site.addHandler(`/${hook}-later`, failing(hook, true));
    }
  };
  await serve({ setup }, async (served) => {
    for (const hook of hooks) {
      for (const when of ["now", "later"]) {
        await using client = await rawUpgrade(served.port, `/${hook}-${when}`);
        if (hook !== "open") {
          client.sendFrame({ opcode: hook === "message" ? "text" : "ping" });
          if (hook === "pong") client.sendFrame({ opcode: "pong" });
          if (hook !== "message") {
            assertEquals((await client.readFrame()).opcode, 10);
          }
        }
        // The peer learns nothing of the error.
        const { payload } = await client.readFrame();
        assertEquals(payload, closePayload(1011, "internal error"));
        client.sendFrame({ opcode: "close", payload: closePayload(1011) });
        client.end();
        await client.closed;
        await until(() => told.length === 2, "the close hook");
        assertEquals(told.splice(0), [
          `secret of ${hook}`,
          `1011 local secret of ${hook}`,
        ]);
        assertEquals(served.takeErrors(), [`secret of ${hook}`]);
      }
    }
  });
});

test("HD-1: close and error hooks that fail are reported, and harm nobody", async () => {
  let closes = 0;
  let errors = 0;
  class Bad extends Handler {
    override error(): void {
      errors++;
      throw new Error("error");
    }
    override message(): void {
      throw new Error("message");
    }
    override close(): void {
      closes++;
      throw new Error("close");
    }
  }
  await serve({ setup: on("/bad", Bad) }, async (served) => {
    await using client = await rawUpgrade(served.port, "/bad");
    client.sendFrame({ payload: "x" });
    assertEquals(await readClose(client), 1011);
    await client[Symbol.asyncDispose]();
    await until(() => closes > 0, "the close hook");
    assertEquals([closes, errors], [1, 1]);
    assertEquals(served.takeErrors(), ["message", "error", "close"]);
  });
});

test("HD-4: what hooks do to their own connection has a defined order", async () => {
  const log: string[] = [];
  class Reentrant extends Handler {
    override message(data: string | Uint8Array): void {
      log.push(`message ${data}`);
      const { connection } = this;
      if (data === "close") {
        connection.close(4000, "enough");
        log.push(`send ${connection.send("late")} ${connection.readyState}`);
        connection.close(4001);
      } else if (data === "terminate") {
        connection.terminate();
        connection.terminate();
        log.push(`send ${connection.send("late")} ${connection.readyState}`);
      }
    }
    override close(info: CloseInfo): void {
      log.push(`close ${info.sent?.code} ${info.code} ${info.cause}`);
      log.push(`send ${this.connection.send("late")}`);
      void this.connection.close();
      this.connection.terminate();
      log.push(`state ${this.connection.readyState}`);
    }
  }
  await serve({ setup: on("/re", Reentrant) }, async ({ port }) => {
    await using client = await rawUpgrade(port, "/re");
    client.write(
      frame({ payload: "close", mask: true }),
      frame({ payload: "after", mask: true }),
    );
    assertEquals(
      (await client.readFrame()).payload,
      closePayload(4000, "enough"),
    );
    client.sendFrame({ opcode: "close", payload: closePayload(4000) });
    assertEquals((await client.readToEnd()).length, 0);
    client.end();
    await until(() => log.includes("state 3"), "the close hook");
    assertEquals(log.filter((line) => line !== "message after"), [
      "message close",
      "send false 2",
      "close 4000 4000 local",
      "send false",
      "state 3",
    ]);
    log.length = 0;
    await using other = await rawUpgrade(port, "/re");
    other.write(
      frame({ payload: "terminate", mask: true }),
      frame({ payload: "after", mask: true }),
    );
    assertEquals((await other.readToEnd()).length, 0);
    await until(() => log.includes("state 3"), "the close hook");
    assertEquals(log.filter((line) => !/after$/.test(line)), [
      "message terminate",
      "send false 2",
      "close undefined 1006 local",
      "send false",
      "state 3",
    ]);
  });
});
