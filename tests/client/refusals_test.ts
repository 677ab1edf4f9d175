/** A server that does not open the connection: what the error tells. */
import { assert, assertEquals, assertMatch, test } from "../harness.ts";
import { concat } from "../harness/bytes.ts";
import { upgradeResponse } from "../harness/raw_server.ts";
import { refusal, refusalOf } from "./dialing.ts";

const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

test("CI-3: a response other than 101 fails with status, headers and body", async () => {
  for (const status of [200, 204, 301, 400, 426, 500, 999]) {
    const body = status === 204 ? "" : "sorry";
    const error = await refusalOf(
      `HTTP/1.1 ${status} Whatever\r\nLocation: ws://127.0.0.1:1/\r\n` +
        `X-Why: because\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    assertEquals(
      [error.reason, error.status, text(error.body)],
      ["bad-status", status, body],
    );
    assertEquals(error.headers?.get("x-why"), "because");
    assertEquals(new Headers(error.headers).get("x-why"), "because");
  }
});

test("CI-3: a 101 that is wrong in one header fails", async () => {
  const cases: [string, Record<string, string | undefined>, string][] = [
    ["no Upgrade", { Upgrade: undefined }, "bad-upgrade"],
    ["wrong Upgrade", { Upgrade: "h2c" }, "bad-upgrade"],
    ["two Upgrades", { Upgrade: "websocket, h2c" }, "bad-upgrade"],
    ["no Connection", { Connection: undefined }, "bad-connection"],
    ["wrong Connection", { Connection: "close" }, "bad-connection"],
    ["no Accept", { "Sec-WebSocket-Accept": undefined }, "bad-accept"],
    ["empty Accept", { "Sec-WebSocket-Accept": "" }, "bad-accept"],
    [
      "wrong Accept",
      { "Sec-WebSocket-Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" },
      "bad-accept",
    ],
  ];
  for (const [name, headers, reason] of cases) {
    const error = await refusal((raw, head) =>
      raw.write(upgradeResponse(head, headers))
    );
    assertEquals([name, error.reason, error.status], [name, reason, 101]);
  }
});

/** The response, with the line of `Sec-WebSocket-Accept` changed. */
function withAccept(
  head: string,
  change: (line: string) => string,
): string {
  return upgradeResponse(head).replace(/Sec-WebSocket-Accept.*\r\n/, change);
}

test("CI-3: Sec-WebSocket-Accept twice, in another case or padded", async () => {
  const changes: [string, (line: string) => string][] = [
    ["twice", (line) => line + line],
    ["upper case", (line) => line.toUpperCase()],
    ["without padding", (line) => line.replace("=\r", "\r")],
    ["more padding", (line) => line.replace("=\r", "==\r")],
    ["quoted", (line) => line.replace(/: (.*)\r/, ': "$1"\r')],
    ["with a comma", (line) => line.replace("\r", ",\r")],
  ];
  for (const [name, change] of changes) {
    const error = await refusal((raw, head) =>
      raw.write(withAccept(head, change))
    );
    assertEquals([name, error.reason], [name, "bad-accept"]);
  }
  // Spaces around a value are none of it (RFC 9110, section 5.5): the control.
  const other = await refusal((raw, head) =>
    raw.write(
      withAccept(head, (line) => line.replace(": ", ": \t ")).replace(
        "Connection: Upgrade",
        "Connection: none",
      ),
    )
  );
  assertEquals(other.reason, "bad-connection");
});

test("CI-3: a body is read by length, by chunks or to the end, up to 64 KiB", async () => {
  const chunked = await refusalOf(
    "HTTP/1.1 400 No\r\nTransfer-Encoding: chunked\r\n\r\n" +
      "5;x=y\r\nHello\r\n7\r\n, world\r\n0\r\n\r\n",
  );
  assertEquals(text(chunked.body), "Hello, world");

  const toTheEnd = await refusal((raw) => {
    raw.write("HTTP/1.1 400 No\r\n\r\nall of ", "it");
    raw.end();
  });
  assertEquals(text(toTheEnd.body), "all of it");

  const cutOff = await refusal((raw) => {
    raw.write("HTTP/1.1 400 No\r\nContent-Length: 100\r\n\r\nhalf");
    raw.end();
  });
  assertEquals([cutOff.reason, text(cutOff.body)], ["bad-status", "half"]);

  for (const header of ["Content-Length: 1000000000", "X-Y: z"]) {
    const endless = await refusal((raw) =>
      raw.write(
        concat(`HTTP/1.1 200 OK\r\n${header}\r\n\r\n`, new Uint8Array(200_000)),
      )
    );
    assertEquals(endless.body?.length, 65_536);
  }
});

test("CI-3: a body that does not come delays the error no longer than the timeout", async () => {
  const error = await refusalOf(
    "HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\nlate",
    { openTimeoutMs: 100 },
  );
  assertEquals(
    [error.reason, error.status, text(error.body)],
    ["bad-status", 503, "late"],
  );
});

test("CI-2: an endless head is cut off", async () => {
  for (const line of ["x".repeat(1000), `X-Pad: ${"y".repeat(1000)}\r\n`]) {
    let writes = 0;
    const error = await refusal(async (raw) => {
      raw.write("HTTP/1.1 101 Switching Protocols\r\n");
      while (!raw.ended && ++writes < 1000) {
        await raw.writeAll(new TextEncoder().encode(line));
        // Else the client, in the same process, would never have its turn.
        await new Promise((resolve) => setTimeout(resolve));
      }
    });
    assertEquals(error.reason, "response-head-too-big");
    // It stops reading at 16 KiB; what lies in between is the kernel's.
    assert(writes < 200, `the client took ${writes} kB`);
  }
});

test("CI-2: a head that drips in is cut off in time", async () => {
  let drip: ReturnType<typeof setInterval> | undefined;
  const error = await refusal((raw) => {
    raw.write("HTTP/1.1 101 Switching Protocols\r\nX-Drip: ");
    drip = setInterval(() => raw.write("x"), 10);
  }, { openTimeoutMs: 150 }).finally(() => clearInterval(drip));
  assertEquals(error.reason, "open-timeout");
});

test("CI-4: a thousand headers, and critical ones twice", async () => {
  const many = await refusal((raw, head) => {
    const more: Record<string, string> = {};
    for (let i = 0; i < 1000; i++) more[`X-${i}`] = "1";
    raw.write(upgradeResponse(head, more));
  });
  assertEquals(many.reason, "response-head-too-big");
  for (
    const [name, reason] of [
      ["Upgrade: websocket", "bad-upgrade"],
      ["Sec-WebSocket-Extensions: x", "malformed-extension"],
      ["Sec-WebSocket-Protocol: chat", "subprotocol-not-offered"],
    ]
  ) {
    const error = await refusal((raw, head) =>
      raw.write(
        upgradeResponse(head).replace(
          "\r\n\r\n",
          `\r\n${name}\r\n${name}\r\n\r\n`,
        ),
      ), { subprotocols: ["chat"] });
    assertEquals([name, error.reason], [name, reason]);
  }
});

test("CI-5: bytes beyond ASCII in a header harm nobody", async () => {
  const bytes = Uint8Array.from({ length: 128 }, (_, i) => 128 + i);
  const error = await refusal((raw) =>
    raw.write(
      concat("HTTP/1.1 400 N", bytes, "\r\nX-Odd: ", bytes, "\r\n"),
      "Content-Length: 0\r\n\r\n",
    )
  );
  assertEquals([error.reason, error.status], ["bad-status", 400]);
  assertEquals(error.headers?.get("x-odd")?.length, 128);
  assertEquals(new Headers(error.headers).has("x-odd"), true);
  // In a name they are an error.
  const name = await refusal((raw) =>
    raw.write(concat("HTTP/1.1 400 No\r\nX-", bytes, ": 1\r\n\r\n"))
  );
  assertEquals(name.reason, "malformed-response");
});

test("CI-6: more than eight interim responses fail, however they come", async () => {
  for (const interim of [100, 102, 103]) {
    const line = `HTTP/1.1 ${interim} Wait\r\nLink: </x>\r\n\r\n`;
    const error = await refusalOf(line.repeat(9));
    assertEquals(error.reason, "too-many-interim-responses");
    const final = await refusalOf(
      `${line.repeat(8)}HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n`,
    );
    assertEquals([final.reason, final.status], ["bad-status", 403]);
  }
  const flood = await refusalOf("HTTP/1.1 100 \r\n\r\n".repeat(60_000));
  assertEquals(flood.reason, "too-many-interim-responses");
});

test("CI-8: a subprotocol or an extension that was not agreed on fails", async () => {
  const cases: [Record<string, string>, string][] = [
    [{ "Sec-WebSocket-Protocol": "mail" }, "subprotocol-not-offered"],
    [{ "Sec-WebSocket-Protocol": "chat, mail" }, "subprotocol-not-offered"],
    [{ "Sec-WebSocket-Protocol": "CHAT" }, "subprotocol-not-offered"],
    [{ "Sec-WebSocket-Protocol": "" }, "subprotocol-not-offered"],
    [{}, "subprotocol-required"],
    [
      {
        "Sec-WebSocket-Protocol": "chat",
        "Sec-WebSocket-Extensions": "permessage-deflate",
      },
      "extension-not-offered",
    ],
    [
      {
        "Sec-WebSocket-Protocol": "chat",
        "Sec-WebSocket-Extensions": "x; =",
      },
      "malformed-extension",
    ],
  ];
  for (const [headers, reason] of cases) {
    const error = await refusal(
      (raw, head) => raw.write(upgradeResponse(head, headers)),
      {
        subprotocols: ["chat"],
        requireSubprotocol: true,
        compression: false,
      },
    );
    assertEquals([headers, error.reason], [headers, reason]);
  }
});

test("CI-8: an extension that a dialer never offers fails, with compression and without", async () => {
  for (const compression of [true, false]) {
    for (const answer of ["x-webkit-deflate-frame", "permessage-bzip2; a=b"]) {
      const error = await refusal(
        (raw, head) =>
          raw.write(
            upgradeResponse(head, { "Sec-WebSocket-Extensions": answer }),
          ),
        { compression },
      );
      assertEquals([answer, error.reason], [answer, "extension-not-offered"]);
    }
  }
});

test("CI-18: HTTP/2, HTTP/1.0 and other garbage are malformed responses", async () => {
  const garbage: (string | Uint8Array)[] = [
    // A SETTINGS frame, and the client's preface (RFC 9113, section 3.4).
    Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0),
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/2 101\r\n\r\n",
    "HTTP/1.0 101 Switching Protocols\r\n\r\n",
    "HTTP/1.1 1O1 Switching\r\n\r\n",
    "SSH-2.0-OpenSSH_9.7\r\n",
    "\r\n\r\n\r\n\r\n",
    "HTTP/1.1 101\rX: y\r\n\r\n",
    "HTTP/1.1 101 OK\r\nX : y\r\n\r\n",
    "HTTP/1.1 101 OK\r\n folded: y\r\n\r\n",
    Uint8Array.of(0x16, 3, 3, 0, 5, 1, 2, 3, 4, 5, 13, 10, 13, 10),
  ];
  for (const bytes of garbage) {
    const error = await refusal((raw) => {
      raw.write(bytes);
      raw.end();
    });
    assertMatch(error.reason, /^(malformed-response|closed-early)$/);
    assert(
      error.reason === "malformed-response" || bytes.length < 20,
      `${bytes}: ${error.reason}`,
    );
  }
});
