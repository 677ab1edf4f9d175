import { assert, assertEquals, assertStrictEquals, test } from "../harness.ts";
import {
  type RequestHead,
  RequestHeadReader,
  type ResponseHead,
  ResponseHeadReader,
} from "../../codec/http.ts";

function toBytes(latin1: string): Uint8Array {
  return Uint8Array.from(latin1, (character) => character.charCodeAt(0));
}

function flat(head: RequestHead | ResponseHead | undefined): unknown {
  assert(head !== undefined);
  return { ...head, headers: [...head.headers] };
}

/** The refusal of a request, which must be the same in one chunk and in many. */
function refusalOf(request: string): string {
  const bytes = toBytes(request);
  const whole = new RequestHeadReader();
  whole.receive(bytes);
  const slow = new RequestHeadReader();
  for (const byte of bytes) slow.receive(Uint8Array.of(byte));
  assertEquals(slow.refusal, whole.refusal);
  const { status, reason } = whole.refusal ?? { status: 0, reason: "none" };
  return `${status} ${reason}`;
}

function errorOf(response: string): string | undefined {
  const reader = new ResponseHeadReader();
  reader.receive(toBytes(response));
  return reader.error?.reason;
}

const TWENTY_HEADERS = "GET /chat?x=1 HTTP/1.1\r\n" +
  "Host: example.com:8080\r\nConnection: keep-alive, Upgrade\r\n" +
  "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
  "X-Latin: \xe9\x80\r\nX-Empty:\r\nX-Tab:\ta\tb \r\n" +
  Array.from({ length: 12 }, (_, n) => `X-${n}: value ${n}\r\n`).join("") +
  "\r\n";

test("RequestHeadReader reads a request, and leaves what follows", () => {
  const reader = new RequestHeadReader();
  const bytes = toBytes("GET /a HTTP/1.1\r\nHost: h\r\n\r\n\x81\x80");
  assertEquals(reader.receive(bytes), bytes.length - 2);
  assertEquals(flat(reader.head), {
    method: "GET",
    target: "/a",
    version: "HTTP/1.1",
    headers: [["host", "h"]],
  });
  assertEquals(reader.refusal, undefined);
  assertEquals(reader.bytes, bytes.subarray(0, bytes.length - 2));
  const { head } = reader;
  assertEquals(reader.receive(bytes), 0);
  assertEquals(reader.head, head);
});

test("HS-20: a request split anywhere gives the same head", () => {
  const bytes = toBytes(TWENTY_HEADERS);
  const whole = new RequestHeadReader();
  assertEquals(whole.receive(bytes), bytes.length);
  const expected = flat(whole.head);
  assertEquals(whole.head?.headers.size, 20);
  assertEquals(whole.head?.headers.get("x-latin"), "\xe9\x80");

  for (let split = 0; split < bytes.length; split++) {
    const reader = new RequestHeadReader();
    assertEquals(reader.receive(bytes.subarray(0, split)), undefined);
    assertEquals(reader.head, undefined);
    assertEquals(
      reader.receive(bytes.subarray(split)),
      bytes.length - split,
    );
    assertEquals(flat(reader.head), expected, `split at ${split}`);
    assertEquals(reader.bytes, bytes);
  }

  const slow = new RequestHeadReader();
  bytes.forEach((byte, at) => {
    const isLast = at === bytes.length - 1;
    assertEquals(slow.receive(Uint8Array.of(byte)), isLast ? 1 : undefined);
  });
  assertEquals(flat(slow.head), expected);
  assertEquals(slow.bytes, bytes);
});

test("RequestHeadReader tolerates one empty line before the request", () => {
  const reader = new RequestHeadReader();
  const bytes = toBytes("\r\nPOST * HTTP/1.0\r\n\r\n");
  assertEquals(reader.receive(bytes), bytes.length);
  assertEquals(flat(reader.head), {
    method: "POST",
    target: "*",
    version: "HTTP/1.0",
    headers: [],
  });
});

test("HS-7: versions and methods", () => {
  assertEquals(refusalOf("get / HTTP/1.1\r\n\r\n"), "0 none");
  for (const version of ["2.0", "9.9", "1.2", "0.9"]) {
    assertEquals(
      refusalOf(`GET / HTTP/${version}\r\n`),
      "505 bad-http-version",
    );
  }
  assertEquals(refusalOf("PRI * HTTP/2.0\r\n\r\n"), "505 bad-http-version");
});

test("HS-6, HS-23: malformed request lines", () => {
  for (
    const line of [
      "GET",
      "GET ",
      "GET /",
      "GET  HTTP/1.1",
      "GET HTTP/1.1",
      " GET / HTTP/1.1",
      "G(T / HTTP/1.1",
      "GET\t/ HTTP/1.1",
      "GET / HTTP/1.1 ",
      "GET / HTTP/1.",
      "GET / HTTP/1,1",
      "GET / HTTP/x.1",
      "GET / HTTP/1.x",
      "GET / http/1.1",
      "GET /HTTP/1.1",
      "SSH-2.0-OpenSSH_9.6",
      "PROXY TCP4 192.0.2.1 192.0.2.2 1 2",
    ]
  ) {
    assertEquals(refusalOf(`${line}\r\n`), "400 bad-request-line", line);
  }
  for (const target of ["/a b", "/a\tb", "/\xe9", " /", "/ "]) {
    assertEquals(
      refusalOf(`GET ${target} HTTP/1.1\r\n`),
      "400 bad-target",
      target,
    );
  }
  assertEquals(refusalOf("GET /\0 HTTP/1.1\r\n"), "400 bad-character");
  assertEquals(refusalOf("\x16\x03\x01"), "400 bad-character");
  assertEquals(refusalOf("\x80"), "400 bad-request-line");
});

test("HS-3: limits answer 414 and 431 as soon as they are crossed", () => {
  const start = "GET / HTTP/1.1\r\n";
  assertEquals(refusalOf("G".repeat(8_193)), "414 start-line-too-long");
  assertEquals(
    refusalOf(`${start}A: ${"b".repeat(8_190)}`),
    "431 header-too-long",
  );
  assertEquals(
    refusalOf(`${start}${"A: b\r\n".repeat(129)}`),
    "431 too-many-headers",
  );
  assertEquals(
    refusalOf(`${start}${`A: ${"b".repeat(4_000)}\r\n`.repeat(5)}`),
    "431 head-too-long",
  );
  const reader = new RequestHeadReader({ maxStartLineBytes: 3 });
  reader.receive(toBytes("GET /"));
  assertEquals(reader.refusal?.status, 414);
});

test("HS-4: a head of 16 KiB in single bytes is accepted", () => {
  const long = "GET / HTTP/1.1\r\n" + `A: ${"a".repeat(5_000)}\r\n`.repeat(3);
  const rest = 16_384 - long.length - "B: \r\n\r\n".length;
  assertEquals(refusalOf(`${long}B: ${"b".repeat(rest)}\r\n\r\n`), "0 none");
  assertEquals(
    refusalOf(`${long}B: ${"b".repeat(rest + 1)}\r\n\r\n`),
    "431 head-too-long",
  );
});

test("a reader that has failed ignores what follows", () => {
  const request = new RequestHeadReader();
  request.receive(toBytes("\n"));
  const { refusal } = request;
  assertEquals(
    request.receive(toBytes("GET / HTTP/1.1\r\n\r\n")),
    undefined,
  );
  assertEquals(request.head, undefined);
  assertStrictEquals(request.refusal, refusal);

  const response = new ResponseHeadReader();
  response.receive(toBytes("\n"));
  const { error } = response;
  assertEquals(
    response.receive(toBytes("HTTP/1.1 200 OK\r\n\r\n")),
    undefined,
  );
  assertEquals(response.head, undefined);
  assertStrictEquals(response.error, error);
});

test("random bytes never throw, and are taken in any pieces alike", () => {
  let seed = 12_345;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor(seed / 0x1_0000_0000 * below);
  };
  const valid = toBytes(TWENTY_HEADERS);
  for (let round = 0; round < 300; round++) {
    const bytes = valid.slice();
    for (let change = random(4); change >= 0; change--) {
      bytes[random(bytes.length)] = random(256);
    }
    const whole = new RequestHeadReader();
    const taken = whole.receive(bytes);
    const pieces = new RequestHeadReader();
    for (let at = 0; at < bytes.length && pieces.head === undefined;) {
      const size = 1 + random(40);
      pieces.receive(bytes.slice(at, at + size));
      at += size;
    }
    assertEquals(pieces.refusal, whole.refusal, `round ${round}`);
    assertEquals(pieces.head === undefined, whole.head === undefined);
    if (whole.head) assertEquals(flat(pieces.head), flat(whole.head));
    if (taken !== undefined) assertEquals(pieces.bytes.length, taken);
  }
});

test("ResponseHeadReader reads a response, and leaves what follows", () => {
  const reader = new ResponseHeadReader();
  const bytes = toBytes(
    "HTTP/1.1 101 Switching Pr\xf6\r\nA: b\r\n\r\n\x81\x00",
  );
  assertEquals(reader.receive(bytes), bytes.length - 2);
  assertEquals(flat(reader.head), {
    version: "HTTP/1.1",
    status: 101,
    statusText: "Switching Pr\xf6",
    headers: [["a", "b"]],
  });
  assertEquals(reader.error, undefined);
  assertEquals(reader.receive(bytes), 0);
});

test("ResponseHeadReader does without a reason phrase", () => {
  for (const line of ["HTTP/1.0 404", "HTTP/1.0 404 "]) {
    const reader = new ResponseHeadReader();
    reader.receive(toBytes(`${line}\r\n\r\n`));
    assertEquals(flat(reader.head), {
      version: "HTTP/1.0",
      status: 404,
      statusText: "",
      headers: [],
    });
  }
});

test("CI-6, CI-7: interim responses are skipped, wherever they are split", () => {
  const interim = "HTTP/1.1 100 Continue\r\n\r\n" +
    "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n".repeat(7);
  const bytes = toBytes(`${interim}HTTP/1.1 101 \r\nA: b\r\n\r\n!`);
  for (let split = 0; split < bytes.length; split++) {
    const reader = new ResponseHeadReader();
    const first = reader.receive(bytes.subarray(0, split));
    const rest = split === bytes.length - 1 ? 0 : bytes.length - split - 1;
    assertEquals(first, rest === 0 ? split : undefined);
    assertEquals(reader.receive(bytes.subarray(split)), rest);
    assertEquals(reader.head?.status, 101);
    assertEquals([...reader.head!.headers], [["a", "b"]]);
  }
});

test("CI-6: the ninth interim response is an error", () => {
  const interim = "HTTP/1.1 103 \r\n\r\n";
  assertEquals(errorOf(interim.repeat(8)), undefined);
  assertEquals(errorOf(interim.repeat(9)), "too-many-interim-responses");
  const reader = new ResponseHeadReader();
  for (let sent = 0; sent < 1_000; sent++) reader.receive(toBytes(interim));
  assertEquals(reader.error?.reason, "too-many-interim-responses");
});

test("CI-2, CI-4: a response head beyond a limit", () => {
  const start = "HTTP/1.1 101 \r\n";
  for (
    const head of [
      `HTTP/1.1 101 ${"x".repeat(8_192)}`,
      `${start}A: ${"b".repeat(8_192)}`,
      `${start}${"A: b\r\n".repeat(1_000)}`,
      `${start}${`A: ${"b".repeat(4_000)}\r\n`.repeat(5)}`,
    ]
  ) assertEquals(errorOf(head), "response-head-too-big", head.slice(0, 40));
});

test("CI-3, CI-5, CI-18: what is not an HTTP/1.1 response", () => {
  for (
    const head of [
      "S", // an SSH banner, say
      "\x00\x00\x12\x04", // HTTP/2 settings
      "\r\nHTTP/1.1 101 \r\n",
      "HTTP/1.1\r\n",
      "HTTP/1.1 \r\n",
      "HTTP/1.1 10\r\n",
      "HTTP/1.1 1x1 \r\n",
      "HTTP/1.1 099 \r\n",
      "HTTP/1.1 1011\r\n",
      "HTTP/1.1  101\r\n",
      "HTTP/1.1\t101\r\n",
      "HTTP/2.0 101 \r\n",
      "HTTP/1.2 101 \r\n",
      "HTTX/1.1 101 \r\n",
      "HTTP/1.1 101 \r\n\xe9: a\r\n",
      "HTTP/1.1 101 \nA: b\n\n",
    ]
  ) assertEquals(errorOf(head), "malformed-response", head);
});
