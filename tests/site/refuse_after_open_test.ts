/** Refusals that web pages can see (B-14). */
import { dial } from "../../client.ts";
import {
  type Connection,
  Handler,
  refuseAfterOpen,
  type Site,
  type SiteEvent,
  type UpgradeDecision,
} from "../../server.ts";
import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import { closePayload } from "../harness/frame.ts";
import { rawConnect, rawUpgrade } from "../harness/raw_client.ts";
import { serve } from "./served.ts";

let made = 0;

class Never extends Handler {
  constructor(connection: Connection) {
    super(connection);
    made++;
  }
}

/** Each way to decide it: returned or thrown, at once or later. */
const WAYS: Readonly<
  Record<string, () => UpgradeDecision | Promise<UpgradeDecision>>
> = {
  returned: () => refuseAfterOpen(4403, "not you"),
  thrown() {
    throw refuseAfterOpen(4403, "not you");
  },
  async later() {
    await new Promise((resolve) => setTimeout(resolve, 2));
    return refuseAfterOpen(4403, "not you");
  },
  rejected: () => Promise.reject(refuseAfterOpen(4403, "not you")),
};

function addWays(site: Site): void {
  for (const [name, upgrade] of Object.entries(WAYS)) {
    site.addHandler(
      `/${name}`,
      class extends Never {
        static upgrade = upgrade;
      },
    );
  }
  const silent = class extends Never {
    static upgrade = WAYS["returned"]!;
  };
  site.addHandler("/silent", silent, { closeTimeoutMs: 100 });
  site.addHandler("/function", () => void made++);
}

test("B-14: it is answered 101 and a Close at once, and no handler is made", async () => {
  await serve({
    setup: addWays,
    upgrade: ({ url }) =>
      url.endsWith("/function") ? refuseAfterOpen(4403, "not you") : undefined,
  }, async (served) => {
    for (const path of [...Object.keys(WAYS), "function"]) {
      made = 0;
      await using client = await rawUpgrade(served.port, `/${path}`);
      // Only the canary is listed, now and later.
      assertEquals(served.site.connections.size, 1);
      // What it sends before it has heard harms nothing, however much it is.
      for (let count = 0; count < 50; count++) {
        client.sendFrame({ payload: "x".repeat(10_000) });
      }
      const { opcode, payload } = await client.readFrame();
      assertEquals([opcode, payload], [8, closePayload(4403, "not you")]);
      client.sendFrame({ opcode: "close", payload: closePayload(4403) });
      const start = performance.now();
      assertEquals((await client.readToEnd()).length, 0);
      // The answer was seen: it did not take the timeout to end.
      assert(performance.now() - start < 9_000);
      assertEquals(served.site.connections.size, 1);
      assertEquals(made, 0, path);
    }
  });
});

test("B-14: a client of ours sees code and reason", async () => {
  await serve({ setup: addWays }, async ({ port }) => {
    const connection = await dial(`ws://127.0.0.1:${port}/returned`);
    const { code, reason, wasClean, cause } = await connection.closed;
    assertEquals([code, reason, wasClean, cause], [
      4403,
      "not you",
      true,
      "peer",
    ]);
  });
});

test("B-14: a subprotocol is agreed on, else a browser would not see the Close", async () => {
  class Known extends Never {
    static upgrade = WAYS["returned"]!;
  }
  const setup = (site: Site): void =>
    site.addHandler("/known", Known, {
      subprotocols: ["v2", "v1"],
      subprotocolRequired: true,
    });
  await serve({ setup }, async ({ port }) => {
    for (const [offer, agreed] of [["v1, v2", "v2"], ["a, b", "a"]] as const) {
      await using client = await rawConnect(port);
      const head = await client.upgrade("/known", {
        "Sec-WebSocket-Protocol": offer,
      });
      const [, name] = /^Sec-WebSocket-Protocol: (.*)\r$/m.exec(head) ?? [];
      assertEquals(name, agreed);
    }
  });
});

test("B-14: to those who watch it is a refusal, and no connection", async () => {
  const events: SiteEvent[] = [];
  await serve({
    setup: addWays,
    onEvent(event) {
      // That is the machine's doing.
      if (event.type !== "delayed") events.push(event);
    },
  }, async ({ port, site }) => {
    events.length = 0; // the canary's
    const before = site.stats;
    await using client = await rawUpgrade(port, "/returned?secret=1");
    assertEquals((await client.readFrame()).opcode, 8);
    assertEquals(site.stats.closing, 0);
    client.sendFrame({ opcode: "close", payload: closePayload(4403) });
    await client.readToEnd();
    const { refused, refusedFor, opened, closed, closedFor } = site.stats;
    assertEquals([refused, refusedFor], [1, { upgrade: 1 }]);
    assertEquals([opened, closed, closedFor], [
      before.opened,
      before.closed,
      before.closedFor,
    ]);
    assertEquals(events, [{
      type: "refused",
      reason: "upgrade",
      status: 101,
      path: "/returned",
      remoteAddress: {
        transport: "tcp",
        hostname: "127.0.0.1",
        port: client.localPort,
      },
    }]);
  });
});

test("B-14: a client that does not answer is dropped in time", async () => {
  await serve({ setup: addWays, maxConnections: 2 }, async (served) => {
    await using client = await rawUpgrade(served.port, "/silent");
    await client.readToEnd();
    await using next = await rawUpgrade(served.port, "/silent");
    next.reset();
  });
});

test("B-14: codes and reasons that must not be sent are refused at once", () => {
  const wrong: unknown[][] = [["4403"], [undefined], [4403, 5], [
    4403,
    "\ud800",
  ]];
  for (const [code, reason] of wrong) {
    assertThrows(
      () => refuseAfterOpen(code as number, reason as string),
      TypeError,
    );
  }
  for (const code of [0, 999, 1005, 1006, 1015, 2999, 5000, NaN]) {
    assertThrows(() => refuseAfterOpen(code), RangeError);
  }
  assertThrows(() => refuseAfterOpen(4403, "x".repeat(124)), RangeError);
});
