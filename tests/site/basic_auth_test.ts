/** User names and passwords (WS12, RFC 7617). */
import { readFileSync } from "node:fs";
import { dial, HandshakeError } from "../../client.ts";
import {
  basicAuth,
  type BasicAuthData,
  type BasicAuthOptions,
  type Connection,
  Handler,
  type UpgradeDecision,
  type UpgradeInfo,
} from "../../server.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
  test,
} from "../harness.ts";
import {
  rawConnect,
  rawUpgrade,
  upgradeRequest,
} from "../harness/raw_client.ts";
import { assertRefused, readText, serve } from "./served.ts";

const encoder = new TextEncoder();

/** The header for a name and a password, or for any bytes. */
function basic(userPass: string | Uint8Array): Record<string, string> {
  const bytes = typeof userPass === "string"
    ? encoder.encode(userPass)
    : userPass;
  return { Authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` };
}

/** Registers a handler on `/in` that tells the name, and runs `body`. */
async function withAuth(
  options: BasicAuthOptions,
  body: (
    status: (headers?: Record<string, string>) => Promise<number>,
  ) => Promise<
    void
  >,
): Promise<void> {
  class In extends Handler<BasicAuthData> {
    static upgrade = basicAuth(options);
  }
  await serve({
    setup: (site) => site.addHandler("/in", In),
  }, async (served) => {
    await body(async (headers) => {
      await using client = await rawConnect(served.port);
      client.write(upgradeRequest("/in", headers));
      const head = await client.readHead();
      const status = Number(head.slice(9, 12));
      const challenge = /^www-authenticate: (.*)\r$/im.exec(head)?.[1];
      assertEquals(challenge !== undefined, status === 401, head);
      return status;
    });
  });
}

test("WS12: without the right password the answer is 401 and a challenge", async () => {
  class In extends Handler<BasicAuthData> {
    static upgrade = basicAuth({
      realm: 'the "inner" \\ room',
      credentials: { ann: "sesame" },
    });
    override open(): void {
      this.connection.send(this.connection.data.username);
    }
  }
  await serve({
    setup: (site) => site.addHandler("/in", In),
  }, async (served) => {
    for (const headers of [{}, basic("ann:wrong"), basic("bob:sesame")]) {
      const response = await served.exchange(upgradeRequest("/in", headers));
      assertRefused(response, 401);
      const [, challenge] = /^www-authenticate: (.*)\r$/im.exec(response) ?? [];
      assertEquals(
        challenge,
        'Basic realm="the \\"inner\\" \\\\ room", charset="UTF-8"',
      );
      assert(response.endsWith("\r\n\r\nAuthentication required.\n"), response);
    }
    await using client = await rawUpgrade(
      served.port,
      "/in",
      basic("ann:sesame"),
    );
    assertEquals(await readText(client), "ann");
  });
});

test("WS12: names and passwords are UTF-8, and the first colon parts them", async () => {
  const credentials = {
    ann: "a:b:c",
    Jürgen: "grüße 🐟",
    "": "nameless",
    empty: "",
    __proto__x: "p",
    toString: "t",
  };
  await withAuth({ realm: "r", credentials }, async (status) => {
    for (const [name, password] of Object.entries(credentials)) {
      assertEquals(await status(basic(`${name}:${password}`)), 101, name);
      assertEquals(await status(basic(`${name}:${password}x`)), 401, name);
      assertEquals(await status(basic(`x${name}:${password}`)), 401, name);
    }
    for (
      const userPass of [
        "",
        ":",
        "ann",
        "ann:",
        "ann:a",
        "ANN:a:b:c",
        "ann:a:b:c\0",
        "ann:nameless",
        "valueOf:",
        "constructor:t",
        // Latin-1, and other bytes that are no UTF-8.
        Uint8Array.from("J\xfcrgen:x", (character) => character.charCodeAt(0)),
        Uint8Array.of(0xff, 0x3a, 0xff),
        // A byte order mark is part of the name.
        Uint8Array.of(0xef, 0xbb, 0xbf, ...encoder.encode("ann:a:b:c")),
      ]
    ) assertEquals(await status(basic(userPass)), 401, String(userPass));
  });
});

test("WS12: the header is read strictly, the scheme in any case", async () => {
  const good = btoa("ann:sesame"); // YW5uOnNlc2FtZQ==
  await withAuth({
    realm: "r",
    credentials: { ann: "sesame" },
  }, async (status) => {
    for (const scheme of ["Basic", "basic", "BASIC", "bAsIc  "]) {
      const Authorization = `${scheme} ${good}`;
      assertEquals(await status({ Authorization }), 101, scheme);
    }
    for (
      const Authorization of [
        "",
        "Basic",
        "Basic ",
        good,
        `Basic${good}`,
        `Bearer ${good}`,
        `Basic ${good} x`,
        `Basic ${good}, Basic ${good}`,
        `Basic ${good}\r\nAuthorization: Basic ${good}`,
        `Basic "${good}"`,
        // Base64 that is not canonical: no padding, or bits that are not zero.
        `Basic ${good.slice(0, -2)}`,
        `Basic ${good.slice(0, -1)}`,
        `Basic ${good}=`,
        `Basic ${good.replace("Q==", "R==")}`,
        `Basic ${good.slice(0, 4)} ${good.slice(4)}`,
        `Basic ${btoa("ann:>>>???").replaceAll("+", "-").replaceAll("/", "_")}`,
        `Basic caf\xe9`,
      ]
    ) assertEquals(await status({ Authorization }), 401, Authorization);
  });
});

test("WS12: check decides, at once or later; control characters never reach it", async () => {
  const seen: string[][] = [];
  const check = (username: string, password: string): boolean => {
    seen.push([username, password]);
    return username === "ann" && password === "sesame";
  };
  const later = async (name: string, password: string): Promise<boolean> => {
    await new Promise((resolve) => setTimeout(resolve, 2));
    return check(name, password);
  };
  for (const which of [check, later]) {
    await withAuth({ realm: "", check: which }, async (status) => {
      assertEquals(await status(basic("ann:sesame")), 101);
      assertEquals(await status(basic("ann:x")), 401);
      assertEquals(await status(basic(":")), 401);
      assertEquals(seen.splice(0), [["ann", "sesame"], ["ann", "x"], ["", ""]]);
      // RFC 7617, section 2: "MUST NOT contain any control characters".
      for (const code of [0, 9, 10, 13, 0x1f, 0x7f, 0x85]) {
        const character = String.fromCharCode(code);
        assertEquals(await status(basic(`ann${character}:x`)), 401);
        assertEquals(await status(basic(`ann:x${character}`)), 401);
      }
      // Nor does what is not UTF-8.
      const latin1 = Uint8Array.of(0x61, 0xfc, 0x3a, 0x78);
      assertEquals(await status(basic(latin1)), 401);
      assertEquals(await status(), 401);
      assertEquals(seen, []);
    });
  }
});

test("WS12: a check that fails, or does not answer, is a neutral 500", async () => {
  const wrong: (() => unknown)[] = [
    () => {
      throw new Error("the database's password is 1234");
    },
    () => Promise.reject(new Error("down")),
    () => undefined,
    () => "yes",
    () => 1,
  ];
  for (const check of wrong) {
    class In extends Handler<BasicAuthData> {
      static upgrade = basicAuth({ realm: "r", check: check as () => boolean });
    }
    await serve({
      setup: (site) => site.addHandler("/in", In),
    }, async (served) => {
      const request = upgradeRequest("/in", basic("ann:sesame"));
      const response = await served.exchange(request);
      assertRefused(response, 500);
      assert(response.endsWith("\r\n\r\nInternal error.\n"), response);
      assertEquals(served.takeErrors().length, 1);
    });
  }
});

test("WS12: for all handlers of a site, whose own upgrade is told the name", async () => {
  const told: unknown[] = [];
  interface Guest {
    readonly user: string;
    readonly room: string;
  }
  class Room extends Handler<Guest> {
    static upgrade(_: unknown, info: UpgradeInfo): UpgradeDecision<Guest> {
      const { username } = info.data as BasicAuthData;
      return { data: { user: username, room: info.params["room"]! } };
    }
    override open(): void {
      this.connection.send(JSON.stringify(this.connection.data));
    }
  }
  const ask = basicAuth({ realm: "rooms", credentials: { ann: "sesame" } });
  await serve({
    upgrade: (request, info) =>
      request.url.endsWith("/echo") ? undefined : ask(request, info),
    setup(site) {
      site.addHandler("/rooms/:room", Room);
      site.addHandler<BasicAuthData>("/plain", (connection) => {
        told.push(connection.data.username);
      });
      site.addHandler("/any", (connection: Connection) => {
        told.push(connection.data);
      });
    },
  }, async (served) => {
    for (const path of ["/rooms/blue", "/plain"]) {
      assertRefused(await served.exchange(upgradeRequest(path)), 401);
    }
    const ann = basic("ann:sesame");
    await using client = await rawUpgrade(served.port, "/rooms/blue", ann);
    assertEquals(await readText(client), '{"user":"ann","room":"blue"}');
    await using plain = await rawUpgrade(served.port, "/plain", ann);
    assertEquals((await plain.readFrame()).opcode, 8);
    await using any = await rawUpgrade(served.port, "/any", ann);
    assertEquals((await any.readFrame()).opcode, 8);
    assertEquals(told, ["ann", { username: "ann" }]);
  });
});

test("WS12: dial enters with the name and the password of its URL", async () => {
  class In extends Handler<BasicAuthData> {
    static upgrade = basicAuth({
      realm: "r",
      credentials: { Jürgen: "a:b/c grüße" },
    });
    override open(): void {
      this.connection.send(this.connection.data.username);
    }
  }
  await serve({
    setup: (site) => site.addHandler("/in", In),
  }, async ({ port }) => {
    const url = new URL(`ws://127.0.0.1:${port}/in`);
    const refused = await assertRejects(() => dial(url), HandshakeError);
    assertEquals(refused.status, 401);
    url.username = "Jürgen";
    url.password = "a:b/c grüße";
    await using connection = await dial(url);
    assertEquals(await connection.receive(), "Jürgen");
  });
});

test("AP-1: options of basicAuth that cannot have been meant are refused", () => {
  const check = (): boolean => true;
  const wrong: unknown[] = [
    undefined,
    {},
    { realm: "r" },
    { check },
    { realm: 5, check },
    { realm: "caf\xe9", check },
    { realm: "a\nb", check },
    { realm: "r", check, credentials: {} },
    { realm: "r", check: true },
    { realm: "r", credentials: "ann:x" },
    { realm: "r", credentials: null },
    { realm: "r", credentials: { ann: 5 } },
    { realm: "r", credentials: { "a:b": "x" } },
    { realm: "r", credentials: { "a\n": "x" } },
    { realm: "r", credentials: { a: "x\0" } },
    { realm: "r", check, more: 1 },
  ];
  for (const options of wrong) {
    assertThrows(() => basicAuth(options as BasicAuthOptions), TypeError);
  }
});

test("AP-4: whatever is sent, the same digests are made and compared in full", async () => {
  // A clock would have to be read millions of times to show a difference; so the
  // work is counted instead.
  const { subtle } = crypto;
  const digest = subtle.digest;
  let digests = 0;
  let reads = 0;
  subtle.digest = async (...args: Parameters<typeof digest>) => {
    digests++;
    return await digest.apply(subtle, args);
  };
  const NativeArray = globalThis.Uint8Array;
  /** Counts each byte of a digest that is looked at. */
  class Watched extends NativeArray {
    constructor(source: ArrayBuffer) {
      super(source);
      return new Proxy(this, {
        get: (target, key) => {
          if (typeof key === "string" && /^\d+$/.test(key)) reads++;
          return Reflect.get(target, key, target);
        },
      });
    }
    static override from = NativeArray.from.bind(NativeArray) as never;
  }
  const work: [number, number][] = [];
  try {
    const ask = basicAuth({
      realm: "r",
      credentials: { ann: "sesame", bob: "open", carol: "please" },
    });
    const askAs = async (userPass: string) => {
      const { Authorization } = basic(userPass);
      const headers = new Headers({ Authorization: Authorization! });
      await ask({ method: "GET", url: "ws://a/", headers }, {} as UpgradeInfo);
    };
    // The first one makes the digests that all are compared with.
    await askAs("first:one");
    globalThis.Uint8Array = Watched as never;
    for (
      const userPass of [
        "ann:sesame",
        "carol:please",
        "ann:sesamf",
        "ann:x",
        "nobody:sesame",
        ":",
        `ann:${"x".repeat(1_000)}`,
      ]
    ) {
      [digests, reads] = [0, 0];
      await askAs(userPass);
      work.push([digests, reads]);
    }
  } finally {
    subtle.digest = digest;
    globalThis.Uint8Array = NativeArray;
  }
  // One digest, of which each of its 32 bytes is compared with each of the three.
  assertEquals(work, work.map(() => [1, 3 * 32]));
});

test("AP-4: no secret is compared by an operator that stops early", () => {
  const path = new URL("../../server/basic_auth.ts", import.meta.url);
  const code = readFileSync(path, "utf8").replaceAll(
    /\/\*[^]*?\*\/|\/\/[^\n]*|typeof \w+ !== "string"/g,
    "",
  );
  const operands = code.matchAll(
    /([\w.\]")]+)\s*(?:[=!]==?|\.startsWith|\.includes|\.localeCompare)\s*/g,
  );
  for (const [, operand = ""] of operands) {
    assert(!/password|digest|userPass/i.test(operand), operand);
  }
  const compare = /function isSameDigest[^]*?\n}/.exec(code)?.[0] ?? "";
  assert(/\|=[^;]*\^/.test(compare), "the bytes are combined");
  assertEquals(compare.match(/return/g)?.length, 1, "there is one way out");
  assert(!/\bif\b|\?|&&|\|\||\bbreak\b/.test(compare), "there is no branch");
});
