/** WS24 and CI-20: through proxies, good and bad ones. */
import {
  dial,
  type DialOptions,
  HandshakeError,
  isRetryable,
} from "../../client.ts";
import { type Server, Site } from "../../server.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { RawServer, upgradeResponse } from "../harness/raw_server.ts";
import { inSomeTry } from "../harness/tries.ts";
import { certificate } from "../runtime/recorder.ts";
import { Echo } from "../site/served.ts";
import { Relay } from "./relay.ts";

const tls = { cert: certificate("leaf.crt"), key: certificate("leaf.key") };
const ca = certificate("ca.crt");
const TEXT = "through ".repeat(100_000);

function listen(secure: boolean): Promise<Server> {
  const site = new Site();
  site.addHandler("/echo", Echo);
  return site.listen({
    port: 0,
    hostname: "127.0.0.1",
    ...(secure && { tls }),
  });
}

function portOf(server: Server): number {
  assert(server.addr.transport === "tcp");
  return server.addr.port;
}

async function assertEchoes(
  url: string,
  options: DialOptions,
): Promise<void> {
  const connection = await dial(url, options);
  connection.send(TEXT);
  assertEquals(await connection.receive(), TEXT);
  assertEquals((await connection.close()).wasClean, true);
}

for (const scheme of ["http", "socks5", "socks5h"]) {
  test(`WS24: ws: and wss: through ${scheme}:, which resolves the name`, async () => {
    for (const secure of [false, true]) {
      await using server = await listen(secure);
      await using relay = await Relay.listen({ port: portOf(server) });
      const host = secure ? "localhost" : "name.test";
      await assertEchoes(`${secure ? "wss" : "ws"}://${host}/echo`, {
        proxy: `${scheme}://127.0.0.1:${relay.port}`,
        tls: { ca },
      });
      assertEquals(relay.targets, [`${host}:${secure ? 443 : 80}`]);
    }
  });

  test(`WS24: user and password for ${scheme}:, percent-decoded, and wrong ones`, async () => {
    await using server = await listen(false);
    await using relay = await Relay.listen({
      port: portOf(server),
      user: "me:p w@",
    });
    const url = "ws://name.test/echo";
    await assertEchoes(url, {
      proxy: `${scheme}://me:p%20w%40@127.0.0.1:${relay.port}`,
    });
    for (const user of ["", "me:wrong@"]) {
      const error = await assertRejects(
        () =>
          dial(url, { proxy: `${scheme}://${user}127.0.0.1:${relay.port}` }),
        HandshakeError,
      );
      assertEquals(error.reason, "proxy-failed");
      assertEquals(error.status, scheme === "http" ? 407 : undefined);
      assert(!error.message.includes("wrong"));
    }
    assert(!relay.heads.some((head) => /\r\nAuthorization/i.test(head)));
  });
}

test("WS24: through an https: proxy, whose certificate is checked", async () => {
  await using server = await listen(false);
  await using relay = await Relay.listen({ tls, port: portOf(server) });
  const proxy = `https://127.0.0.1:${relay.port}`;
  const url = "ws://name.test/echo";
  await assertEchoes(url, { proxy: { url: proxy, tls: { ca } } });
  const error = await assertRejects(() => dial(url, { proxy }), HandshakeError);
  assertEquals(error.reason, "proxy-failed");
});

test("WS24: TLS within the TLS of an https: proxy", async () => {
  await using server = await listen(true);
  await using relay = await Relay.listen({ tls, port: portOf(server) });
  await assertEchoes("wss://localhost/echo", {
    proxy: { url: `https://127.0.0.1:${relay.port}`, tls: { ca } },
    tls: { ca },
  });
});

test("CI-16: the server's certificate is checked through a proxy, too", async () => {
  await using server = await listen(true);
  await using relay = await Relay.listen({ port: portOf(server) });
  const proxy = `http://127.0.0.1:${relay.port}`;
  for (
    const [host, settings] of [["localhost", {}], ["x.test", { ca }]] as const
  ) {
    const error = await assertRejects(
      () => dial(`wss://${host}/echo`, { proxy, tls: settings }),
      HandshakeError,
    );
    assertEquals([host, error.reason], [host, "tls-failed"]);
  }
});

test("WS24: a function says for each URL which proxy, redirects included", async () => {
  await using server = await listen(false);
  await using relay = await Relay.listen({ port: portOf(server) });
  const asked: string[] = [];
  await using first = await RawServer.listen();
  const dialing = dial(`ws://127.0.0.1:${first.port}/`, {
    maxRedirects: 1,
    proxy: (url) => {
      asked.push(url.href);
      return url.hostname === "name.test"
        ? `http://127.0.0.1:${relay.port}`
        : undefined;
    },
  });
  const raw = await first.accept();
  await raw.readHead();
  raw.write("HTTP/1.1 302 x\r\nLocation: ws://name.test/echo\r\n\r\n");
  const connection = await dialing;
  assertEquals(asked, [
    `ws://127.0.0.1:${first.port}/`,
    "ws://name.test/echo",
  ]);
  await connection.close();
});

test("WS24: connectTo is what the proxy is asked for, an IPv6 address in brackets", async () => {
  await using server = await listen(false);
  await using relay = await Relay.listen({ port: portOf(server) });
  await assertEchoes("ws://name.test/echo", {
    proxy: `http://127.0.0.1:${relay.port}`,
    connectTo: { hostname: "other.test", port: 99 },
  });
  await assertEchoes("ws://[1::2]:98/echo", {
    proxy: `http://127.0.0.1:${relay.port}`,
  });
  await assertEchoes("ws://[1::2]:98/echo", {
    proxy: `socks5://127.0.0.1:${relay.port}`,
  });
  assertEquals(relay.targets, [
    "other.test:99",
    "[1::2]:98",
    `[0001${"0".repeat(27)}2]:98`,
  ]);
});

test("WS24: every 2xx opens the tunnel", async () => {
  await using proxy = await RawServer.listen();
  // RFC 9110, section 9.3.6: "Any 2xx (Successful) response indicates that the
  // sender (and all inbound proxies) will switch to tunnel mode".
  for (const status of [200, 201, 204, 226, 299]) {
    const dialing = dial("ws://name.test/", {
      proxy: `http://127.0.0.1:${proxy.port}`,
    });
    const raw = await proxy.accept();
    await raw.readHead();
    // "A client MUST ignore any Content-Length or Transfer-Encoding header fields
    // received in a successful response to CONNECT."
    raw.write(`HTTP/1.1 ${status} x\r\nContent-Length: 5\r\n\r\n`);
    raw.write(upgradeResponse(await raw.readHead()));
    const connection = await within(dialing, `dial() after ${status}`);
    connection.terminate();
    await connection.closed;
  }
});

test("WS24: a proxy is asked for the same host, whatever form connectTo has it in", async () => {
  await using server = await listen(false);
  const forms: [hostname: string, name: string, bytes: string][] = [
    ["bücher.test", "xn--bcher-kva.test", "xn--bcher-kva.test"],
    ["127.1", "127.0.0.1", "127.0.0.1"],
    ["[::1]", "[::1]", `[${"0".repeat(31)}1]`],
    ["::ffff:1.2.3.4", "[::ffff:102:304]", `[${"0".repeat(20)}ffff01020304]`],
  ];
  for (const [hostname, name, bytes] of forms) {
    await using relay = await Relay.listen({ port: portOf(server) });
    for (const scheme of ["http", "socks5"]) {
      await assertEchoes("ws://name.test/echo", {
        proxy: `${scheme}://127.0.0.1:${relay.port}`,
        connectTo: { hostname, port: 99 },
      });
    }
    assertEquals(relay.targets, [`${name}:99`, `${bytes}:99`]);
  }
});

/** What `dial` makes of a proxy that answers so. */
async function refusalOf(
  scheme: string,
  answers: readonly (string | Uint8Array)[],
): Promise<HandshakeError> {
  await using proxy = await RawServer.listen();
  const user = scheme === "http" ? "" : "u:p@";
  const failed = assertRejects(
    () =>
      dial("wss://name.test/", {
        proxy: `${scheme}://${user}127.0.0.1:${proxy.port}`,
      }),
    HandshakeError,
  );
  failed.catch(() => {});
  const raw = await proxy.accept();
  for (const answer of answers) {
    await raw.readBytes(1);
    raw.write(answer);
  }
  const error = await within(failed, "the end of dial()");
  await raw.readToEnd();
  return error;
}

test("CI-20: an HTTP proxy that refuses, or talks nonsense", async () => {
  const cases: [answer: string, status: number | undefined][] = [
    ["HTTP/1.1 407 No\r\nProxy-Authenticate: Digest realm=x\r\n\r\n", 407],
    ["HTTP/1.1 502 Bad\r\n\r\n", 502],
    ["HTTP/1.1 302 Found\r\nLocation: http://x/\r\n\r\n", 302],
    ["HTTP/1.1 101 Switching\r\n\r\n", 101],
    ["garbage\r\n\r\n", undefined],
    ["SSH-2.0-x\r\n", undefined],
    ["HTTP/1.1 100 Continue\r\n\r\n".repeat(9), undefined],
    [`HTTP/1.1 200 OK\r\nA: ${"x".repeat(70_000)}`, undefined],
    ["HTTP/1.1 200 OK\r\n\r\nearly", undefined],
  ];
  for (const [answer, status] of cases) {
    const error = await refusalOf("http", [answer]);
    const start = answer.slice(0, 40);
    assertEquals([start, error.reason, error.status], [
      start,
      "proxy-failed",
      status,
    ]);
    assertEquals([start, isRetryable(error)], [
      start,
      status === undefined || status === 502,
    ]);
    if (status === 407) {
      assertEquals(error.headers?.get("proxy-authenticate"), "Digest realm=x");
    }
    assert(!error.message.includes("x.test"), error.message);
  }
});

test("CI-20: a SOCKS proxy that refuses, or talks nonsense", async () => {
  const cases: Uint8Array[][] = [
    [Uint8Array.of(4, 0)],
    [Uint8Array.of(0x48, 0x54)],
    [Uint8Array.of(5, 0xff)],
    [Uint8Array.of(5, 1)],
    [Uint8Array.of(5, 0, 0)],
    [Uint8Array.of(5, 0), Uint8Array.of(5, 5)],
    [Uint8Array.of(5, 0), Uint8Array.of(5, 200)],
    [Uint8Array.of(5, 0), Uint8Array.of(4, 0)],
    [Uint8Array.of(5, 0), Uint8Array.of(5, 0, 0, 7, 1)],
    [Uint8Array.of(5, 0), Uint8Array.of(5, 0, 0, 1, 1, 2, 3, 4, 0, 80, 0)],
  ];
  for (const answers of cases) {
    const error = await refusalOf("socks5", answers);
    assertEquals([answers.join(), error.reason], [
      answers.join(),
      "proxy-failed",
    ]);
  }
});

test("CI-20: a proxy that is not there, hangs up, or is slow", async () => {
  for (const scheme of ["http", "https", "socks5"]) {
    const none = await assertRejects(
      () => dial("ws://name.test/", { proxy: `${scheme}://127.0.0.1:1` }),
      HandshakeError,
    );
    assertEquals([scheme, none.reason], [scheme, "proxy-failed"]);
    for (const fate of ["end", "reset", "silence", "abort"] as const) {
      await using proxy = await RawServer.listen();
      const controller = new AbortController();
      const failed = assertRejects(() =>
        dial("ws://name.test/", {
          proxy: `${scheme}://127.0.0.1:${proxy.port}`,
          openTimeoutMs: fate === "silence" ? 100 : 10_000,
          signal: controller.signal,
        })
      );
      failed.catch(() => {});
      const raw = await proxy.accept();
      await raw.readBytes(1);
      if (fate === "end") raw.end();
      if (fate === "reset") raw.reset();
      if (fate === "abort") controller.abort(new Error("enough"));
      const error = await within(failed, "the end of dial()");
      const { reason } = error as { reason?: string };
      const wanted = fate === "silence"
        ? "open-timeout"
        : fate === "abort"
        ? undefined
        : "proxy-failed";
      assertEquals([scheme, fate, reason], [scheme, fate, wanted]);
      await raw.readToEnd();
    }
  }
});

test("CI-20: a proxy whose answer drips does not hold the timeout up", () =>
  inSomeTry(async () => {
    for (const scheme of ["http", "socks5"]) {
      await using proxy = await RawServer.listen();
      const failed = assertRejects(
        () =>
          dial("ws://name.test/", {
            proxy: `${scheme}://u:p@127.0.0.1:${proxy.port}`,
            openTimeoutMs: 200,
          }),
        HandshakeError,
      );
      failed.catch(() => {});
      const raw = await proxy.accept();
      await raw.readBytes(1);
      const start = scheme === "http"
        ? new TextEncoder().encode("HTTP/1.1 200 OK\r\nX-Drip: ")
        : Uint8Array.of(5, 0, 5, 0, 0, 3, 250);
      // Whole answers and their beginnings, one byte at a time.
      let at = 0;
      const drip = setInterval(() => {
        const byte = start[at++] ?? 0x78;
        raw.write(Uint8Array.of(byte));
      }, 5);
      const error = await within(failed, "the end of dial()")
        .finally(() => clearInterval(drip));
      assertEquals([scheme, error.reason], [scheme, "open-timeout"]);
      await raw.readToEnd();
    }
  }));

test("CI-20: a server behind the proxy that breaks off TLS is no failure of the proxy", async () => {
  await using server = await RawServer.listen();
  await using relay = await Relay.listen({ port: server.port });
  const failed = assertRejects(
    () => dial("wss://name.test/", { proxy: `http://127.0.0.1:${relay.port}` }),
    HandshakeError,
  );
  const raw = await server.accept();
  await raw.readBytes(1);
  raw.write("HTTP/1.1 400 Bad\r\n\r\n");
  assertEquals((await failed).reason, "tls-failed");
});

test("CI-1: TLS and handshake that are silent behind a proxy are given up, in time and by the signal", async () => {
  for (const scheme of ["ws", "wss"]) {
    for (const isAborted of [false, true]) {
      await using server = await RawServer.listen();
      await using relay = await Relay.listen({ port: server.port });
      const controller = new AbortController();
      const reason = new Error("enough");
      const failed = assertRejects(() =>
        dial(`${scheme}://name.test/`, {
          proxy: `http://127.0.0.1:${relay.port}`,
          openTimeoutMs: isAborted ? 10_000 : 200,
          signal: controller.signal,
        })
      );
      failed.catch(() => {});
      const raw = await server.accept();
      await raw.readBytes(1);
      if (isAborted) controller.abort(reason);
      const error = await within(failed, "the end of dial()");
      if (isAborted) assertEquals(error, reason);
      else assertEquals((error as HandshakeError).reason, "open-timeout");
      await raw.readToEnd();
    }
  }
});

test("WS24: what is no proxy is refused at once, without its password", async () => {
  const proxies: unknown[] = [
    "",
    "127.0.0.1:80",
    "ftp://x/",
    "socks4://x/",
    5,
    null,
    {},
    { url: "http://x/", user: "x" },
    { url: "http://x/", tls: { ca: 5 } },
    "secret://secret@x/",
    "socks5://x%20y/",
  ];
  for (const proxy of proxies) {
    const error = await assertRejects(
      () => dial("ws://127.0.0.1:1/", { proxy } as DialOptions),
      TypeError,
    );
    assert(!error.message.includes("secret"), error.message);
  }
  await assertRejects(
    () => dial("ws://x/", { proxy: "http://x/", path: "/x" }),
    TypeError,
  );
  await assertRejects(
    () => dial("ws://x/", { proxy: `socks5://${"a".repeat(256)}@x/` }),
    TypeError,
  );
});
