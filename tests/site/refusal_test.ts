/** What the entrance refuses, over real sockets (HS, HT). */
import { assert, assertEquals, test } from "../harness.ts";
import { frame } from "../harness/frame.ts";
import { rawConnect, upgradeRequest } from "../harness/raw_client.ts";
import { assertRefused, serve, type Served, statusOf } from "./served.ts";

/** Asserts the status of each request, with a second one hidden behind it. */
async function assertStatuses(
  served: Served,
  cases: readonly (readonly [request: string, status: number])[],
): Promise<void> {
  for (const [request, status] of cases) {
    // HT-5: what is pipelined behind a refused request is no request.
    const response = await served.exchange(
      request,
      "GET /evil HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    );
    assertRefused(response, status);
  }
}

function head(...lines: string[]): string {
  return [...lines, "", ""].join("\r\n");
}

const KEY = "Sec-WebSocket-Key";
const VERSION = "Sec-WebSocket-Version";

test("HS-3: a head over a limit is refused as soon as it is crossed", async () => {
  await serve({}, async (served) => {
    const endless = [
      ["GET /" + "a".repeat(9_000), 414],
      ["GET /echo HTTP/1.1\r\nX: " + "a".repeat(17_408), 431],
      ["A".repeat(9_000), 414],
      [
        "GET / HTTP/1.1\r\n" + `X: ${"a".repeat(1_000)}\r\n`.repeat(20),
        431,
      ],
    ] as const;
    for (const [start, status] of endless) {
      assertRefused(await served.exchange(start), status);
    }
    // A line that comes in pieces, and never ends.
    await using client = await rawConnect(served.port);
    client.write("GET /");
    for (let sent = 0; sent < 9_000; sent += 100) {
      await client.writeAll(new TextEncoder().encode("a".repeat(100)));
    }
    assert((await client.readHead()).startsWith("HTTP/1.1 414 "));
  });
});

test("HS-4: a head of 8 KiB in writes of one byte is accepted", async () => {
  await serve({}, async ({ port }) => {
    await using client = await rawConnect(port);
    const request = upgradeRequest("/echo", { "X-Long": "a".repeat(8_000) });
    for (const character of request) client.write(character);
    assert((await client.readHead()).startsWith("HTTP/1.1 101 "));
  });
});

test("HS-5: too many headers are refused", async () => {
  await serve({}, async (served) => {
    for (const count of [129, 1_000, 3_000]) {
      const request = head("GET /echo HTTP/1.1", ...Array(count).fill("a: b"));
      assertRefused(await served.exchange(request), 431);
    }
    const late = `${"a: b\r\n".repeat(2_000)}Upgrade: websocket`;
    const request = head("GET /echo HTTP/1.1", "Host: a", late);
    assertRefused(await served.exchange(request), 431);
  });
});

test("HS-6: malformed header lines are refused", async () => {
  await serve({}, async (served) => {
    const lines = [
      "X: a\r\n folded",
      "X : a",
      ": a",
      "X: a\0b",
      "X: a\rb",
      "X: a\x01b",
      "X\xff: a",
      "no colon",
      "X: a\nY: b",
    ];
    await assertStatuses(
      served,
      lines.map((
        line,
      ) => [upgradeRequest("/echo", { A: `b\r\n${line}` }), 400]),
    );
  });
});

test("HS-7: other methods and versions are refused", async () => {
  await serve({}, async (served) => {
    const request = upgradeRequest();
    const start = "GET /echo HTTP/1.1";
    await assertStatuses(served, [
      [request.replace(start, "POST /echo HTTP/1.1"), 405],
      [request.replace(start, "get /echo HTTP/1.1"), 405],
      [request.replace(start, "GET /echo HTTP/1.0"), 505],
      [request.replace(start, "GET /echo HTTP/2.0"), 505],
      [request.replace(start, "GET /echo HTTP/9.9"), 505],
      [request.replace(start, "GET /echo http/1.1"), 400],
      [request.replace(start, "GET  /echo HTTP/1.1"), 400],
      [request.replace(start, "GET /echo"), 400],
      [request.replaceAll("\r\n", "\n"), 400],
    ]);
    const response = await served.exchange(
      request.replace(start, "DELETE /echo HTTP/1.1"),
    );
    assert(/^Allow: GET\r$/m.test(response), response);
  });
});

test("HS-10: a key that is not 16 bytes in base64 is refused", async () => {
  await serve({}, async (served) => {
    const good = "dGhlIHNhbXBsZSBub25jZQ==";
    const keys = [
      undefined,
      "",
      "abc",
      btoa("x".repeat(15)),
      btoa("x".repeat(17)),
      "dGhlIHNhbXBsZSBub25jZR==",
      "dGhlIHNhbXBsZSBub25jZQ",
      "_-hlIHNhbXBsZSBub25jZQ==",
      `${good}\r\n${KEY}: ${good}`,
      `${good}\r\n${KEY}: ${btoa("y".repeat(16))}`,
    ];
    await assertStatuses(
      served,
      keys.map((key) => [upgradeRequest("/echo", { [KEY]: key }), 400]),
    );
  });
});

test("HS-11: only version 13 is accepted, and the answer says so", async () => {
  await serve({}, async (served) => {
    const versions = [
      undefined,
      "",
      "8",
      "99",
      "013",
      "13, 13",
      `13\r\n${VERSION}: 13`,
      `13\r\n${VERSION}: 8`,
    ];
    for (const version of versions) {
      const response = await served.exchange(
        upgradeRequest("/echo", { [VERSION]: version }),
      );
      assertRefused(response, 426);
      assert(/^Sec-WebSocket-Version: 13\r$/m.test(response), response);
    }
  });
});

test("HS-12: Host must be there once, be valid, and agree with the target", async () => {
  await serve({}, async (served) => {
    const hosts = [
      undefined,
      "",
      "a\r\nHost: a",
      "user@host",
      "host/path",
      "host:99999",
      "ho st",
      // Valid by the grammar, yet no address: no URL can be made of them.
      "[:::::]",
      "999.999.999.999",
    ];
    await assertStatuses(served, [
      ...hosts.map((Host) => [upgradeRequest("/echo", { Host }), 400] as const),
      [upgradeRequest("http://other/echo"), 400],
      [upgradeRequest("http://u@127.0.0.1/echo"), 400],
    ]);
  });
});

test("HS-14: malformed subprotocol lists are refused", async () => {
  await serve({}, async (served) => {
    const lists = ["caf\xe9", "a, , b;c", "a, a", "a b", '"a"', "(a)"];
    await assertStatuses(
      served,
      lists.map((
        list,
      ) => [upgradeRequest("/echo", { "Sec-WebSocket-Protocol": list }), 400]),
    );
    const many = Array.from({ length: 10_000 }, (_, i) => `p${i}`).join(",");
    const request = upgradeRequest("/echo", { "Sec-WebSocket-Protocol": many });
    assertRefused(await served.exchange(request), 431);
  });
});

test("HS-15: headers made for slow parsers are answered at once", async () => {
  await serve({}, async (served) => {
    const name = "Sec-WebSocket-Extensions";
    const n = 8_000;
    const values = [
      `b${" ".repeat(n)}x`,
      `a; b="${"\\c".repeat(n / 2)}`,
      ",".repeat(n),
      `a${";".repeat(n)}`,
      `a; b=${'"'.repeat(n)}`,
    ];
    const start = performance.now();
    for (const value of values) {
      const response = await served.exchange(
        upgradeRequest("/echo", {
          [name]: value,
          Connection: "close, upgrade",
        }),
        frame({ opcode: "close", mask: true }),
      );
      assert([101, 400].includes(statusOf(response)), response);
    }
    assert(performance.now() - start < 8_000);
  });
});

test("HS-17: malformed extension offers are refused", async () => {
  await serve({}, async (served) => {
    const offers = ["a;", "a; b=", 'a; b="', "a b", "=a", 'a; b="\xff"'];
    await assertStatuses(
      served,
      offers.map((
        offer,
      ) => [
        upgradeRequest("/echo", { "Sec-WebSocket-Extensions": offer }),
        400,
      ]),
    );
  });
});

test("HS-23: what is no HTTP at all is answered 400", async () => {
  await serve({}, async (served) => {
    const clientHello = Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3);
    assertRefused(await served.exchange(clientHello), 400);
    assertRefused(await served.exchange("SSH-2.0-OpenSSH_9.6\r\n\r\n"), 400);
    assertRefused(await served.exchange("\0\0\0\0\0\0\0\0"), 400);
    assertRefused(await served.exchange("PRI * HTTP/2.0\r\n\r\nSM\r\n"), 505);
  });
});

test("HS-24: a PROXY line is no request", async () => {
  await serve({}, async (served) => {
    assertRefused(
      await served.exchange(
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
        upgradeRequest(),
      ),
      400,
    );
  });
});

test("HT-6, HT-11: an upgrade with a body, or that expects one, is refused", async () => {
  await serve({}, async (served) => {
    const text = frame({ payload: "no frame", mask: true });
    const cases = [
      [{ "Content-Length": "5" }, 400],
      [{ "Transfer-Encoding": "chunked" }, 400],
      [{ "Content-Length": "x" }, 400],
      [{ Expect: "100-continue" }, 417],
      [{ Expect: "100-continue", "Content-Length": "5" }, 400],
    ] as const;
    for (const [headers, status] of cases) {
      const request = upgradeRequest("/echo", headers);
      assertRefused(await served.exchange(request, text), status);
    }
  });
});

test("HT-8, HT-12: without a root, ordinary requests get fixed answers", async () => {
  await serve({}, async (served) => {
    const host = "Host: 127.0.0.1";
    await assertStatuses(served, [
      [head("GET / HTTP/1.1", host), 404],
      [upgradeRequest("/nowhere"), 404],
      [head("GET /echo HTTP/1.1", host), 426],
      [head("POST /echo HTTP/1.1", host, "Content-Length: 3") + "abc", 405],
      [head("OPTIONS * HTTP/1.1", host), 404],
      [head("CONNECT a:80 HTTP/1.1", host), 404],
      [head("TRACE / HTTP/1.1", host), 404],
    ]);
    const upgrade = await served.exchange(head("GET /echo HTTP/1.1", host));
    assert(/^Upgrade: websocket\r$/m.test(upgrade), upgrade);
    assert(/^Connection: Upgrade, close\r$/m.test(upgrade), upgrade);
    const answer = await served.exchange(head("HEAD / HTTP/1.1", host));
    assert(answer.startsWith("HTTP/1.1 404 ") && answer.endsWith("\r\n\r\n"));
    assertEquals(answer.split("HTTP/1.1").length, 2);
  });
});
