/** Cookies of a request (RFC 6265). */
import { parseCookies, type Site } from "../../server.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { rawUpgrade } from "../harness/raw_client.ts";
import { serve } from "./served.ts";

function cookiesOf(text: string): Record<string, string> {
  return Object.fromEntries(parseCookies(new Headers({ Cookie: text })));
}

test("AB11: cookies are read as RFC 6265 has them", () => {
  const cases: [string, Record<string, string>][] = [
    ["a=1", { a: "1" }],
    ["a=1; b=2", { a: "1", b: "2" }],
    // Blanks after a semicolon are optional to some clients.
    ["a=1;b=2 ;\tc=3", { a: "1", b: "2", c: "3" }],
    ["SID=31d4d96e407aad42; lang=en-US", {
      SID: "31d4d96e407aad42",
      lang: "en-US",
    }],
    ["a=", { a: "" }],
    ["a=b=c==", { a: "b=c==" }],
    // The quotes belong to the value, and nothing is decoded.
    ['a="1"; b=%20+', { a: '"1"', b: "%20+" }],
    ["a=1;", { a: "1" }],
    // The first one is that of the longer path.
    ["a=1; a=2", { a: "1" }],
    ["A=1; a=2", { A: "1", a: "2" }],
    ["__Host-id=x.y_z~!#$&'()*/:<>?@[]^`{|}", {
      "__Host-id": "x.y_z~!#$&'()*/:<>?@[]^`{|}",
    }],
  ];
  for (const [text, cookies] of cases) assertEquals(cookiesOf(text), cookies);
  assertEquals(parseCookies(new Headers()).size, 0);
});

test("AB11: a malformed cookie is left out, and harms no other", () => {
  const wrong = [
    "",
    "=1",
    "x",
    "x y=1",
    "x=1 2",
    "x=1,2",
    'x="1',
    'x=1"',
    'x=a"b"',
    "x=a\\b",
    "x=caf\xe9",
    "x@=1",
    "x[]=1",
  ];
  for (const pair of wrong) {
    assertEquals(cookiesOf(`a=1; ${pair}; b=2`), { a: "1", b: "2" }, pair);
    assertEquals(cookiesOf(pair), {}, pair);
  }
});

test("cookies by the names of object members are cookies", () => {
  const cookies = parseCookies(new Headers({ Cookie: "__proto__=1" }));
  assertEquals(cookies.get("__proto__"), "1");
  assertEquals(cookies.get("toString"), undefined);
});

test("cookies made for slow parsers are read at once, and not without end", () => {
  const n = 200_000;
  const start = performance.now();
  for (
    const text of [
      " ".repeat(n),
      ";".repeat(n),
      "a".repeat(n),
      `a=${"1".repeat(n)}"`,
      `a="${"1".repeat(n)}`,
      "a=1 ".repeat(n / 4),
      '="'.repeat(n / 2),
    ]
  ) assert(parseCookies(new Headers({ Cookie: `x=1;${text}` })).size <= 2);
  const many = Array.from({ length: n / 10 }, (_, i) => `c${i}=1`).join("; ");
  assertEquals(parseCookies(new Headers({ Cookie: many })).size, 1_024);
  assert(performance.now() - start < 8_000);
});

test("AB11, AB2: query and cookies are at hand before and after the opening", async () => {
  const seen: unknown[] = [];
  const setup = (site: Site): void =>
    site.addHandler("/rooms/:id", (connection) => {
      const { url, headers } = connection.request;
      const query = new URL(url).searchParams;
      seen.push(query.getAll("x"), parseCookies(headers).get("sid"));
    });
  await serve({
    setup,
    upgrade(_request, info) {
      if (!info.params["id"]) return;
      seen.push(info.query.getAll("x"), info.query.get("none"));
      seen.push(info.cookies.get("sid"), info.cookies.get("theme"));
      // The same ones, however often one asks.
      seen.push(info.query === info.query, info.cookies === info.cookies);
    },
  }, async ({ port }) => {
    await using client = await rawUpgrade(port, "/rooms/7?x=1&x=a%20b&y", {
      Cookie: "sid=31d4; theme=dark",
    });
    assertEquals((await client.readFrame()).opcode, 8);
  });
  assertEquals(seen, [
    ["1", "a b"],
    null,
    "31d4",
    "dark",
    true,
    true,
    ["1", "a b"],
    "31d4",
  ]);
});
