/** `upgrade` of the site: asked first, for every handler. */
import {
  Handler,
  Site,
  type SiteOptions,
  type UpgradeDecision,
  type UpgradeInfo,
} from "../../server.ts";
import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import {
  rawConnect,
  rawUpgrade,
  upgradeRequest,
} from "../harness/raw_client.ts";
import { assertRefused, readText, serve, serveInTime } from "./served.ts";

/** Makes a decision later. */
async function later(decision: UpgradeDecision): Promise<UpgradeDecision> {
  await new Promise((resolve) => setTimeout(resolve, 2));
  return decision;
}

/** A decision at once, and the same one later. */
function bothWays(
  decision: () => UpgradeDecision,
): (() => UpgradeDecision | Promise<UpgradeDecision>)[] {
  return [decision, () => later(decision())];
}

/** Sends what `connection.data` is. */
class Telling extends Handler {
  override open(): void {
    const { data, subprotocol } = this.connection;
    this.connection.send(JSON.stringify([data ?? null, subprotocol]));
  }
}

/** The values of a header of a response, in order. */
function valuesOf(head: string, name: string): string[] {
  return head.split("\r\n").filter((line) =>
    line.toLowerCase().startsWith(`${name.toLowerCase()}: `)
  ).map((line) => line.slice(name.length + 2));
}

test("WS13: the site's upgrade is asked first, for every handler, and no other request", async () => {
  const asked: string[] = [];
  class Asked extends Telling {
    static upgrade(): void {
      asked.push("handler");
    }
  }
  for (const decide of bothWays(() => undefined)) {
    await serve({
      upgrade(request) {
        asked.push(new URL(request.url).pathname);
        return decide();
      },
      setup(site) {
        site.addHandler("/asked", Asked);
        site.addHandler("/rooms/:id", () => {});
      },
      root: () => new Response("root"),
    }, async (served) => {
      asked.length = 0; // the canary's
      await using _one = await rawUpgrade(served.port, "/asked");
      assertEquals(asked.splice(0), ["/asked", "handler"]);
      await using _two = await rawUpgrade(served.port, "/rooms/7");
      assertEquals(asked.splice(0), ["/rooms/7"]);
      // Neither a page, nor what was refused before.
      await served.exchange(
        "GET /asked HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
      );
      const evil = upgradeRequest("/asked", { Origin: "http://evil.example" });
      assertRefused(await served.exchange(evil), 403);
      const old = upgradeRequest("/asked", { "Sec-WebSocket-Version": "8" });
      assertRefused(await served.exchange(old), 426);
      assertEquals(asked, []);
    });
  }
});

test("AB2, WS6: headers of both are sent, cookies a line each; the handler's data and subprotocol count", async () => {
  const first = (): UpgradeDecision => ({
    headers: [["Set-Cookie", "a=1; Path=/"], ["Set-Cookie", "b=2"], [
      "X-A",
      "1",
    ]],
    subprotocol: "x",
    data: "site's",
  });
  const second = (): UpgradeDecision => ({
    headers: [["Set-Cookie", "c=3"], ["X-B", "2"]],
    subprotocol: "y",
    data: "handler's",
  });
  for (const decideFirst of bothWays(first)) {
    for (const decideSecond of bothWays(second)) {
      class Both extends Telling {
        static upgrade = decideSecond;
      }
      class Neither extends Telling {
        static upgrade(): void {}
      }
      await serve({
        upgrade: (request) =>
          request.url.endsWith("/echo") ? undefined : decideFirst(),
        setup(site) {
          site.addHandler("/both", Both);
          site.addHandler("/neither", Neither);
          site.addHandler("/none", Telling);
        },
      }, async ({ port }) => {
        const cookies = ["a=1; Path=/", "b=2"];
        for (
          const [path, all, told] of [
            ["/both", [...cookies, "c=3"], '["handler\'s","y"]'],
            ["/neither", cookies, '["site\'s","x"]'],
            ["/none", cookies, '["site\'s","x"]'],
          ] as const
        ) {
          await using client = await rawConnect(port);
          const head = await client.upgrade(path, {
            "Sec-WebSocket-Protocol": "y, x",
          });
          assertEquals(valuesOf(head, "set-cookie"), all);
          assertEquals(valuesOf(head, "x-a"), ["1"]);
          assertEquals(
            valuesOf(head, "x-b"),
            path === "/both" ? ["2"] : [],
          );
          assertEquals(await readText(client), told);
        }
      });
    }
  }
});

test("the handler's upgrade is told what the site's has found out", async () => {
  const told: unknown[] = [];
  class Told extends Telling {
    static upgrade(_: unknown, info: UpgradeInfo): void {
      told.push(info.data);
    }
  }
  await serve({
    upgrade: () => ({ data: { user: "ann" } }),
    setup: (site) => site.addHandler("/told", Told),
  }, async ({ port }) => {
    await using client = await rawUpgrade(port, "/told");
    assertEquals(await readText(client), '[{"user":"ann"},""]');
    assertEquals(told, [{ user: "ann" }]);
  });
});

test("AB3, WS5: the site's upgrade refuses by a Response, returned or thrown", async () => {
  let asked = 0;
  class Never extends Telling {
    static upgrade(): void {
      asked++;
    }
  }
  const refusal = (): Response => new Response("no", { status: 418 });
  const ways: (() => UpgradeDecision | Promise<UpgradeDecision>)[] = [
    ...bothWays(refusal),
    () => {
      throw refusal();
    },
    () => Promise.reject(refusal()),
  ];
  for (const decide of ways) {
    await serve({
      upgrade: ({ url }) => url.endsWith("/echo") ? undefined : decide(),
      setup: (site) => site.addHandler("/never", Never),
    }, async (served) => {
      const response = await served.exchange(upgradeRequest("/never"));
      assertRefused(response, 418);
      assert(response.endsWith("\r\n\r\nno"), response);
    });
  }
  assertEquals(asked, 0);
});

test("AB3: what else the site's upgrade throws or returns is a neutral 500, reported once", async () => {
  const wrong: (() => unknown)[] = [
    () => {
      throw new Error("the secret password is 1234");
    },
    () => Promise.reject("no error at all"),
    () => false,
    () => Promise.resolve(null),
    () => ({ status: 401 }),
    () => ({ headers: [["a", "b\r\nc: d"]] }),
    () => ({ subprotocol: "not offered" }),
  ];
  for (const decide of wrong) {
    await serve({
      upgrade: ({ url }) =>
        (url.endsWith("/echo") ? undefined : decide()) as UpgradeDecision,
      setup: (site) => site.addHandler("/never", Telling),
    }, async (served) => {
      const response = await served.exchange(upgradeRequest("/never"));
      assertRefused(response, 500);
      assert(response.endsWith("\r\n\r\nInternal error.\n"), response);
      assertEquals(served.takeErrors().length, 1);
    });
  }
});

test("HD-2: a site's upgrade that never decides is a 503 in time", async () => {
  await serveInTime({
    openTimeoutMs: 60,
    upgrade: ({ url }) =>
      url.endsWith("/echo") ? undefined : new Promise(() => {}),
    setup: (site) => site.addHandler("/never", Telling),
  }, async (served) => {
    assertRefused(await served.exchange(upgradeRequest("/never")), 503);
    assertEquals(served.takeErrors(), ["upgrade did not decide in time"]);
  });
});

test("WS10: headers of the site are in every answer it gives", async () => {
  class Own extends Telling {
    static upgrade(): UpgradeDecision {
      return { headers: { Server: "own", "Set-Cookie": "own=1" } };
    }
  }
  const headers: HeadersInit = [
    ["Server", "a sockeye"],
    ["Set-Cookie", "all=1"],
    ["X-Frame-Options", "DENY"],
  ];
  await serve({
    headers,
    setup(site) {
      site.addHandler("/own", Own);
    },
  }, async ({ port }) => {
    await using client = await rawConnect(port);
    const accepted = await client.upgrade("/echo");
    assertEquals(valuesOf(accepted, "server"), ["a sockeye"]);
    assertEquals(valuesOf(accepted, "x-frame-options"), ["DENY"]);
    await using second = await rawConnect(port);
    const own = await second.upgrade("/own");
    assertEquals(valuesOf(own, "server"), ["own"]);
    assertEquals(valuesOf(own, "set-cookie"), ["all=1", "own=1"]);
  });
  await serve({ headers }, async (served) => {
    for (
      const [request, status] of [
        [upgradeRequest("/nowhere"), 404],
        [upgradeRequest("/echo", { "Sec-WebSocket-Version": "8" }), 426],
        ["nonsense\r\n\r\n", 400],
        ["GET /echo HTTP/1.1\r\nHost: a\r\n\r\n", 426],
      ] as const
    ) {
      const response = await served.exchange(request);
      assertRefused(response, status);
      assertEquals(valuesOf(response, "server"), ["a sockeye"]);
      assertEquals(valuesOf(response, "set-cookie"), ["all=1"]);
      assertEquals(valuesOf(response, "content-type").length, 1);
    }
  });
});

test("WS10: a handler's refusal has the site's headers, its own first", async () => {
  class Refused extends Telling {
    static upgrade(): Response {
      const headers = { Server: "own", "X-Reason": "because" };
      return new Response("", { status: 401, headers });
    }
  }
  await serve({
    headers: { Server: "a sockeye", "X-Frame-Options": "DENY" },
    setup: (site) => site.addHandler("/refused", Refused),
  }, async (served) => {
    const response = await served.exchange(upgradeRequest("/refused"));
    assertRefused(response, 401);
    assertEquals(valuesOf(response, "server"), ["own"]);
    assertEquals(valuesOf(response, "x-frame-options"), ["DENY"]);
    assertEquals(valuesOf(response, "x-reason"), ["because"]);
  });
});

test("WS10: without them an answer tells nothing of the server", async () => {
  await serve({}, async ({ port }) => {
    await using client = await rawConnect(port);
    assertEquals(valuesOf(await client.upgrade("/echo"), "server"), []);
  });
});

test("AP-1: rules of admission that cannot have been meant are refused", () => {
  const wrong: [unknown, typeof TypeError | typeof RangeError][] = [
    [{ upgrade: {} }, TypeError],
    [{ upgrade: null }, TypeError],
    [{ headers: { "a b": "c" } }, TypeError],
    [{ headers: { a: "b\r\nc: d" } }, TypeError],
    [{ headers: { Connection: "close" } }, TypeError],
    [{ headers: { "Sec-WebSocket-Accept": "x" } }, TypeError],
    [{ headers: { "Content-Length": "5" } }, TypeError],
    [{ headers: { "Content-Type": "text/html" } }, TypeError],
    [{ maxConnections: "5" }, TypeError],
    [{ maxConnections: -1 }, RangeError],
    [{ maxConnectionsPerAddress: NaN }, RangeError],
    [{ trustedProxies: true }, TypeError],
    [{ trustedProxies: -1 }, RangeError],
    [{ trustedProxies: 1.5 }, RangeError],
    [{ trustedProxies: Infinity }, RangeError],
    [{ forwardedHeader: "X-Forwarded-For" }, TypeError],
    [{ forwardedHeader: "x-real-ip" }, TypeError],
    [{ subprotocols: "chat" }, TypeError],
    [{ subprotocols: ["a b"] }, TypeError],
    [{ subprotocolRequired: 1 }, TypeError],
  ];
  for (const [options, type] of wrong) {
    assertThrows(() => new Site(options as SiteOptions), type);
  }
});
