/** B-10: `basic` and `digest`, against the examples of their RFCs. */
import { createHash } from "node:crypto";
import { basic, type DialChallenge, digest, type Login } from "../../client.ts";
import { formatDigest, isKnown } from "../../client/digest.ts";
import { checkLogin } from "../../client/login.ts";
import { HeaderList, parseChallenges } from "../../codec.ts";
import { hash } from "../../runtime/hash.ts";
import { assert, assertEquals, assertThrows, test } from "../harness.ts";

/** What the hook of a dialer is told when a server asks so. */
function challenge(
  line: string,
  rest: Partial<DialChallenge> = {},
): DialChallenge {
  return {
    source: "server",
    challenges: parseChallenges([line]),
    url: "ws://x.test/a?b",
    method: "GET",
    target: "/a?b",
    answered: 0,
    isForeign: false,
    headers: HeaderList.from([]),
    signal: new AbortController().signal,
    ...rest,
  };
}

/** The parameters of an answer. */
function parametersOf(answer: string | undefined): Record<string, string> {
  const [first, ...more] = parseChallenges([answer ?? ""]);
  assertEquals([first?.scheme, more], ["digest", []], `${answer}`);
  return Object.fromEntries(first!.parameters);
}

/** The answer of `formatDigest` to the first challenge that is known. */
function answerTo(
  lines: readonly string[],
  login: Login,
  target: string,
  cnonce: string,
): Record<string, string> {
  const found = parseChallenges(lines).find(isKnown);
  assert(found !== undefined);
  return parametersOf(formatDigest(found, {
    method: "GET",
    target,
    login: checkLogin(login),
    cnonce,
    count: 1,
    hash,
  }));
}

const MUFASA = { username: "Mufasa", password: "Circle of Life" };
const MUFASA_CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
const MUFASA_CHALLENGES = ["SHA-256", "MD5"].map((algorithm) =>
  'Digest realm="http-auth@example.org", qop="auth, auth-int", ' +
  `algorithm=${algorithm}, ` +
  'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", ' +
  'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
);

test("B-10: the example of RFC 7616, section 3.9.1, with SHA-256, which comes first, and MD5", () => {
  const common = {
    username: "Mufasa",
    realm: "http-auth@example.org",
    uri: "/dir/index.html",
    nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    nc: "00000001",
    cnonce: MUFASA_CNONCE,
    qop: "auth",
    opaque: "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
  };
  const answer = (lines: readonly string[]) =>
    answerTo(lines, MUFASA, "/dir/index.html", MUFASA_CNONCE);
  assertEquals(answer(MUFASA_CHALLENGES), {
    ...common,
    algorithm: "SHA-256",
    response:
      "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
  });
  assertEquals(answer(MUFASA_CHALLENGES.toReversed()), {
    ...common,
    algorithm: "MD5",
    response: "8ca523f5e9506fed4657c9700eebdbec",
  });
});

test("B-10: the example of RFC 7616, section 3.9.2, as its erratum 4897 has it: SHA-512-256, charset, userhash", () => {
  const cnonce = "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v";
  const nonce = "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK";
  const opaque = "HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS";
  const common = {
    realm: "api@example.org",
    uri: "/doe.json",
    algorithm: "SHA-512-256",
    nonce,
    nc: "00000001",
    cnonce,
    qop: "auth",
    response:
      "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5",
    opaque,
  };
  const answer = (line: string) =>
    answerTo(
      [line],
      // In normalization form D, which is sent as form C.
      {
        username: "J\u00e4s\u00f8n Doe".normalize("NFD"),
        password: "Secret, or not?",
      },
      "/doe.json",
      cnonce,
    );
  const line =
    'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, ' +
    `nonce="${nonce}", opaque="${opaque}", charset=UTF-8`;
  assertEquals(answer(`${line}, userhash=true`), {
    ...common,
    username:
      "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b",
    userhash: "true",
  });
  assertEquals(answer(`${line}, userhash=false`), {
    ...common,
    "username*": "UTF-8''J%C3%A4s%C3%B8n%20Doe",
  });
});

test("B-10: the example of RFC 2617, section 3.5, and the one of RFC 2069 without qop, as its erratum 749 has it", () => {
  const nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
  const opaque = "5ccc069c403ebaf9f0171e9517f40e41";
  const line =
    `Digest realm="testrealm@host.com", nonce="${nonce}", opaque="${opaque}"`;
  const login = { username: "Mufasa", password: "Circle Of Life" };
  const common = {
    username: "Mufasa",
    realm: "testrealm@host.com",
    uri: "/dir/index.html",
    nonce,
    opaque,
  };
  assertEquals(
    answerTo(
      [`${line}, qop="auth,auth-int"`],
      login,
      "/dir/index.html",
      "0a4f113b",
    ),
    {
      ...common,
      nc: "00000001",
      cnonce: "0a4f113b",
      qop: "auth",
      response: "6629fae49393a05397450978507c4ef1",
    },
  );
  assertEquals(
    answerTo(
      [line],
      { ...login, password: "CircleOfLife" },
      "/dir/index.html",
      "0a4f113b",
    ),
    { ...common, response: "1949323746fe6a43ef61f9606e7febea" },
  );
});

test("B-10: -sess has the nonces in what stands for the password", () => {
  const of = (text: string) => createHash("sha256").update(text).digest("hex");
  const answer = answerTo(
    ['Digest realm=r, nonce=n, qop=auth, algorithm="SHA-256-sess"'],
    { username: "u", password: "p" },
    "/",
    "c",
  );
  const user = of(`${of("u:r:p")}:n:c`);
  assertEquals(answer.algorithm, "SHA-256-sess");
  assertEquals(
    answer.response,
    of(`${user}:n:00000001:c:auth:${of("GET:/")}`),
  );
});

test("B-10: users that are not ASCII, or have quotes in them", async () => {
  const name = 'J\u00e4s\u00f8n "D\\e" (*)\'%';
  const authenticate = digest({ username: name, password: "\u20ac" });
  const plain = await authenticate(challenge("Digest realm=r,nonce=n"));
  // What stands for bytes is UTF-8.
  const bytes = new TextEncoder().encode(name);
  assertEquals(
    parametersOf(plain).username,
    String.fromCharCode(...bytes),
  );
  const line = "Digest realm=r, nonce=n, charset=utf-8";
  const extended = await authenticate(challenge(line));
  assert(extended?.includes("username*=UTF-8''J%C3%A4s%C3%B8n%20"), extended);
  const { "username*": value = "", username } = parametersOf(extended);
  assertEquals(username, undefined);
  assertEquals(decodeURIComponent(value.replace(/^UTF-8''/, "")), name);
  const ascii = digest({ username: 'a"b', password: "" });
  assertEquals(parametersOf(await ascii(challenge(line))).username, 'a"b');
});

test("B-10: what the challenge says cannot get out of its quotes", async () => {
  const answer = await digest(MUFASA)(
    challenge(
      'Digest realm="a\\", x=\\"y", nonce="\\\\\\"n\xff", opaque="o\\\\", qop=auth',
      { method: "CONNECT", target: '/"?\\' },
    ),
  );
  const { realm, nonce, opaque, uri, x } = parametersOf(answer);
  assertEquals([realm, nonce, opaque, uri, x], [
    'a", x="y',
    '\\"n\xff',
    "o\\",
    '/"?\\',
    undefined,
  ]);
});

test("B-10: digest() counts the uses of a nonce, and has a new cnonce each time", async () => {
  const authenticate = digest(MUFASA);
  const ask = (nonce: string) =>
    authenticate(challenge(`Digest realm=r, qop=auth, nonce="${nonce}"`));
  const answers = await Promise.all([ask("a"), ask("b"), ask("a"), ask("a")]);
  const all = answers.map(parametersOf);
  assertEquals(all.map(({ nc }) => nc), [
    "00000001",
    "00000001",
    "00000002",
    "00000003",
  ]);
  assertEquals(new Set(all.map(({ cnonce }) => cnonce)).size, 4);
  // It does not remember without end.
  for (let index = 0; index < 100; index++) await ask(`${index}`);
  assertEquals(parametersOf(await ask("a")).nc, "00000001");
  assertEquals(parametersOf(await ask("99")).nc, "00000002");
});

test("B-10: digest() answers the first challenge that it can answer, or none", async () => {
  const authenticate = digest(MUFASA);
  const unknown = [
    "",
    "Basic realm=r",
    "Digest",
    "Digest abc=",
    "Digest realm=r",
    "Digest nonce=n",
    "Digest realm=r, nonce=n, algorithm=SHA-1",
    "Digest realm=r, nonce=n, algorithm=-sess, qop=auth",
    "Digest realm=r, nonce=n, algorithm=MD5-sess",
    "Digest realm=r, nonce=n, algorithm=constructor",
    "Digest realm=r, nonce=n, qop=auth-int",
    'Digest realm=r, nonce=n, qop=""',
    "Digest realm=r, nonce=n, nonce=m",
  ];
  for (const line of unknown) {
    assertEquals([line, await authenticate(challenge(line))], [
      line,
      undefined,
    ]);
  }
  const line = `${unknown[1]}, ${unknown[6]}, ${unknown[10]}, ` +
    'DIGEST Realm=s, NONCE=n, Algorithm=md5, QOP="x, AUTH", Digest realm=t, nonce=n';
  const { realm, algorithm, qop } = parametersOf(
    await authenticate(challenge(line)),
  );
  assertEquals([realm, algorithm, qop], ["s", "md5", "auth"]);
});

test("B-10: basic() is RFC 7617, with its example of section 2.1", async () => {
  const authenticate = basic({ username: "test", password: "123\u00a3" });
  assertEquals(
    await authenticate(challenge('Basic realm="foo", charset="UTF-8"')),
    "Basic dGVzdDoxMjPCow==",
  );
  const aladdin = basic({ username: "Aladdin", password: "open sesame" });
  assertEquals(
    await aladdin(challenge("Digest realm=r, nonce=n, BASIC")),
    "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
  );
  assertEquals(await aladdin(challenge("Digest realm=r")), undefined);
});

test("WS23: basic() and digest() answer only who they are for, and once", async () => {
  const both = "Digest realm=r, nonce=n, Basic realm=r";
  for (const make of [basic, digest]) {
    for (const source of ["server", "proxy"] as const) {
      const other = source === "server" ? "proxy" : "server";
      const authenticate = make({ ...MUFASA, source });
      const answers = async (rest: Partial<DialChallenge>, line = both) =>
        await authenticate(challenge(line, rest)) !== undefined;
      assertEquals(
        [
          await answers({ source }),
          await answers({ source: other }),
          await answers({ source, isForeign: true }),
          await answers({ source, answered: 1 }),
          // Only Digest knows that it was not the password.
          await answers({ source, answered: 2 }, `Basic, ${both}, x=y`),
          await answers(
            { source, answered: 2 },
            "Basic, Digest realm=r, nonce=n, stale=TRUE",
          ),
        ],
        [true, false, false, false, false, make === digest],
        `${make.name} for the ${source}`,
      );
    }
  }
});

test("AP-1: basic() and digest() refuse logins that cannot have been meant, and quote nothing", () => {
  const logins: unknown[] = [
    {},
    null,
    "secret:secret",
    { username: "u" },
    { username: "u", password: 5 },
    { username: undefined, password: "secret" },
    { username: "u\r\nsecret", password: "" },
    { username: "u", password: "secret\x00" },
    { username: "u", password: "secret\x85" },
    { username: "u", password: "secret", source: "both" },
    { username: "u", password: "p", realm: "secret" },
  ];
  for (const login of logins) {
    for (const make of [basic, digest]) {
      const error = assertThrows(() => make(login as Login), TypeError);
      assert(!error.message.includes("secret"), error.message);
    }
  }
  assertThrows(() => basic({ username: "a:b", password: "" }), TypeError);
  digest({ username: "a:b", password: "" });
});
