import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import { formatExtensions, parseExtensions } from "../../codec/extension.ts";
import { hasToken, parseDistinctTokens } from "../../codec/header.ts";

test("parseExtensions() reads names, parameters and quoted values", () => {
  assertEquals(
    parseExtensions([
      'permessage-deflate; client_max_window_bits; server_max_window_bits="1\\0"',
      " x-a ;b = c\t; d,,y",
    ]),
    [
      {
        name: "permessage-deflate",
        parameters: [
          ["client_max_window_bits", undefined],
          ["server_max_window_bits", "10"],
        ],
      },
      { name: "x-a", parameters: [["b", "c"], ["d", undefined]] },
      { name: "y", parameters: [] },
    ],
  );
});

test("HS-17: several offers of one extension stay apart, in order", () => {
  assertEquals(parseExtensions(["a; x=1; x=2, a"]), [
    { name: "a", parameters: [["x", "1"], ["x", "2"]] },
    { name: "a", parameters: [] },
  ]);
});

test("HS-17: malformed extension lists", () => {
  for (
    const value of [
      "",
      ",",
      "a b",
      "a;",
      "a; ;b",
      "a; =b",
      "a; b=",
      "a; b=,c",
      'a; b="',
      'a; b=""',
      'a; b="c',
      'a; b="c\\',
      'a; b="c d"',
      'a; b="c"d',
      'a; b="c,d"',
      'a; b="\\""',
      "a; b==c",
      '"a"',
      ";a",
      "a=b",
      "ä",
    ]
  ) assertEquals(parseExtensions([value]), undefined, value);
});

test("HS-16: names of Object.prototype are names like any other", () => {
  const names = ["constructor", "__proto__", "hasOwnProperty", "toString"];
  const parsed = parseExtensions([
    names.map((name) => `${name}; ${name}=x`).join(),
  ]);
  assertEquals(
    parsed,
    names.map((name) => ({ name, parameters: [[name, "x"]] })),
  );
  assertEquals(({} as Record<string, unknown>).x, undefined);
});

test("formatExtensions() is the inverse of parseExtensions()", () => {
  const text = "a; b; c=d, e";
  assertEquals(formatExtensions(parseExtensions([text])!), text);
  assertEquals(formatExtensions([]), "");
});

test("AP-2: formatExtensions() refuses what is not a token", () => {
  for (
    const extension of [
      { name: "a\r\n", parameters: [] },
      { name: "a", parameters: [["", undefined]] },
      { name: "a", parameters: [["b", "c d"]] },
    ] as const
  ) {
    assertThrows(
      () => formatExtensions([extension]),
      TypeError,
      "is not a token",
    );
  }
});

test("HS-15: hostile lists take linear time", () => {
  const shapes: ((n: number) => string)[] = [
    (n) => `b${" ".repeat(n)}x`,
    (n) => `a; b="${"\\c".repeat(n / 2)}`,
    (n) => `a; b="${"\\c".repeat(n / 2)}"`,
    (n) => ",".repeat(n),
    (n) => ";".repeat(n),
    (n) => '"'.repeat(n),
    (n) => `a${";b".repeat(n / 2)}`,
    (n) => "a,".repeat(n / 2),
  ];
  for (const shape of shapes) {
    // The best of several runs, against the noise of a shared machine.
    const time = (text: string): number => {
      let best = Infinity;
      for (let run = 0; run < 8; run++) {
        const start = performance.now();
        for (let again = 0; again < 4; again++) {
          parseExtensions([text]);
          parseDistinctTokens([text]);
          hasToken([text], "upgrade");
        }
        best = Math.min(best, performance.now() - start);
      }
      return best;
    };
    time(shape(1_000)); // warms up
    const small = time(shape(1_000));
    const large = time(shape(16_000));
    // 16 times the input; a quadratic scanner takes 256 times as long.
    assert(
      large < 20 || large < 64 * small,
      `${small} ms for 1,000, ${large} ms for 16,000: ${shape(8)}`,
    );
  }
});
