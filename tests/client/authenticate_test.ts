/** B-10: challenges of servers and proxies, answered by `authenticate`. */
import {
  type Authenticate,
  basic,
  dial,
  type DialChallenge,
  type DialOptions,
  digest,
  HandshakeError,
  redial,
} from "../../client.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import type { RawClient } from "../harness/raw_client.ts";
import { headerOf, RawServer, upgradeResponse } from "../harness/raw_server.ts";
import { refusal } from "./dialing.ts";

const LOGIN = { username: "me", password: "secret" };

function unauthorized(...challenges: readonly string[]): string {
  const lines = challenges.map((line) => `WWW-Authenticate: ${line}\r\n`);
  return `HTTP/1.1 401 No\r\n${lines.join("")}Content-Length: 2\r\n\r\nno`;
}

function proxyUnauthorized(challenge: string): string {
  return `HTTP/1.1 407 No\r\nProxy-Authenticate: ${challenge}\r\n\r\n`;
}

/** Accepts the next connection, and says what it was asked on it. */
async function nextAsk(
  server: RawServer,
): Promise<{ raw: RawClient; head: string }> {
  const raw = await server.accept();
  return { raw, head: await raw.readHead() };
}

/** Answers one request after the other; the last with 101. Returns the heads. */
async function answerAll(
  server: RawServer,
  answers: readonly string[],
): Promise<string[]> {
  const heads: string[] = [];
  for (const answer of answers) {
    const { raw, head } = await nextAsk(server);
    heads.push(head);
    raw.write(answer);
  }
  const { raw, head } = await nextAsk(server);
  raw.write(upgradeResponse(head));
  return [...heads, head];
}

/** Dials a server that refuses so before it opens. */
async function openedAfter(
  answers: readonly string[],
  options: DialOptions,
  path = "/",
): Promise<{ heads: string[]; url: string | undefined; sent: string | null }> {
  await using server = await RawServer.listen();
  const dialing = dial(`ws://me:x@127.0.0.1:${server.port}${path}`, options);
  dialing.catch(() => {});
  const heads = await answerAll(server, answers);
  const connection = await within(dialing, "dial()");
  connection.terminate();
  await connection.closed;
  return {
    heads,
    url: connection.request.url,
    sent: connection.request.headers.get("authorization"),
  };
}

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

test("CI-1: an answer that does not come is given up, in time and by the signal", async () => {
  for (const isAborted of [false, true]) {
    await using server = await RawServer.listen();
    const controller = new AbortController();
    const reason = new Error("enough");
    const asked = Promise.withResolvers<AbortSignal>();
    const failed = assertRejects(() =>
      dial(`ws://127.0.0.1:${server.port}/`, {
        openTimeoutMs: isAborted ? 10_000 : 300,
        signal: controller.signal,
        authenticate: ({ signal }) => {
          asked.resolve(signal);
          return new Promise(() => {});
        },
      })
    );
    failed.catch(() => {});
    const { raw } = await nextAsk(server);
    raw.write(unauthorized("X"));
    const signal = await within(asked.promise, "the question");
    // Nothing is kept open meanwhile.
    await raw.readToEnd();
    if (isAborted) controller.abort(reason);
    const error = await within(failed, "the end of dial()");
    if (isAborted) assertEquals(error, reason);
    else assertEquals((error as HandshakeError).reason, "open-timeout");
    assert(signal.aborted);
  }
});

test("CI-1: a challenge whose body is late when time runs out is not answered", async () => {
  const error = await refusal(
    (raw) => raw.write(unauthorized("X").slice(0, -1)),
    {
      openTimeoutMs: 200,
      authenticate: () => {
        throw new Error("not to be asked");
      },
    },
  );
  assertEquals([error.reason, error.status], ["bad-status", 401]);
});

test("WS23: redirects are asked anew, and another origin is told nothing", async () => {
  await using first = await RawServer.listen();
  await using second = await RawServer.listen();
  const told: unknown[] = [];
  const own = digest(LOGIN);
  const dialing = dial(`ws://127.0.0.1:${first.port}/a`, {
    maxRedirects: 3,
    authenticate: async (challenge) => {
      const { url, target, answered, isForeign } = challenge;
      const { port } = new URL(url);
      told.push([Number(port), target, answered, isForeign]);
      const answer = await own(challenge);
      return answer ?? await basic(LOGIN)(challenge) ?? "Other one";
    },
  });
  dialing.catch(() => {});
  const challenge = unauthorized("Digest realm=r, nonce=n, Basic");
  const redirect = (location: string) =>
    `HTTP/1.1 307 x\r\nLocation: ${location}\r\n\r\n`;
  const script: [RawServer, string | undefined, RegExp | undefined][] = [
    [first, challenge, undefined],
    [first, redirect("/b"), /^Digest .*uri="\/a"/],
    [first, challenge, undefined],
    [first, redirect(`ws://127.0.0.1:${second.port}/c`), /uri="\/b"/],
    [second, challenge, undefined],
    [second, redirect(`ws://127.0.0.1:${first.port}/d`), /^Other one$/],
    [first, challenge, undefined],
    [first, undefined, /^Other one$/],
  ];
  for (const [server, answer, wanted] of script) {
    const { raw, head } = await nextAsk(server);
    const authorization = /^Authorization: (.*)\r$/m.exec(head)?.[1];
    if (wanted === undefined) assertEquals(authorization, undefined);
    else assert(wanted.test(authorization ?? ""), authorization);
    raw.write(answer ?? upgradeResponse(head));
  }
  const connection = await within(dialing, "dial()");
  connection.terminate();
  await connection.closed;
  // What leads back is not trusted again.
  assertEquals(told, [
    [first.port, "/a", 0, false],
    [first.port, "/b", 0, false],
    [second.port, "/c", 0, true],
    [first.port, "/d", 0, true],
  ]);
});

test("B-10: a proxy's challenge and the server's behind it, each with its own login", async () => {
  await using proxy = await RawServer.listen();
  const told: unknown[] = [];
  const forProxy = digest({ ...LOGIN, username: "proxy", source: "proxy" });
  const forServer = digest({ ...LOGIN, username: "server" });
  const dialing = dial("ws://[1::2]/a", {
    // Said by the URL, but not what the proxy wants.
    proxy: `http://u:p@127.0.0.1:${proxy.port}`,
    connectTo: { port: 99 },
    authenticate: async (challenge) => {
      const { source, method, target, answered, url } = challenge;
      told.push([source, method, target, answered, url]);
      return await forProxy(challenge) ?? await forServer(challenge);
    },
  });
  dialing.catch(() => {});
  const established = "HTTP/1.1 200 Fine\r\n\r\n";
  const inner: (string | undefined)[] = [];
  // Each connection is asked by the proxy; the server answers the second time.
  for (let round = 0; round < 2; round++) {
    const refused = await nextAsk(proxy);
    assertEquals(
      headerOf(refused.head, "Proxy-Authorization"),
      "Basic dTpw",
    );
    refused.raw.write(proxyUnauthorized(
      `Digest realm=p, nonce=p${round}, qop=auth`,
    ));
    const { raw, head } = await nextAsk(proxy);
    assert(head.startsWith("CONNECT [1::2]:99 "), head);
    const answer = /^Proxy-Authorization: (.*)\r$/m.exec(head)?.[1] ?? "";
    assert(answer.includes('username="proxy"'), answer);
    assert(answer.includes(`nonce="p${round}"`), answer);
    assert(answer.includes('uri="[1::2]:99"'), answer);
    assert(!/^Authorization:/m.test(head), head);
    raw.write(established);
    const request = await raw.readHead();
    assert(!/^Proxy-Authorization:/m.test(request), request);
    inner.push(/^Authorization: (.*)\r$/m.exec(request)?.[1]);
    raw.write(
      round === 0
        ? unauthorized("Digest realm=s, nonce=s")
        : upgradeResponse(request),
    );
  }
  const connection = await within(dialing, "dial()");
  connection.terminate();
  await connection.closed;
  assertEquals(inner[0], undefined);
  assert(inner[1]?.includes('username="server"'), inner[1]);
  const url = "ws://[1::2]/a";
  assertEquals(told, [
    ["proxy", "CONNECT", "[1::2]:99", 0, url],
    ["server", "GET", "/a", 0, url],
    ["proxy", "CONNECT", "[1::2]:99", 0, url],
  ]);
});

test("B-10: a proxy that is not content fails as proxy-failed, with its 407", async () => {
  await using proxy = await RawServer.listen();
  const told: number[] = [];
  const failed = assertRejects(
    () =>
      dial("wss://x.test/", {
        proxy: `http://127.0.0.1:${proxy.port}`,
        authenticate: (challenge) => {
          told.push(challenge.answered);
          return basic({ ...LOGIN, source: "proxy" })(challenge);
        },
      }),
    HandshakeError,
  );
  failed.catch(() => {});
  for (const wanted of [undefined, "Basic bWU6c2VjcmV0"]) {
    const { raw, head } = await nextAsk(proxy);
    assertEquals(headerOf(head, "Proxy-Authorization"), wanted);
    assert(head.startsWith("CONNECT x.test:443 "), head);
    raw.write(proxyUnauthorized("Basic realm=x"));
    await raw.readToEnd();
  }
  const error = await within(failed, "the end of dial()");
  assertEquals([error.reason, error.status], ["proxy-failed", 407]);
  assertEquals(told, [0, 1]);
});

test("B-10: with beforeConnect, which is not asked again", async () => {
  let count = 0;
  const { heads } = await openedAfter([unauthorized("Basic")], {
    beforeConnect: () => ({
      headers: { "X-Count": `${++count}`, Authorization: "Bearer old" },
    }),
    authenticate: basic(LOGIN),
  });
  assertEquals(
    heads.map((head) => [
      headerOf(head, "X-Count"),
      headerOf(head, "Authorization"),
    ]),
    [["1", "Bearer old"], ["1", "Basic bWU6c2VjcmV0"]],
  );
});

test("B-10: redial() asks for each connection, and counts on with a nonce", async () => {
  await using server = await RawServer.listen();
  const counts: (string | undefined)[] = [];
  const serving = (async () => {
    for (let round = 0; round < 3; round++) {
      const [, head] = await answerAll(server, [
        unauthorized("Digest realm=r, nonce=same, qop=auth"),
      ]);
      counts.push(/ nc=(\w+)/.exec(head ?? "")?.[1]);
    }
  })();
  const connections = redial(`ws://127.0.0.1:${server.port}/`, {
    dial: { authenticate: digest(LOGIN) },
    firstDelayMs: 1,
    minDelayMs: 1,
  });
  let count = 0;
  for await (const connection of connections) {
    connection.terminate();
    if (++count === 3) break;
  }
  await within(serving, "the server");
  assertEquals(counts, ["00000001", "00000002", "00000003"]);
});
