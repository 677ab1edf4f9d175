/**
 * `authenticate` together with what else is on the way: time, signals, redirects,
 * proxies, `beforeConnect` and `redial()` (B-10).
 */
import { basic, dial, digest, HandshakeError, redial } from "../../client.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { headerOf, RawServer, upgradeResponse } from "../harness/raw_server.ts";
import { inSomeTry } from "../harness/tries.ts";
import { refusal } from "./dialing.ts";
import {
  answerAll,
  LOGIN,
  nextAsk,
  openedAfter,
  proxyUnauthorized,
  unauthorized,
} from "./authenticating.ts";

test("CI-1: an answer that does not come is given up, in time and by the signal", () =>
  inSomeTry(async () => {
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
  }));

test("CI-1: a challenge whose body is late when time runs out is not answered", () =>
  inSomeTry(async () => {
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
  }));

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
