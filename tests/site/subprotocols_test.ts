/** Which subprotocol is agreed on, and what happens without one. */
import {
  Handler,
  type HandlerOptions,
  Site,
  type UpgradeDecision,
  type UpgradeInfo,
} from "../../server.ts";
import { assertEquals, assertMatch, assertThrows, test } from "../harness.ts";
import { rawConnect, upgradeRequest } from "../harness/raw_client.ts";
import { assertRefused, Echo, serve, type Served, statusOf } from "./served.ts";

const PROTOCOL = "Sec-WebSocket-Protocol";

/** What is agreed on; the status where the request is refused. */
async function agreed(
  { port }: Served,
  path: string,
  offer: string | undefined,
): Promise<string | number> {
  await using client = await rawConnect(port);
  client.write(upgradeRequest(path, { [PROTOCOL]: offer }));
  const head = await client.readHead();
  if (statusOf(head) !== 101) return statusOf(head);
  return /^Sec-WebSocket-Protocol: (.*)\r$/m.exec(head)?.[1] ?? "";
}

class Plain extends Handler {}

test("WS8, SI12: a required subprotocol that is not agreed on is refused with 400", async () => {
  const subprotocols = ["b", "a"];
  let asked = 0;
  class Choosing extends Handler {
    static upgrade(_: unknown, info: UpgradeInfo): UpgradeDecision {
      asked++;
      const subprotocol = info.subprotocols.find((name) => name > "w");
      return subprotocol === undefined ? undefined : { subprotocol };
    }
  }
  await serve({
    setup(site) {
      const required = { subprotocols, subprotocolRequired: true };
      site.addHandler("/required", Plain, required);
      site.addHandler("/optional", Plain, { subprotocols });
      site.addHandler("/function", () => {}, required);
      site.addHandler("/choosing", Choosing, { subprotocolRequired: true });
    },
  }, async (served) => {
    const cases = [
      // In the server's order.
      ["/required", "a, b", "b"],
      ["/required", "x, a", "a"],
      ["/required", "x, y", 400],
      ["/required", "A", 400],
      ["/required", undefined, 400],
      ["/function", "a", "a"],
      ["/function", undefined, 400],
      ["/optional", "a, b", "b"],
      ["/optional", "x, y", ""],
      ["/optional", undefined, ""],
      ["/choosing", "a, x", "x"],
      ["/choosing", "a, b", 400],
    ] as const;
    for (const [path, offer, result] of cases) {
      assertEquals(
        await agreed(served, path, offer),
        result,
        `${path} ${offer}`,
      );
    }
    asked = 0;
    assertEquals(await agreed(served, "/choosing", undefined), 400);
    assertEquals(asked, 0);
    const response = await served.exchange(upgradeRequest("/required"));
    assertRefused(response, 400);
    assertMatch(response, /subprotocols is required\.\n$/);
  });
});

test("WS8: the site's subprotocols are the handlers' where they have none", async () => {
  await serve({
    subprotocols: ["v2", "v1"],
    subprotocolRequired: true,
    setup(site) {
      site.addHandler("/site", Plain);
      site.addHandler("/own", Plain, { subprotocols: ["own"] });
      site.addHandler("/free", Plain, { subprotocolRequired: false });
      // The canary's.
      site.addHandler("/echo", Echo, {
        replace: true,
        subprotocolRequired: false,
      });
    },
  }, async (served) => {
    const cases = [
      ["/site", "v1, v2", "v2"],
      ["/site", undefined, 400],
      ["/own", "v1", 400],
      ["/own", "v1, own", "own"],
      ["/free", "v1", "v1"],
      ["/free", undefined, ""],
    ] as const;
    for (const [path, offer, result] of cases) {
      assertEquals(await agreed(served, path, offer), result, path);
    }
  });
});

test("AB4: a subprotocol that was not offered is a 500, reported, and no 101", async () => {
  class Inventing extends Handler {
    static upgrade(): UpgradeDecision {
      return { subprotocol: "invented" };
    }
  }
  await serve({
    setup: (site) => site.addHandler("/inventing", Inventing),
  }, async (served) => {
    for (const offer of [undefined, "a", "Invented"]) {
      const request = upgradeRequest("/inventing", { [PROTOCOL]: offer });
      assertRefused(await served.exchange(request), 500);
      assertEquals(served.takeErrors(), [
        'Cannot accept: subprotocol "invented" was not offered',
      ]);
    }
  });
});

test("AP-1: a handler that nobody could reach for want of a subprotocol is refused", () => {
  const site = new Site();
  const required: HandlerOptions = { subprotocolRequired: true };
  assertThrows(() => site.addHandler("/", Plain, required), TypeError);
  assertThrows(() => site.addHandler("/", () => {}, required), TypeError);
  assertThrows(
    () =>
      site.addHandler("/", Plain, {
        subprotocolRequired: 1,
      } as unknown as HandlerOptions),
    TypeError,
  );
  // Either upgrade may name one.
  class Naming extends Handler {
    static upgrade(): void {}
  }
  site.addHandler("/", Naming, required);
  new Site({ upgrade: () => {} }).addHandler("/", Plain, required);
});
