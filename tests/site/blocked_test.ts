/** An event loop that is blocked, by our own process (KA-5, HD-3). */
import { setImmediate } from "node:timers";
import {
  type CloseInfo,
  Handler,
  type Site,
  type SiteOptions,
} from "../../server.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { Child } from "../harness/child.ts";
import { inSomeTry } from "../harness/tries.ts";
import { serve, type Served, until } from "./served.ts";

const CLIENTS = 10;

/** Blocks the event loop. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** How long the slow ones take to answer a Ping. */
const PONG_MS = 200;

/** Serves clients in another process, who come to `/asked`. */
async function serveChild(
  script: string,
  options: SiteOptions,
  body: (served: Served, child: Child, ended: CloseInfo[]) => Promise<void>,
): Promise<void> {
  const ended: CloseInfo[] = [];
  class Asked extends Handler {
    override message(data: string | Uint8Array): void {
      this.connection.send(data);
    }
    override close(info: CloseInfo): void {
      ended.push(info);
    }
  }
  const setup = (site: Site): void =>
    site.addHandler("/asked", Asked, {
      pingIntervalMs: 60,
      pingTimeoutMs: 600,
    });
  await serve({ setup, ...options }, async (served) => {
    await using child = Child.running(script, [
      `${served.port}`,
      `${CLIENTS}`,
      `${PONG_MS}`,
    ]);
    assertEquals(await child.json(), "ready");
    await body(served, child, ended);
  });
}

test("KA-5: after the loop was blocked, Pongs that wait are read before anybody is given up", () =>
  inSomeTry(async () => {
    let pings = 0;
    let blocks = 0;
    const options: SiteOptions = {
      onFrame({ direction, opcode }) {
        if (direction !== "sent" || opcode !== "ping") return;
        pings++;
        if (pings % 20 !== 1 || blocks === 3) return;
        blocks++;
        // When the Ping has left, and before its Pong comes: that waits in the kernel,
        // and the time for it runs out meanwhile. Node looks at timers first after
        // what `setImmediate` has called.
        setTimeout(() => setImmediate(() => block(900)), PONG_MS / 4);
      },
    };
    const script = "tests/site/slow_pongs_child.ts";
    await serveChild(script, options, async (_served, _child, ended) => {
      await until(
        () => blocks === 3 && pings > 80,
        "the last block and more",
        30_000,
      );
      assertEquals(ended.map(({ cause }) => cause), []);
    });
  }));

test("HD-3: a handler that blocks the loop for a second delays the others by that, and harms nobody", () =>
  inSomeTry(async () => {
    let isBlocked = false;
    class Blocking extends Handler {
      override message(): void {
        isBlocked = true;
        block(1_000);
        this.connection.send("done");
      }
    }
    const script = "tests/site/answering_child.ts";
    const delays: number[] = [];
    const options: SiteOptions = {
      onEvent(event) {
        if (event.type === "delayed") delays.push(event.lateMs);
      },
    };
    await serveChild(script, options, async (served, child, ended) => {
      child.say("ask");
      const quickMs = await child.json<number>();
      served.site.addHandler("/blocking", Blocking);
      const { client } = await served.pair("/blocking");
      await using _client = client;
      client.sendFrame({ payload: "block" });
      // They ask while the loop is blocked, and again after it.
      child.say("ask");
      const slowMs = await child.json<number>();
      assert(isBlocked);
      assertEquals((await client.readFrame()).opcode, 1);
      child.say("ask");
      const againMs = await child.json<number>();
      const figures = `${quickMs} ms, blocked ${slowMs} ms, then ${againMs} ms`;
      assert(slowMs > 500 && slowMs < 5_000, figures);
      assert(againMs < 900, figures);
      assertEquals(ended.map(({ cause }) => cause), []);
      // It is measured, and told.
      assert(delays.some((lateMs) => lateMs > 800), `delays of ${delays} ms`);
    });
  }));
