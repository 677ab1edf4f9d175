/** What is agreed on over sockets, by our site and by our dialer. */
import { type CompressionOptions, dial } from "../../client.ts";
import { Site } from "../../server.ts";
import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import { opened, refusal } from "../client/dialing.ts";
import {
  HANDSHAKE_KEY,
  rawConnect,
  upgradeRequest,
} from "../harness/raw_client.ts";
import {
  acceptKey,
  headerOf,
  RawServer,
  upgradeResponse,
} from "../harness/raw_server.ts";
import { Echo, serve, statusOf } from "../site/served.ts";

const HEADER = "Sec-WebSocket-Extensions";
const DEFLATE = "permessage-deflate";

/** Sends an offer to a site; returns the status, and the extensions of the answer. */
async function answerTo(
  port: number,
  offer: string | undefined,
  path = "/echo",
): Promise<[status: number, answer: string | undefined]> {
  await using raw = await rawConnect(port);
  raw.write(upgradeRequest(path, { [HEADER]: offer }));
  const head = await raw.readHead();
  if (statusOf(head) === 101) {
    const accept = headerOf(head, "Sec-WebSocket-Accept");
    assertEquals(accept, acceptKey(HANDSHAKE_KEY));
  }
  return [statusOf(head), headerOf(head, HEADER)];
}

test("EX1: a site compresses nothing unless it is told to", async () => {
  await serve({}, async ({ port }) => {
    assertEquals(await answerTo(port, DEFLATE), [101, undefined]);
  });
  await serve({ compression: false }, async ({ port }) => {
    assertEquals(await answerTo(port, DEFLATE), [101, undefined]);
  });
});

test("EX1: a site that compresses answers those who offer it", async () => {
  await serve({ compression: true }, async ({ port }) => {
    const c = "client_max_window_bits";
    const rows: [offer: string | undefined, answer: string | undefined][] = [
      [undefined, undefined],
      ["x-webkit-deflate-frame", undefined],
      // As Chromium, Safari, Bun, Node and `ws` offer it.
      [
        `${DEFLATE}; ${c}`,
        `${DEFLATE}; server_max_window_bits=12; client_max_window_bits=12`,
      ],
      // As some browsers offer it.
      [
        DEFLATE,
        `${DEFLATE}; client_no_context_takeover; server_max_window_bits=12`,
      ],
      [
        `${DEFLATE}; ${c}=10; server_max_window_bits=9; server_no_context_takeover`,
        `${DEFLATE}; server_no_context_takeover; server_max_window_bits=9; ` +
        "client_max_window_bits=10",
      ],
    ];
    for (const [offer, answer] of rows) {
      assertEquals(await answerTo(port, offer), [101, answer], offer);
    }
  });
});

test("PM-6: a site declines what it cannot accept, and the connection opens", async () => {
  await serve({ compression: true }, async ({ port }) => {
    for (
      const parameters of [
        "server_max_window_bits=7",
        "server_max_window_bits=16",
        "server_max_window_bits=1000",
        "server_max_window_bits=0x9",
        "server_max_window_bits=8; server_max_window_bits=8",
        "server_max_window_bits",
        "client_max_window_bits=1000",
        "client_no_context_takeover=true",
        "unknown",
      ]
    ) {
      const offer = `${DEFLATE}; ${parameters}`;
      assertEquals(await answerTo(port, offer), [101, undefined], offer);
      const [status, answer] = await answerTo(
        port,
        `${offer}, ${DEFLATE}; server_max_window_bits=8`,
      );
      assertEquals(
        [status, answer?.includes("server_max_window_bits=8")],
        [101, true],
        offer,
      );
    }
    // No token, thus no header: that is not an offer that could be declined.
    const malformed = `${DEFLATE}; server_max_window_bits=""`;
    assertEquals(await answerTo(port, malformed), [400, undefined]);
  });
});

test("ws answers 400 to an offer that it should decline", async () => {
  await serve({ compression: true }, async ({ port }) => {
    for (const parameters of ["unknown", "server_max_window_bits=7"]) {
      const offer = `${DEFLATE}; ${parameters}`;
      assertEquals(await answerTo(port, offer), [101, undefined]);
    }
  });
});

test("EX1: a handler's compression takes the place of the site's", async () => {
  const setup = (site: Site) => {
    const add = (path: string, compression: boolean | CompressionOptions) =>
      site.addHandler(path, Echo, { compression });
    add("/off", false);
    add("/small", { serverMaxWindowBits: 8, clientMaxWindowBits: 8 });
    add("/alone", {
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
    });
    add("/free", { serverMaxWindowBits: 15, clientMaxWindowBits: 15 });
  };
  await serve({ compression: true, setup }, async ({ port }) => {
    const offer = `${DEFLATE}; client_max_window_bits`;
    const answers: [path: string, answer: string | undefined][] = [
      ["/off", undefined],
      [
        "/small",
        `${DEFLATE}; server_max_window_bits=8; client_max_window_bits=8`,
      ],
      [
        "/alone",
        `${DEFLATE}; server_no_context_takeover; client_no_context_takeover; ` +
        "server_max_window_bits=12; client_max_window_bits=12",
      ],
      ["/free", DEFLATE],
    ];
    for (const [path, answer] of answers) {
      assertEquals(await answerTo(port, offer, path), [101, answer], path);
    }
  });
});

test("PM-6: options that cannot be meant are refused, by site and dialer", async () => {
  const wrong = { compression: { serverMaxWindowBits: 16 } };
  assertThrows(() => new Site(wrong), RangeError, "serverMaxWindowBits");
  const site = new Site();
  assertThrows(() => site.addHandler("/", Echo, wrong), RangeError, "add the");
  let error: unknown;
  await dial("ws://127.0.0.1:1/", wrong).catch((thrown) => error = thrown);
  assert(error instanceof RangeError, String(error));
});

test("EX1: a dialer offers compression as browsers do, unless told otherwise", async () => {
  const offerOf = async (compression?: boolean | CompressionOptions) => {
    const options = compression === undefined ? {} : { compression };
    await using end = await opened(options);
    assertEquals(end.connection.extensions, []);
    return headerOf(end.requestHead, HEADER);
  };
  assertEquals(await offerOf(), `${DEFLATE}; client_max_window_bits`);
  assertEquals(await offerOf(true), `${DEFLATE}; client_max_window_bits`);
  assertEquals(await offerOf(false), undefined);
  assertEquals(
    await offerOf({
      serverMaxWindowBits: 10,
      clientMaxWindowBits: 9,
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
    }),
    `${DEFLATE}; client_max_window_bits=9; server_max_window_bits=10; ` +
      "server_no_context_takeover; client_no_context_takeover",
  );
});

test("EX2, CI-12: a dialer fails on an answer that it may not accept", async () => {
  const rows: [compression: boolean | CompressionOptions, answer: string][] = [
    [true, `${DEFLATE}; server_max_window_bits=1000`],
    [true, `${DEFLATE}; server_max_window_bits=7`],
    [true, `${DEFLATE}; server_max_window_bits=16`],
    [true, `${DEFLATE}; client_max_window_bits`],
    [true, `${DEFLATE}; client_max_window_bits=8; client_max_window_bits=8`],
    [true, `${DEFLATE}; unknown`],
    [true, `${DEFLATE}; server_no_context_takeover=1`],
    [true, `${DEFLATE}, ${DEFLATE}`],
    [{ clientMaxWindowBits: 9 }, `${DEFLATE}; client_max_window_bits=10`],
    [{ serverMaxWindowBits: 9 }, DEFLATE],
    [{ serverMaxWindowBits: 9 }, `${DEFLATE}; server_max_window_bits=10`],
    [{ serverNoContextTakeover: true }, DEFLATE],
  ];
  for (const [compression, answer] of rows) {
    const error = await refusal(
      (raw, head) => raw.write(upgradeResponse(head, { [HEADER]: answer })),
      { compression },
    );
    assertEquals(
      [answer, error.reason, error.status],
      [answer, "extension-not-acceptable", 101],
    );
  }
});

test("CI-12: each parameter of PM-6 in an answer, right or wrong", async () => {
  const rows: [parameter: string, values: string[], reason?: string][] = [
    ["server_max_window_bits", ["=8", "=9", "=15", '="10"']],
    ["client_max_window_bits", ["=8", "=15"]],
    ["server_no_context_takeover", [""]],
    ["client_no_context_takeover", [""]],
    [
      "server_max_window_bits",
      ["", "=0", "=7", "=16", "=1000", "=-8", "=0x9", "=08", "=9.0", "=1e1"],
      "extension-not-acceptable",
    ],
    [
      "client_max_window_bits",
      ["", "=7", "=16", "=1000", "=0x9"],
      "extension-not-acceptable",
    ],
    [
      "server_no_context_takeover",
      ["=1", "=true", "=x"],
      "extension-not-acceptable",
    ],
    ["client_no_context_takeover", ["=1"], "extension-not-acceptable"],
    ["unknown", ["", "=1"], "extension-not-acceptable"],
    // RFC 7692, section 5.2 leaves no value that is no token.
    ["server_max_window_bits", ['=""', '=" 9"', "="], "malformed-extension"],
  ];
  for (const [parameter, values, reason] of rows) {
    for (const value of values) {
      const one = `${DEFLATE}; ${parameter}${value}`;
      const twice = `${one}; ${parameter}${value}`;
      if (reason === undefined) {
        await using server = await RawServer.listen();
        const dialing = dial(`ws://127.0.0.1:${server.port}/`);
        await server.acceptUpgrade({ [HEADER]: one });
        const connection = await dialing;
        assertEquals(connection.extensions[0]?.name, DEFLATE);
        connection.terminate();
        await connection.closed;
      }
      for (const answer of reason === undefined ? [twice] : [one, twice]) {
        const error = await refusal((raw, head) =>
          raw.write(upgradeResponse(head, { [HEADER]: answer }))
        );
        assertEquals(
          [answer, error.reason, error.status],
          [answer, reason ?? "extension-not-acceptable", 101],
        );
      }
    }
  }
});

test("CI-12: a dialer that offers nothing fails on any answer", async () => {
  const error = await refusal(
    (raw, head) => raw.write(upgradeResponse(head, { [HEADER]: DEFLATE })),
    { compression: false },
  );
  assertEquals(error.reason, "extension-not-offered");
});

test("EX2: a dialer tells what it has agreed to", async () => {
  await using server = await RawServer.listen();
  const dialing = dial(`ws://127.0.0.1:${server.port}/`);
  const answer = `${DEFLATE}; server_max_window_bits=11`;
  await server.acceptUpgrade({ [HEADER]: answer });
  const connection = await dialing;
  assertEquals(connection.extensions, [{
    name: DEFLATE,
    parameters: [["server_max_window_bits", "11"]],
  }]);
  connection.terminate();
  await connection.closed;
});

test("WS9: our dialer and our site agree, and both tell", async () => {
  const wishes: CompressionOptions[] = [
    {},
    { serverMaxWindowBits: 8, clientMaxWindowBits: 8 },
    { serverNoContextTakeover: true },
    { clientNoContextTakeover: true, clientMaxWindowBits: 9 },
  ];
  for (const theirs of wishes) {
    await serve({ compression: theirs }, async ({ port, site }) => {
      for (const ours of wishes) {
        const url = `ws://127.0.0.1:${port}/echo`;
        await using connection = await dial(url, { compression: ours });
        const [{ extensions }] = [...site.connections].slice(-1) as [
          typeof connection,
        ];
        assertEquals(connection.extensions, extensions);
        assertEquals(extensions[0]?.name, DEFLATE);
        const text = "compressed in both directions ".repeat(100);
        for (let round = 0; round < 3; round++) {
          connection.send(text);
          assertEquals(await connection.receive(), text);
        }
        const { payloadBytesSent, payloadBytesReceived } = connection.stats;
        assert(payloadBytesSent < 600, `${payloadBytesSent}`);
        assert(payloadBytesReceived < 600, `${payloadBytesReceived}`);
      }
    });
  }
});
