/** The static `upgrade` of a handler: what becomes of a request. */
import {
  type Connection,
  type ConnectionRequest,
  Handler,
  type Site,
  type UpgradeDecision,
  type UpgradeInfo,
} from "../../server.ts";
import { assert, assertEquals, assertMatch, test } from "../harness.ts";
import {
  rawConnect,
  rawUpgrade,
  upgradeRequest,
} from "../harness/raw_client.ts";
import {
  assertRefused,
  serve,
  type Served,
  serveInTime,
  statusOf,
} from "./served.ts";

type Upgrade = (
  request: ConnectionRequest,
  info: UpgradeInfo,
) => UpgradeDecision | Promise<UpgradeDecision>;

/** Adds a handler, each `upgrade` once as it is and once as a promise. */
function add(site: Site, path: string, upgrade: Upgrade): void {
  class Decided extends Handler {
    static upgrade = upgrade;
    override open(): void {
      this.connection.send(JSON.stringify(this.connection.data ?? null));
    }
  }
  class DecidedLater extends Decided {
    static override upgrade = async (
      request: ConnectionRequest,
      info: UpgradeInfo,
    ): Promise<UpgradeDecision> => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return await upgrade(request, info);
    };
  }
  site.addHandler(path, Decided);
  site.addHandler(`${path}-later`, DecidedLater);
}

const PROTOCOL = "Sec-WebSocket-Protocol";

test("accepts with headers, data and a subprotocol", async () => {
  const setup = (site: Site): void =>
    add(site, "/in", (request, info) => {
      const headers = new Headers({ "X-One": "1" });
      headers.append("Set-Cookie", "a=1; Path=/");
      headers.append("Set-Cookie", "b=2");
      const user = request.headers.get("X-User");
      return { headers, subprotocol: info.subprotocols[1]!, data: { user } };
    });
  await serve({ setup }, async ({ port }) => {
    for (const path of ["/in", "/in-later"]) {
      await using client = await rawConnect(port);
      client.write(
        upgradeRequest(path, { [PROTOCOL]: "a, b", "X-User": "ann" }),
      );
      const head = await client.readHead();
      assertMatch(head, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
      assertMatch(head, /^x-one: 1\r$/im);
      assertMatch(head, /^set-cookie: a=1; Path=\/\r$/im);
      assertMatch(head, /^set-cookie: b=2\r$/im);
      assertMatch(head, /^Sec-WebSocket-Protocol: b\r$/m);
      const { payload } = await client.readFrame();
      assertEquals(new TextDecoder().decode(payload), '{"user":"ann"}');
    }
  });
});

test("is told of the request, the peer and the path", async () => {
  let seen: unknown[] = [];
  const setup = (site: Site): void =>
    add(site, "/:room/in", (request, info) => {
      const { remoteAddress, secure, params, subprotocols } = info;
      seen = [request.method, request.url, request.headers.get("cookie")];
      seen.push(remoteAddress, secure, { ...params }, [...subprotocols]);
    });
  await serve({ setup }, async ({ port }) => {
    await using client = await rawUpgrade(port, "/blue/in?x=1", {
      Host: "Example.com:8080",
      Cookie: "a=1\r\nCookie: b=2",
      [PROTOCOL]: "a\r\nSec-WebSocket-Protocol: b",
    });
    assertEquals(seen, [
      "GET",
      "ws://example.com:8080/blue/in?x=1",
      seen[2],
      { transport: "tcp", hostname: "127.0.0.1", port: client.localPort },
      false,
      { room: "blue" },
      ["a", "b"],
    ]);
    // How two lines are joined is the runtime's `Headers`.
    assertMatch(String(seen[2]), /^a=1[;,] b=2$/);
  });
});

test("refuses by returning or throwing a Response, whole", async () => {
  const refusal = (): Response =>
    new Response("who are you?", {
      status: 401,
      headers: {
        "WWW-Authenticate": "Basic",
        Connection: "keep-alive",
        "Content-Length": "3",
        "Transfer-Encoding": "chunked",
      },
    });
  const setup = (site: Site): void => {
    add(site, "/returned", () => refusal());
    add(site, "/thrown", () => {
      throw refusal();
    });
    add(site, "/empty", () => new Response(null, { status: 404 }));
  };
  await serve({ setup }, async (served) => {
    for (const path of ["/returned", "/thrown"]) {
      for (const which of [path, `${path}-later`]) {
        const response = await served.exchange(
          upgradeRequest(which),
          upgradeRequest("/echo"),
        );
        assertRefused(response, 401);
        assertMatch(response, /^www-authenticate: Basic\r$/im);
        assert(!/transfer-encoding/i.test(response), response);
        assert(response.endsWith("\r\n\r\nwho are you?"), response);
      }
    }
    assertRefused(await served.exchange(upgradeRequest("/empty")), 404);
  });
});

/** Asserts a 500 that gives nothing away, and what was reported. */
async function assertFails(
  served: Served,
  path: string,
  reported: RegExp,
): Promise<void> {
  for (const which of [path, `${path}-later`]) {
    const response = await served.exchange(upgradeRequest(which));
    assertRefused(response, 500);
    assert(response.endsWith("\r\n\r\nInternal error.\n"), response);
    const errors = served.takeErrors();
    assertEquals(errors.length, 1, `${which}: ${errors}`);
    assertMatch(errors[0]!, reported);
  }
}

test("HD-1: an upgrade that fails is a neutral 500, reported once", async () => {
  const setup = (site: Site): void => {
    add(site, "/throws", () => {
      throw new Error("the secret password is 1234");
    });
    add(site, "/throws-text", () => {
      throw "no error at all";
    });
    add(site, "/used", () => {
      const response = new Response("once", { status: 403 });
      void response.text();
      return response;
    });
  };
  await serve({ setup }, async (served) => {
    await assertFails(served, "/throws", /the secret password is 1234/);
    await assertFails(served, "/throws-text", /no error at all/);
    await assertFails(served, "/used", /./);
  });
});

test("HS-19: what may not be answered is answered 500, and nothing injected", async () => {
  const setup = (site: Site): void => {
    add(site, "/not-offered", () => ({ subprotocol: "c" }));
    add(site, "/crlf", () => ({ subprotocol: "a\r\nX-Evil: 1" }));
    const headers = [["X-A", "b\r\nX-Evil: 1"]] as [string, string][];
    add(site, "/header", () => ({ headers }));
    add(site, "/own", () => ({ headers: { "Sec-WebSocket-Accept": "x" } }));
    add(site, "/name", () => ({ headers: [["X A", "b"]] }));
  };
  await serve({ setup }, async (served) => {
    await assertFails(served, "/not-offered", /not offered|subprotocol/);
    await assertFails(served, "/crlf", /not offered|subprotocol/);
    await assertFails(served, "/header", /./);
    await assertFails(served, "/own", /belongs to the handshake/i);
    await assertFails(served, "/name", /./);
  });
});

test("a decision that is none accepts nobody", async () => {
  const wrong: unknown[] = [false, true, null, 403, "no", { status: 401 }];
  const setup = (site: Site): void => {
    for (const [index, decision] of wrong.entries()) {
      add(site, `/wrong-${index}`, () => decision as UpgradeDecision);
    }
  };
  await serve({ setup }, async (served) => {
    for (const index of wrong.keys()) {
      await assertFails(served, `/wrong-${index}`, /./);
    }
  });
});

test("HD-1: a constructor that throws is a neutral 500, reported once", async () => {
  class Broken extends Handler {
    constructor(connection: Connection) {
      super(connection);
      connection.send("never");
      connection.send(new Uint8Array(100_000));
      throw new Error("cannot be made");
    }
  }
  const setup = (site: Site): void => site.addHandler("/broken", Broken);
  await serve({ setup }, async (served) => {
    const response = await served.exchange(upgradeRequest("/broken"));
    assertEquals(statusOf(response), 500);
    assertRefused(response, 500);
    assertEquals(served.takeErrors(), ["cannot be made"]);
    // The canary's.
    assertEquals(served.site.connections.size, 1);
  });
});

test("HD-2: an upgrade that never decides is a 503 in time, reported once", async () => {
  const setup = (site: Site): void => {
    class Undecided extends Handler {
      static upgrade = (): Promise<void> => new Promise(() => {});
    }
    site.addHandler("/never", Undecided);
  };
  await serveInTime({ setup, openTimeoutMs: 60 }, async (served) => {
    assertRefused(await served.exchange(upgradeRequest("/never")), 503);
    assertEquals(served.takeErrors(), ["upgrade did not decide in time"]);
  });
});
