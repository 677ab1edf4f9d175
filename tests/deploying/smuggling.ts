/**
 * Requests that two parsers might take for a different number of requests: rows
 * HT-1 to HT-6 of the catalogue of attacks. Each hides a request for
 * `/internal/evil`.
 */
import { Buffer } from "node:buffer";
import { concat } from "../harness/bytes.ts";
import { frame } from "../harness/frame.ts";
import { HANDSHAKE_KEY } from "../harness/raw_client.ts";

/** One attack. */
export interface Attack {
  /** Row and what it is. */
  readonly name: string;
  /** What is sent. */
  readonly bytes: Uint8Array;
}

/** The request that must not get through. */
const EVIL = "GET /internal/evil HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
const FRAME = Buffer.from(frame({ mask: true, payload: "smuggled" }))
  .toString("latin1");

/** A POST whose head has these lines, and what follows the head. */
function post(
  name: string,
  lines: readonly string[],
  body: string,
  version = "1.1",
): (path: string) => Attack {
  return (path) => {
    const head = [
      `POST ${path} HTTP/${version}`,
      "Host: 127.0.0.1",
      ...lines,
    ];
    return attack(name, `${head.join("\r\n")}\r\n\r\n${body}${EVIL}`);
  };
}

function attack(name: string, text: string): Attack {
  return { name, bytes: concat(Buffer.from(text, "latin1")) };
}

const LENGTHS = [
  ["Content-Length: 5", "Content-Length: 5"],
  ["Content-Length: 5", "Content-Length: 6"],
  ["Content-Length: 0", "Content-Length: 53"],
  ...["5, 5", "5, 6", "+5", "-1", "0x5", "5 ", "", "18446744073709551616"]
    .map((value) => [`Content-Length: ${value}`]),
  ["Content-Length : 5"],
  ["Content-Length:\t5"],
];

const TRANSFER_ENCODINGS = [
  ...[
    "xchunked",
    "chunked, identity",
    "gzip, chunked",
    "chunked\t",
    "\vchunked",
  ]
    .map((value) => [`Transfer-Encoding: ${value}`]),
  ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
  ["Transfer-Encoding: identity", "Transfer-Encoding: chunked"],
  ["Transfer-Encoding : chunked"],
  ["X: y\nTransfer-Encoding: chunked"],
  ["Transfer-Encoding:\r\n chunked"],
];

const CHUNKS = {
  "a negative size": "-1\r\nabcde\r\n0\r\n\r\n",
  "a size with 0x": "0x5\r\nabcde\r\n0\r\n\r\n",
  "a size of 17 digits": "10000000000000005\r\nabcde\r\n0\r\n\r\n",
  "blanks around the size": " 5 \r\nabcde\r\n0\r\n\r\n",
  "a bare LF after the size": "5\nabcde\r\n0\r\n\r\n",
  "a bare LF after the data": "5\r\nabcde\n0\r\n\r\n",
  "bytes after the data": "5\r\nabcdeXX0\r\n\r\n",
  "bytes after the last chunk": "5\r\nabcde\r\n0\r\nXX",
  "an extension of 64 KiB": `5;${"x".repeat(65_536)}\r\nabcde\r\n0\r\n\r\n`,
  "an extension with a bare LF": `5;x\n\r\nabcde\r\n0\r\n\r\n`,
  "trailers": "5\r\nabcde\r\n0\r\nHost: x\r\nContent-Length: 53\r\n" +
    "Transfer-Encoding: chunked\r\n\r\n",
  "many trailers": `0\r\n${"A: b\r\n".repeat(1_000)}\r\n`,
};

const POSTS: readonly ((path: string) => Attack)[] = [
  ...LENGTHS.map((lines) => post(`HT-1 ${lines}`, lines, "abcde")),
  ...["Content-Length: 5", "cONTENT-lENGTH: 4"].flatMap((length) => {
    const coding = "tRANSFER-eNCODING: Chunked";
    return [[length, coding], [coding, length]].map((lines) =>
      post(`HT-2 ${lines}`, lines, "0\r\n\r\n")
    );
  }),
  ...TRANSFER_ENCODINGS.map((lines) =>
    post(`HT-3 ${lines}`, lines, "0\r\n\r\n")
  ),
  post("HT-3 HTTP/1.0", ["Transfer-Encoding: chunked"], "0\r\n\r\n", "1.0"),
  ...Object.entries(CHUNKS).map(([name, body]) =>
    post(`HT-4 ${name}`, ["Transfer-Encoding: chunked"], body)
  ),
];

/** A request for a WebSocket, with lines replaced, and what follows the head. */
function upgrade(
  name: string,
  changes: Readonly<Record<string, string | undefined>>,
  rest: string,
  [method, version]: readonly [string, string] = ["GET", "1.1"],
): (path: string) => Attack {
  const headers = {
    Host: "127.0.0.1",
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": HANDSHAKE_KEY,
    "Sec-WebSocket-Version": "13",
    ...changes,
  };
  const lines = Object.entries(headers)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return (path) =>
    attack(name, `${method} ${path} HTTP/${version}\r\n${lines}\r\n${rest}`);
}

const REFUSED: readonly ((path: string) => Attack)[] = [
  upgrade("HT-5 version 99", { "Sec-WebSocket-Version": "99" }, EVIL),
  upgrade("HT-5 no version", { "Sec-WebSocket-Version": undefined }, EVIL),
  upgrade("HT-5 no key", { "Sec-WebSocket-Key": undefined }, EVIL),
  upgrade("HT-5 a short key", { "Sec-WebSocket-Key": "abc" }, EVIL),
  upgrade("HT-5 two keys", {
    "Sec-WebSocket-Key": HANDSHAKE_KEY,
    "sec-websocket-key": HANDSHAKE_KEY,
  }, EVIL),
  upgrade("HT-5 no Host", { Host: undefined }, EVIL),
  upgrade("HT-5 POST", {}, EVIL, ["POST", "1.1"]),
  upgrade("HT-5 HTTP/1.0", {}, EVIL, ["GET", "1.0"]),
  upgrade("HT-5 no Connection", { Connection: undefined }, EVIL),
  upgrade("HT-5 another protocol", { Upgrade: "h2c" }, EVIL),
  upgrade("HT-5 a foreign page", { Origin: "https://evil.example" }, EVIL),
  upgrade("HT-5 subprotocols", { "Sec-WebSocket-Protocol": "a, a" }, EVIL),
  upgrade("HT-5 extensions", { "Sec-WebSocket-Extensions": "a; =" }, EVIL),
  upgrade("HT-5 by the handler", { "X-Refuse": "yes" }, EVIL),
];

const WITH_BODY: readonly ((path: string) => Attack)[] = [EVIL, FRAME]
  .flatMap((body) => [
    upgrade(
      `HT-6 a body that is ${body === EVIL ? "a request" : "a frame"}`,
      { "Content-Length": String(body.length) },
      body,
    ),
    upgrade(
      `HT-6 chunks that are ${body === EVIL ? "a request" : "a frame"}`,
      { "Transfer-Encoding": "chunked" },
      `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    ),
  ]);

/** Attacks on the root; each is given a path of its own. */
export const ROOT_ATTACKS: readonly ((path: string) => Attack)[] = POSTS;

/** Attacks on a handler's path. */
export const UPGRADE_ATTACKS: readonly ((path: string) => Attack)[] = [
  ...REFUSED,
  ...WITH_BODY,
];
