/** B-10: challenges of servers and proxies, answered by `authenticate`. */
import {
  type Authenticate,
  basic,
  dial,
  type DialChallenge,
  type DialOptions,
  digest,
  HandshakeError,
} from "../../client.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { headerOf, RawServer } from "../harness/raw_server.ts";
import { refusal } from "./dialing.ts";
import {
  LOGIN,
  nextAsk,
  openedAfter,
  proxyUnauthorized,
  unauthorized,
} from "./authenticating.ts";

test("B-10: authenticate is told the challenge, and its answer takes the place of the URL's", async () => {
  const told: DialChallenge[] = [];
  const { heads, sent } = await openedAfter(
    [unauthorized('Basic realm="a, b", Negotiate', "Digest realm=c, nonce=n")],
    {
      headers: { "X-Kept": "yes" },
      authenticate: (challenge) => {
        told.push(challenge);
        return "Bearer token";
      },
    },
    "/a?b=c",
  );
  const [{ challenges, headers, signal, url, ...rest }] = told as [
    DialChallenge,
  ];
  assertEquals(rest, {
    source: "server",
    method: "GET",
    target: "/a?b=c",
    answered: 0,
    isForeign: false,
  });
  assert(/^ws:\/\/127\.0\.0\.1:\d+\/a\?b=c$/.test(url), url);
  assertEquals(
    challenges.map(({ scheme, parameters }) => [
      scheme,
      Object.fromEntries(parameters),
    ]),
    [
      ["basic", { realm: "a, b" }],
      ["negotiate", {}],
      ["digest", { realm: "c", nonce: "n" }],
    ],
  );
  assertEquals(headers.get("content-length"), "2");
  assertEquals(signal.aborted, false);
  assertEquals(heads.map((head) => headerOf(head, "Authorization")), [
    "Basic bWU6eA==",
    "Bearer token",
  ]);
  assertEquals(sent, "Bearer token");
  const [first, second] = heads.map((head) =>
    [headerOf(head, "X-Kept"), headerOf(head, "Sec-WebSocket-Key")] as const
  );
  assertEquals([first?.[0], second?.[0]], ["yes", "yes"]);
  assert(first?.[1] !== second?.[1], "the same key twice");
  assertEquals(heads[1]?.match(/\r\nAuthorization:/gi)?.length, 1);
});

test("B-10: Digest over the wire, with a nonce that was stale meanwhile", async () => {
  const { heads } = await openedAfter(
    [
      unauthorized("Basic realm=r", "Digest realm=r, nonce=one, qop=auth"),
      unauthorized("Digest realm=r, nonce=two, qop=auth, stale=true"),
    ],
    { authenticate: digest(LOGIN) },
    "/x?y",
  );
  const answers = heads.map((head) =>
    /^Authorization: Digest (.*)$/m.exec(head)?.[1]
  );
  assertEquals(answers[0], undefined);
  assert(answers[1]?.includes('nonce="one", nc=00000001'), answers[1]);
  assert(answers[2]?.includes('nonce="two", nc=00000001'), answers[2]);
  assert(answers[2]?.includes('uri="/x?y"'), answers[2]);
  assert(!heads.join().includes("secret"));
});

test("B-10: without an answer dial() fails as it would have, once the body has come", async () => {
  let count = 0;
  const error = await refusal(
    (raw) => raw.write(unauthorized("Digest realm=r, nonce=n")),
    {
      authenticate: () => {
        count++;
        return undefined;
      },
    },
  );
  assertEquals([error.reason, error.status], ["bad-status", 401]);
  assertEquals(new TextDecoder().decode(error.body), "no");
  assertEquals(
    error.headers?.get("www-authenticate"),
    "Digest realm=r, nonce=n",
  );
  assertEquals(count, 1);
});

test("B-10: what is no challenge is none: other statuses, and a server that poses as a proxy", async () => {
  const answers = [
    "HTTP/1.1 403 No\r\nWWW-Authenticate: Basic\r\n\r\n",
    "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\n\r\n",
    "HTTP/1.1 200 OK\r\nWWW-Authenticate: Basic\r\n\r\n",
    "HTTP/1.1 401 No\r\nno header\r\n\r\n",
    `HTTP/1.1 401 No\r\nWWW-Authenticate: ${"x".repeat(70_000)}\r\n\r\n`,
  ];
  for (const answer of answers) {
    const error = await refusal(async (raw) => {
      raw.write(answer);
      raw.end();
      await raw.closed;
    }, {
      authenticate: () => {
        throw new Error("not to be asked");
      },
    });
    assert(
      /^(bad-status|malformed-response|response-head-too-big)$/.test(
        error.reason,
      ),
    );
  }
});

test("B-10: challenges that are malformed, or not there, are told as none", async () => {
  const lines = ["", "=", 'Basic realm="', "Digest realm=a realm=b", "\xff"];
  for (const line of [undefined, ...lines]) {
    const told: number[] = [];
    const error = await refusal(
      (raw) =>
        raw.write(
          new TextEncoder().encode(
            line === undefined ? unauthorized() : unauthorized(line),
          ),
        ),
      {
        authenticate: async (challenge) => {
          told.push(challenge.challenges.length);
          const answer = await basic(LOGIN)(challenge);
          return answer ?? await digest(LOGIN)(challenge);
        },
      },
    );
    assertEquals([line, error.status, ...told], [line, 401, 0]);
  }
});

test("B-10: a server that is never content is left after ten answers", async () => {
  await using server = await RawServer.listen();
  const told: number[] = [];
  const failed = assertRejects(
    () =>
      dial(`ws://127.0.0.1:${server.port}/`, {
        authenticate: ({ answered }) => {
          told.push(answered);
          return `Try ${answered}`;
        },
      }),
    HandshakeError,
  );
  failed.catch(() => {});
  for (let round = 0; round <= 10; round++) {
    const { raw, head } = await nextAsk(server);
    assertEquals(
      headerOf(head, "Authorization"),
      round === 0 ? undefined : `Try ${round - 1}`,
    );
    raw.write(unauthorized("Try"));
    await raw.readToEnd();
  }
  const error = await within(failed, "the end of dial()");
  assertEquals([error.reason, error.status], ["bad-status", 401]);
  assertEquals(told, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("B-10: a nonce that is stale for ever ends, too; a wrong password at once", async () => {
  for (const [stale, requests] of [["true", 11], ["false", 2]] as const) {
    await using server = await RawServer.listen();
    const failed = assertRejects(
      () =>
        dial(`ws://127.0.0.1:${server.port}/`, { authenticate: digest(LOGIN) }),
      HandshakeError,
    );
    failed.catch(() => {});
    for (let round = 0; round < requests; round++) {
      const { raw } = await nextAsk(server);
      raw.write(unauthorized(`Digest realm=r, nonce=${round}, stale=${stale}`));
      await raw.readToEnd();
    }
    assertEquals((await within(failed, "the end of dial()")).status, 401);
  }
});

test("B-10: what may not be sent is a TypeError, without its text, and reaches nobody", async () => {
  const answers: unknown[] = [
    "secret\r\nX-Evil: yes",
    "secret\n",
    "secret\0",
    "secret\u20ac",
    5,
    null,
    true,
    {},
  ];
  for (const source of ["server", "proxy"] as const) {
    for (const answer of answers) {
      await using server = await RawServer.listen();
      const at = `127.0.0.1:${server.port}`;
      const authenticate = (() => answer) as Authenticate;
      const failed = assertRejects(
        () =>
          source === "server"
            ? dial(`ws://${at}/`, { authenticate })
            : dial("ws://x.test/", { proxy: `http://${at}`, authenticate }),
        TypeError,
      );
      failed.catch(() => {});
      const { raw } = await nextAsk(server);
      raw.write(
        source === "server" ? unauthorized("X") : proxyUnauthorized("X"),
      );
      const error = await within(failed, "the end of dial()");
      assert(!/secret|Evil/.test(error.message), error.message);
      await assertRejects(() => server.accept(20));
    }
  }
  await assertRejects(
    () => dial("ws://x/", { authenticate: 5 } as unknown as DialOptions),
    TypeError,
  );
});

test("B-10: dial() rejects with what authenticate throws", async () => {
  const wrong = new Error("no key");
  for (
    const authenticate of [
      () => {
        throw wrong;
      },
      () => Promise.reject(wrong),
    ]
  ) {
    await using server = await RawServer.listen();
    const failed = assertRejects(() =>
      dial(`ws://127.0.0.1:${server.port}/`, { authenticate })
    );
    failed.catch(() => {});
    const { raw } = await nextAsk(server);
    raw.write(unauthorized("X"));
    assertEquals(await within(failed, "the end of dial()"), wrong);
    await raw.readToEnd();
  }
});
