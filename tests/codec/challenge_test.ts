/** B-10: challenges of RFC 9110, section 11, by its grammar. */
import { assert, assertEquals, test } from "../harness.ts";
import { formatQuoted, parseChallenges } from "../../codec/challenge.ts";

/** The same as plain values, which compare and print well. */
function parsed(
  ...lines: string[]
): [scheme: string, rest: string | Record<string, string>][] {
  return parseChallenges(lines).map(({ scheme, token68, parameters }) => {
    if (token68 !== undefined) assertEquals(parameters.size, 0);
    return [scheme, token68 ?? Object.fromEntries(parameters)];
  });
}

test("B-10: the challenges of RFC 9110, section 11.6.1, in one line and in several", () => {
  const basic: [string, Record<string, string>] = ["basic", {
    realm: "simple",
  }];
  const newauth: [string, Record<string, string>] = ["newauth", {
    realm: "apps",
    type: "1",
    title: 'Login to "apps"',
  }];
  const lines = [
    'Basic realm="simple"',
    'Newauth realm="apps", type=1, title="Login to \\"apps\\""',
  ] as const;
  assertEquals(parsed(lines.join(", ")), [basic, newauth]);
  assertEquals(parsed(lines.toReversed().join(",")), [newauth, basic]);
  assertEquals(parsed(...lines), [basic, newauth]);
});

test("B-10: schemes alone, with a token68, and with parameters, in any order", () => {
  const cases: [line: string, ...ReturnType<typeof parsed>][] = [
    ["Negotiate", ["negotiate", {}]],
    ["Negotiate, NTLM", ["negotiate", {}], ["ntlm", {}]],
    ["Negotiate a87421000492aa874209af8bc028==", [
      "negotiate",
      "a87421000492aa874209af8bc028==",
    ]],
    ["A b, C d/e+f~._-=, E", ["a", "b"], ["c", "d/e+f~._-="], ["e", {}]],
    ["A realm=, B", ["a", "realm="], ["b", {}]],
    ["A /b/", ["a", "/b/"]],
    ["Basic realm=x, Negotiate, Digest a=b", ["basic", { realm: "x" }], [
      "negotiate",
      {},
    ], ["digest", { a: "b" }]],
    ['Digest qop="auth,auth-int" ,\tA = b,,c\t= \t"d" , ,', ["digest", {
      qop: "auth,auth-int",
      a: "b",
      c: "d",
    }]],
    [",, Basic ,", ["basic", {}]],
    ["Basic , realm=x", ["basic", { realm: "x" }]],
    ['Basic   realm=""', ["basic", { realm: "" }]],
    ["X a='b', __proto__=c", ["x", { a: "'b'", ["__proto__"]: "c" }]],
    ['X a="\\\\\\"\\b\t\xe4", b="Bearer c=d"', ["x", {
      a: '\\"b\t\xe4',
      b: "Bearer c=d",
    }]],
    ["", ...[]],
    [" , ", ...[]],
  ];
  for (const [line, ...wanted] of cases) {
    assertEquals([line, parsed(line)], [line, wanted]);
  }
});

test("B-10: a malformed line counts as absent, others do not suffer", () => {
  const lines = [
    "=",
    "a=b",
    '"Basic" realm=x',
    'Basic realm="x" charset="UTF-8"',
    "Basic realm=x realm=y",
    "Basic realm=x, Realm=y",
    "Basic realm=a b",
    "Basic realm=x;y",
    'Basic realm="x',
    'Basic realm="x\\',
    'Basic realm="x"y',
    'Basic realm="\x01"',
    'Basic realm="\\\x7f"',
    'Basic realm="\u0100"',
    "Basic realm=\xe4",
    "Basic r\xe4=x",
    "Basic =x",
    "Basic/abc",
    'Basic"x"',
    "Basic (x)",
    "Basic a b",
    "Basic a, b=c",
    "Basic a=b=",
    "Basic a=b, ,=c",
    "Basic a==b",
  ];
  for (const line of lines) {
    assertEquals([line, parsed(line)], [line, []]);
    assertEquals(parsed("A b", line, "C"), [["a", "b"], ["c", {}]]);
  }
});

test("B-10: 64 KiB of anything is parsed in linear time", () => {
  const parts = ["a ", "a=", "a b,", 'a b="', '\\"', ",", " ", "a=b,", "a /="];
  // The best of several runs, against the noise of a shared machine.
  const time = (line: string): number => {
    let best = Infinity;
    for (let run = 0; run < 5 && best >= 1_000; run++) {
      const start = performance.now();
      parseChallenges([line]);
      best = Math.min(best, performance.now() - start);
    }
    return best;
  };
  for (const part of parts) {
    const line = part.repeat(65_536 / part.length);
    time(line);
    assert(time(line) < 1_000, part);
    assert(time(`A b="${line}`) < 1_000, part);
  }
});

test("B-10: formatQuoted() writes what parseChallenges() reads back", () => {
  for (const text of ["", "plain", '"', "\\", 'a"b\\"c\\', "\t\xff"]) {
    assertEquals(parsed(`A b=${formatQuoted(text)}`), [["a", { b: text }]]);
  }
});
