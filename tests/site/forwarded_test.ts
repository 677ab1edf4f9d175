/** Who the client is, where proxies stand in front (HS-24). */
import { HeaderList } from "../../codec.ts";
import { clientOf, type ProxyTrust } from "../../server/forwarded.ts";
import {
  type Address,
  type Connection,
  Handler,
  type Site,
} from "../../server.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { seededRandom } from "../harness/random.ts";
import { rawUpgrade, upgradeRequest } from "../harness/raw_client.ts";
import { assertRefused, serve, serveInTime, until } from "./served.ts";

type Fields = readonly (readonly [string, string])[];

const PROXY: Address = { transport: "tcp", hostname: "10.0.0.1", port: 9 };
const SOURCE = { remoteAddress: PROXY, secure: false };

/** Who it is: `address port`, with `tls` where it is; `proxy` for the proxy. */
function who(
  fields: Fields,
  trustedProxies: number,
  forwardedHeader?: ProxyTrust["forwardedHeader"],
): string {
  const trust = { trustedProxies, forwardedHeader };
  const client = clientOf(HeaderList.from(fields), SOURCE, trust);
  if (client === undefined) return "malformed";
  const { remoteAddress, secure } = client;
  assert(remoteAddress.transport === "tcp");
  const name = remoteAddress === PROXY
    ? "proxy"
    : `${remoteAddress.hostname} ${remoteAddress.port}`;
  return secure ? `${name} tls` : name;
}

const FOR = "X-Forwarded-For";
const PROTO = "X-Forwarded-Proto";

test("HS-24: nothing is believed unless it was configured", () => {
  for (const value of ["1.2.3.4", "garbage", "", "1.2.3.4, 5.6.7.8"]) {
    const fields: Fields = [[FOR, value], [PROTO, "https"], ["Forwarded", "x"]];
    assertEquals(who(fields, 0), "proxy");
  }
});

test("HS-24: the n-th entry of X-Forwarded-For from the right is the client", () => {
  const list = "evil, 9.9.9.9, 1.2.3.4, 5.6.7.8";
  assertEquals(who([[FOR, list]], 1), "5.6.7.8 0");
  assertEquals(who([[FOR, list]], 2), "1.2.3.4 0");
  assertEquals(who([[FOR, list]], 3), "9.9.9.9 0");
  assertEquals(who([[FOR, list]], 4), "malformed");
  assertEquals(who([[FOR, list]], 5), "proxy");
  assertEquals(who([[FOR, "1.1.1.1"], [FOR, "2.2.2.2"]], 1), "2.2.2.2 0");
  assertEquals(who([[FOR, "1.1.1.1"], [FOR, "2.2.2.2"]], 2), "1.1.1.1 0");
  assertEquals(who([], 1), "proxy");
});

test("HS-24: addresses in every form that proxies write, and no other", () => {
  const cases = [
    ["1.2.3.4", "1.2.3.4 0"],
    ["\t1.2.3.4 ", "1.2.3.4 0"],
    ["1.2.3.4:5678", "1.2.3.4 5678"],
    ["2001:DB8::0:1", "2001:db8::1 0"],
    ["[2001:db8::1]", "2001:db8::1 0"],
    ["[2001:db8::1]:443", "2001:db8::1 443"],
    ["::ffff:1.2.3.4", "1.2.3.4 0"],
    ["unknown", "proxy"],
    ["", "malformed"],
    ["1.2.3.4:", "malformed"],
    ["1.2.3.4:65536", "malformed"],
    ["1.2.3.4:123456", "malformed"],
    ["1.2.3.256", "malformed"],
    ["01.2.3.4", "malformed"],
    ["[1.2.3.4]", "malformed"],
    ["[::1", "malformed"],
    ["::1]:80", "malformed"],
    ["::1%eth0", "malformed"],
    ["localhost", "malformed"],
    ["1.2.3.4 5.6.7.8", "malformed"],
    ["1.2.3.4;x", "malformed"],
    ['"1.2.3.4"', "malformed"],
    ["\xa01.2.3.4", "malformed"],
  ] as const;
  for (const [value, client] of cases) {
    assertEquals(who([[FOR, `x, ${value}`]], 1), client, value);
  }
});

test("HS-24: Forwarded, as RFC 7239 has it", () => {
  const cases = [
    ["for=192.0.2.43", "192.0.2.43 0"],
    ["For=192.0.2.43;Proto=HTTPS;by=203.0.113.60", "192.0.2.43 0 tls"],
    ['for="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17 4711"],
    ['for="192.0.2.43:47011"; proto=http ; host="a,b;c"', "192.0.2.43 47011"],
    ['for=9.9.9.9, for="1.2.3.4"', "1.2.3.4 0"],
    ['for="x, for=9.9.9.9", for=1.2.3.4', "1.2.3.4 0"],
    ['for="1.2\\.3.4"', "1.2.3.4 0"],
    ['for=unknown, for="_gazonk:_port"', "proxy"],
    ['for="1.2.3.4:_p0rt"', "1.2.3.4 0"],
    ["by=10.0.0.1;proto=https", "proxy tls"],
    ["for=1.2.3.4;ext=1;proto=wss", "1.2.3.4 0 tls"],
    // Malformed, whoever wrote it: what the quotes hide is not to be guessed.
    ['for=", for=1.2.3.4', "malformed"],
    ['for="1.2.3.4" x', "malformed"],
    ["for=1.2.3.4;", "malformed"],
    ["for=1.2.3.4,", "malformed"],
    [", for=1.2.3.4", "malformed"],
    ["", "malformed"],
    ["1.2.3.4", "malformed"],
    ["for=", "malformed"],
    ["for =1.2.3.4", "malformed"],
    ["for=1.2.3.4;for=5.6.7.8", "malformed"],
    ["for=[::1]", "malformed"],
    ['for="2001:db8::1"', "malformed"],
    ['for="[1.2.3.4]"', "malformed"],
    ['for=""', "malformed"],
    ["for=1.2.3.4;proto=ftp", "malformed"],
    ['for=1.2.3.4;proto=""', "malformed"],
    ["for=somebody", "malformed"],
  ] as const;
  for (const [value, client] of cases) {
    assertEquals(who([["Forwarded", value]], 1), client, value);
  }
  const two: Fields = [["Forwarded", "for=1.1.1.1"], [
    "forwarded",
    "for=2.2.2.2, for=3.3.3.3",
  ]];
  assertEquals(who(two, 1), "3.3.3.3 0");
  assertEquals(who(two, 3), "1.1.1.1 0");
  assertEquals(who(two, 4), "proxy");
});

test("HS-24: X-Forwarded-Proto tells whether the client came through TLS", () => {
  const cases = [
    ["https", "1.2.3.4 0 tls"],
    ["HTTPS", "1.2.3.4 0 tls"],
    ["wss", "1.2.3.4 0 tls"],
    ["http", "1.2.3.4 0"],
    ["ws", "1.2.3.4 0"],
    ["http, https", "1.2.3.4 0 tls"],
    ["https, http", "1.2.3.4 0"],
    ["", "malformed"],
    ["on", "malformed"],
    ["toString", "malformed"],
  ] as const;
  for (const [value, client] of cases) {
    assertEquals(who([[FOR, "1.2.3.4"], [PROTO, value]], 1), client, value);
  }
  // One value counts for all the proxies there are.
  const one: Fields = [[FOR, "1.2.3.4, 5.6.7.8"], [PROTO, "https"]];
  assertEquals(who(one, 2), "1.2.3.4 0 tls");
  assertEquals(who([[PROTO, "https"]], 1), "proxy tls");
});

test("HS-24: of two headers that disagree the client wrote one", () => {
  const forwarded = (value: string): Fields => [
    [FOR, "1.2.3.4"],
    ["Forwarded", value],
  ];
  assertEquals(who(forwarded("for=9.9.9.9"), 1), "malformed");
  assertEquals(who(forwarded("for=unknown"), 1), "malformed");
  assertEquals(who(forwarded("nonsense"), 1), "malformed");
  assertEquals(who(forwarded('for="1.2.3.4:5"'), 1), "1.2.3.4 0");
  assertEquals(who(forwarded("for=1.2.3.4;proto=https"), 1), "1.2.3.4 0 tls");
  const http: Fields = [
    [PROTO, "http"],
    ...forwarded("for=1.2.3.4;proto=https"),
  ];
  assertEquals(who(http, 1), "malformed");
  const split: Fields = [[PROTO, "https"], ["Forwarded", "for=1.2.3.4"]];
  assertEquals(who(split, 1), "1.2.3.4 0 tls");
  // Unless it is said which one the proxies write.
  assertEquals(
    who(forwarded("for=9.9.9.9"), 1, "x-forwarded-for"),
    "1.2.3.4 0",
  );
  assertEquals(who(forwarded("for=9.9.9.9"), 1, "forwarded"), "9.9.9.9 0");
  assertEquals(who(http, 1, "forwarded"), "1.2.3.4 0 tls");
});

test("HS-24: whatever a client writes, it becomes no other", () => {
  const pieces = [
    ...[",", ";", "=", '"', "\\", " ", "\t", ":", "[", "]", ".", "_", "x"],
    ...["for", "proto", "https", "for=6.6.6.6", '"6.6.6.6"', "6.6.6.6", "::6"],
  ];
  for (let seed = 1; seed <= 20_000; seed++) {
    const random = seededRandom(seed);
    const length = random.below(8);
    const written = Array.from(
      { length },
      () => pieces[random.below(pieces.length)],
    ).join("");
    const list = (own: string): string => `${written}, ${own}`;
    // On a line of its own, and on the one that the proxy appends to.
    assertEquals(who([[FOR, list("1.2.3.4")]], 1), "1.2.3.4 0", `${seed}`);
    assertEquals(who([[FOR, written], [FOR, "1.2.3.4"]], 1), "1.2.3.4 0");
    for (
      const fields of [
        [["Forwarded", list("for=1.2.3.4")]],
        [["Forwarded", written], ["Forwarded", "for=1.2.3.4"]],
        [[FOR, "1.2.3.4"], ["Forwarded", written]],
        [[FOR, written], ["Forwarded", "for=1.2.3.4"]],
      ] as const
    ) {
      const client = who(fields, 1);
      const isHonest = /^(1\.2\.3\.4 0|malformed)( tls)?$/.test(client);
      assert(isHonest, `${seed}: ${fields}: ${client}`);
    }
  }
});

test("HS-24: headers made for slow parsers are read at once", () => {
  const n = 200_000;
  const start = performance.now();
  for (
    const value of [
      " ".repeat(n),
      ",".repeat(n),
      "a".repeat(n),
      "1:".repeat(n),
      `for="${"a".repeat(n)}`,
      `for="${"\\\\".repeat(n)}`,
      "for=1;".repeat(n),
      `for=1${" ".repeat(n)}x`,
    ]
  ) {
    assertEquals(who([[FOR, value]], 1), "malformed");
    assertEquals(who([["Forwarded", value]], 1), "malformed");
  }
  assert(performance.now() - start < 8_000);
});

/** The headers of a request that a proxy passes on. */
function through(proxyHeader: string): Record<string, string> {
  return { Host: "a.example", [FOR]: proxyHeader, [PROTO]: "https" };
}

test("HS-24, AB11: a trusted proxy's word is what handlers and upgrades see", async () => {
  const seen: unknown[] = [];
  const setup = (site: Site): void =>
    site.addHandler("/seen", (connection) => {
      seen.push(connection.remoteAddress, connection.request.url);
    });
  const upgrade: NonNullable<Parameters<typeof serve>[0]["upgrade"]> = (
    request,
    info,
  ) => {
    if (request.url.endsWith("/echo")) return;
    seen.push(info.remoteAddress, info.secure, request.url);
  };
  const client = { transport: "tcp", hostname: "1.2.3.4", port: 0 };
  await serve({ setup, upgrade, trustedProxies: 1 }, async (served) => {
    await using raw = await rawUpgrade(
      served.port,
      "/seen",
      through("6.6.6.6, 1.2.3.4"),
    );
    assertEquals((await raw.readFrame()).opcode, 8);
    const url = "wss://a.example/seen";
    assertEquals(seen.splice(0), [client, true, url, client, url]);
    const malformed = upgradeRequest("/seen", through("6.6.6.6, me"));
    assertRefused(await served.exchange(malformed), 400);
    assertEquals(seen, []);
  });
  await serve({ setup, upgrade }, async ({ port }) => {
    await using raw = await rawUpgrade(port, "/seen", through("1.2.3.4"));
    assertEquals((await raw.readFrame()).opcode, 8);
    const own = { ...client, hostname: "127.0.0.1", port: raw.localPort };
    const url = "ws://a.example/seen";
    assertEquals(seen.splice(0), [own, false, url, own, url]);
  });
});

test("HS-24: who watches is told the client's address, whatever is refused", async () => {
  const events: string[] = [];
  class Never extends Handler {
    static upgrade = (): Promise<void> => new Promise(() => {});
  }
  await serveInTime({
    setup: (site) => site.addHandler("/never", Never),
    trustedProxies: 1,
    openTimeoutMs: 60,
    onEvent(event) {
      if (!("remoteAddress" in event)) return;
      const { remoteAddress } = event;
      assert(remoteAddress.transport === "tcp");
      events.push(`${event.type} ${remoteAddress.hostname}`);
    },
  }, async (served) => {
    events.length = 0; // the canary's
    await using client = await rawUpgrade(
      served.port,
      "/echo",
      through("1.1.1.1"),
    );
    client.reset();
    await until(() => events.length === 3, "the end");
    for (
      const [path, address, headers] of [
        ["/nowhere", "2.2.2.2", {}],
        ["/echo", "3.3.3.3", { "Sec-WebSocket-Version": "8" }],
        ["/never", "4.4.4.4", {}],
        ["/echo", "me", {}],
      ] as const
    ) {
      const all = { ...through(address), ...headers };
      await served.exchange(upgradeRequest(path, all));
    }
    served.takeErrors();
    assertEquals(events, [
      "accepted 1.1.1.1",
      "opened 1.1.1.1",
      "closed 1.1.1.1",
      "refused 2.2.2.2",
      "refused 3.3.3.3",
      "refused 4.4.4.4",
      "refused 127.0.0.1",
    ]);
  });
});

test("HS-24: the address stays when the connection has gone", async () => {
  const closed = Promise.withResolvers<Connection>();
  const setup = (site: Site): void =>
    site.addHandler("/seen", async (connection) => {
      await connection.closed;
      closed.resolve(connection);
    });
  await serve({ setup, trustedProxies: 1 }, async ({ port }) => {
    const raw = await rawUpgrade(port, "/seen", through("1.2.3.4:5"));
    raw.reset();
    const { remoteAddress } = await closed.promise;
    assertEquals(remoteAddress, {
      transport: "tcp",
      hostname: "1.2.3.4",
      port: 5,
    });
  });
});
