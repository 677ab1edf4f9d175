/** Who is let in and how, whichever way the request came (HS, TW1, AB16). */
import { Handler, type Site } from "../../server.ts";
import { assert, assertEquals } from "../harness.ts";
import { closeCode } from "../harness/frame.ts";
import { rawConnect, upgradeRequest } from "../harness/raw_client.ts";
import { pause, readText, until } from "../site/served.ts";
import { testWays } from "./ways.ts";

/** Requests for `/echo` that are refused, by what they say: status, and body. */
const REFUSED: readonly (readonly [
  row: string,
  headers: Readonly<Record<string, string | undefined>>,
  status: number,
  body: string,
])[] = [
  [
    "HS-9",
    { Connection: "keep-alive" },
    426,
    "This is a WebSocket endpoint.",
  ],
  ["HS-9", { Upgrade: "websocketx" }, 426, "This is a WebSocket endpoint."],
  [
    "HS-10",
    { "Sec-WebSocket-Key": undefined },
    400,
    "Invalid Sec-WebSocket-Key.",
  ],
  [
    "HS-10",
    { "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ" },
    400,
    "Invalid Sec-WebSocket-Key.",
  ],
  [
    "HS-11",
    { "Sec-WebSocket-Version": "8" },
    426,
    "WebSocket version 13 is required.",
  ],
  [
    "HS-11",
    { "Sec-WebSocket-Version": undefined },
    426,
    "WebSocket version 13 is required.",
  ],
  ["HS-12", { Host: "a@b" }, 400, "One valid Host header is required."],
  ["HS-12", { Host: "" }, 400, "One valid Host header is required."],
  [
    "HS-14",
    { "Sec-WebSocket-Protocol": "a,,b" },
    400,
    "Invalid Sec-WebSocket-Protocol.",
  ],
  [
    "HS-17",
    { "Sec-WebSocket-Extensions": 'a; b="c' },
    400,
    "Invalid Sec-WebSocket-Extensions.",
  ],
];

testWays(
  "HS: what is not a good request is refused, with the same answers",
  {},
  async (way) => {
    for (const [row, headers, status, body] of REFUSED) {
      const answer = await way.ask("/echo", headers);
      const name = `${row}: ${JSON.stringify(headers)}`;
      assertEquals([answer.status, answer.body], [status, `${body}\n`], name);
      if (status !== 426) continue;
      assertEquals(answer.headers.get("upgrade"), "websocket", name);
      const { headers: got } = answer;
      assert(/\bupgrade\b/i.test(got.get("connection") ?? ""), name);
    }
  },
);

testWays("HS-7: only GET opens a WebSocket", {}, async (way) => {
  const { status, headers } = await way.ask("/echo", {}, "POST");
  assertEquals([status, headers.get("allow")], [405, "GET"]);
});

testWays(
  "HS-8: lists and case in Connection and Upgrade do not matter",
  {},
  async (way) => {
    await using client = await way.upgrade("/echo", {
      Connection: "keep-alive, upgrade",
      Upgrade: "h2c, WebSocket",
    });
    client.sendFrame({ payload: "in" });
    assertEquals(await readText(client), "in");
  },
);

testWays(
  "TW1: a path without a handler is 404, a plain request 426",
  {},
  async (way) => {
    assertEquals((await way.ask("/nowhere")).status, 404);
    const plain = { Upgrade: undefined, Connection: undefined };
    assertEquals((await way.ask("/nowhere", plain)).status, 404);
    assertEquals((await way.ask("/echo", plain)).status, 426);
  },
);

testWays("HS-18: the Origin decides before any handler is asked", {
  origins: ["https://friend.example"],
  setup: (site) =>
    site.addHandler(
      "/strict",
      class extends Handler {
        static upgrade(): void {
          asked++;
        }
      },
    ),
}, async (way) => {
  asked = 0;
  for (
    const origin of [
      "https://evil.example",
      "null",
      "https://127.0.0.1.evil.example",
      "nonsense",
    ]
  ) {
    const { status, body } = await way.ask("/strict", { Origin: origin });
    assertEquals(
      [status, body],
      [403, "This origin is not allowed.\n"],
      origin,
    );
  }
  assertEquals(asked, 0);
  for (const origin of ["http://127.0.0.1", "https://friend.example"]) {
    await using _ = await way.upgrade("/strict", { Origin: origin });
  }
  assertEquals(asked, 2);
});
let asked = 0;

testWays(
  "the handler sees the request, and gives the connection what it likes",
  {
    setup: (site) =>
      site.addHandler<string>(
        "/rooms/:id",
        class extends Handler<string> {
          static upgrade(
            request: { readonly headers: Headers },
            info: { readonly params: Readonly<Record<string, string>> },
          ) {
            return {
              subprotocol: "b",
              data: `${info.params.id} ${request.headers.get("x-who")}`,
              headers: [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]] as [
                string,
                string,
              ][],
            };
          }

          override open(): void {
            const { data, params, request, subprotocol } = this.connection;
            const { pathname, search, protocol } = new URL(request.url);
            this.connection.send(JSON.stringify([
              data,
              params.id,
              request.method,
              pathname + search,
              /^wss?:$/.test(protocol),
              subprotocol,
              this.connection.remoteAddress.transport,
            ]));
          }
        },
      ),
  },
  async (way) => {
    await using client = await rawConnect(way.target);
    client.write(upgradeRequest("/rooms/a%20b?q=1", {
      "X-Who": "me",
      "Sec-WebSocket-Protocol": "a,b",
    }));
    const head = await client.readHead();
    assert(head.startsWith("HTTP/1.1 101 "), head);
    assert(/^sec-websocket-protocol: b\r$/im.test(head), head);
    assert(
      /^sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r$/im.test(head),
    );
    assertEquals(
      head.match(/^set-cookie: .*$/gim)?.map((line) => line.slice(12)),
      [
        "a=1",
        "b=2",
      ],
    );
    assertEquals(JSON.parse(await readText(client)), [
      "a b me",
      "a b",
      "GET",
      "/rooms/a%20b?q=1",
      true,
      "b",
      "tcp",
    ]);
  },
);

testWays("subprotocols are agreed on in the server's order", {
  setup: (site) =>
    site.addHandler("/chat", (connection) => {
      connection.send(connection.subprotocol);
    }, { subprotocols: ["v2", "v1"] }),
}, async (way) => {
  for (const [offer, agreed] of [["v1, v2", "v2"], ["v1", "v1"], ["x", ""]]) {
    await using client = await way.upgrade("/chat", {
      "Sec-WebSocket-Protocol": offer,
    });
    assertEquals(await readText(client), agreed);
  }
});

/** Registers handlers that decide otherwise. */
function deciders(site: Site): void {
  const no = () =>
    new Response("No entry\n", {
      status: 401,
      headers: { "WWW-Authenticate": "Basic", "X-More": "1" },
    });
  const add = (path: string, upgrade: () => unknown): void =>
    site.addHandler(
      path,
      class extends Handler {
        static upgrade = upgrade as () => void;
      },
    );
  add("/returns", no);
  add("/throws", () => {
    throw no();
  });
  add("/later", async () => {
    await pause(20);
    return no();
  });
  add("/accepts-later", () => pause(20));
  add("/breaks", () => {
    throw new Error("secret");
  });
  add("/rejects", () => Promise.reject(new Error("secret")));
  add("/wrong", () => ({ subprotocol: "never offered" }));
  add("/never", () => new Promise(() => {}));
  site.addHandler(
    "/unmade",
    class extends Handler {
      constructor(connection: ConstructorParameters<typeof Handler>[0]) {
        super(connection);
        throw new Error("secret");
      }
    },
  );
}

testWays("a Response refuses, returned or thrown, at once or later", {
  setup: deciders,
}, async (way) => {
  for (const path of ["/returns", "/throws", "/later"]) {
    const { status, body, headers } = await way.ask(path);
    assertEquals([status, body], [401, "No entry\n"], path);
    assertEquals(
      [headers.get("www-authenticate"), headers.get("x-more")],
      ["Basic", "1"],
    );
  }
  await using _client = await way.upgrade("/accepts-later");
});

testWays("AB3, HS-19: a failure before the 101 is a 500 that tells nothing", {
  setup: deciders,
}, async (way) => {
  for (const path of ["/breaks", "/rejects", "/wrong", "/unmade"]) {
    const { status, body } = await way.ask(path);
    assertEquals([status, body], [500, "Internal error.\n"], path);
    assertEquals(way.takeErrors().length, 1, path);
  }
});

testWays("a handler that never decides is answered 503", {
  openTimeoutMs: 1_000,
  setup: deciders,
}, async (way) => {
  assertEquals((await way.ask("/never")).status, 503);
  assertEquals(way.takeErrors(), ["upgrade did not decide in time"]);
});

let opened = 0;

testWays("HS-21: a client that goes while the handler decides opens nothing", {
  setup: (site) =>
    site.addHandler(
      "/slow",
      class extends Handler {
        static async upgrade(): Promise<void> {
          decided = Promise.withResolvers();
          await decided.promise;
        }
        override open(): void {
          opened++;
        }
      },
    ),
}, async (way) => {
  opened = 0;
  decided = undefined;
  const client = await rawConnect(way.target);
  client.write(upgradeRequest("/slow"));
  await until(() => decided !== undefined, "the question");
  await client[Symbol.asyncDispose]();
  await pause(100);
  decided!.resolve();
  await pause(50);
  assertEquals(opened, 0);
  assertEquals(
    [...way.site.connections].filter(({ request }) =>
      request.url.endsWith("/slow")
    ),
    [],
  );
});
let decided: PromiseWithResolvers<void> | undefined;

testWays("HS-20: what the client sends at once comes after open", {
  setup: (site) =>
    site.addHandler(
      "/greets",
      class extends Handler {
        override open(): void {
          this.connection.send("welcome");
        }
        override message(data: string | Uint8Array): void {
          this.connection.send(`got ${data}`);
        }
      },
    ),
}, async (way) => {
  await using client = await way.upgrade("/greets");
  client.sendFrame({ payload: "early" });
  assertEquals(await readText(client), "welcome");
  assertEquals(await readText(client), "got early");
});

testWays("B-5, BL5, SI1: other requests go to the root on the same port", {
  root: (request, info) =>
    Response.json([
      new URL(request.url).pathname,
      request.method,
      info.remoteAddress.transport,
      typeof info.secure,
    ]),
}, async (way) => {
  const plain = { Upgrade: undefined, Connection: undefined };
  for (const path of ["/", "/echo", "/nowhere?x"]) {
    await using client = await rawConnect(way.target);
    client.write(upgradeRequest(path, { ...plain, Connection: "close" }));
    const text = new TextDecoder().decode(await client.readToEnd());
    assert(text.startsWith("HTTP/1.1 200 "), text);
    const expected = [path.replace("?x", ""), "GET", "tcp", "boolean"];
    assert(text.includes(JSON.stringify(expected)), text);
  }
  await using client = await way.upgrade();
  client.sendFrame({ payload: "and a WebSocket" });
  assertEquals(await readText(client), "and a WebSocket");
});

testWays("a root that throws is a 500, and reported", {
  root: () => {
    throw new Error("secret");
  },
}, async (way) => {
  await using client = await rawConnect(way.target);
  client.write(upgradeRequest("/", {
    Upgrade: undefined,
    Connection: "close",
  }));
  const text = new TextDecoder().decode(await client.readToEnd());
  assert(text.startsWith("HTTP/1.1 500 "), text);
  assert(!text.includes("secret"), text);
  assertEquals(way.takeErrors(), ["secret"]);
});

testWays("a constructor that closes is heard after the 101", {
  setup: (site) =>
    site.addHandler(
      "/closes",
      class extends Handler {
        constructor(connection: ConstructorParameters<typeof Handler>[0]) {
          super(connection);
          connection.send("last words");
          connection.close(4000, "bye");
        }
      },
    ),
}, async (way) => {
  await using client = await way.upgrade("/closes");
  assertEquals(await readText(client), "last words");
  assertEquals(closeCode((await client.readFrame()).payload), 4000);
});
