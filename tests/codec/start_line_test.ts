import type { StartLine } from "../../codec/head_scanner.ts";
import { RequestLine, StatusLine } from "../../codec/start_line.ts";
import { assertEquals, assertStrictEquals, test } from "../harness.ts";

/** Reads a line that stands between others, as far in as `start`. */
function read(
  line: StartLine<string>,
  text: string,
  start = 0,
): string | undefined {
  const bytes = Uint8Array.from(
    `${"\r\n".repeat(start / 2)}${text}\r\nHost: a`,
    (character) => character.charCodeAt(0),
  );
  return line.read(bytes, start, start + text.length);
}

test("a request line is a method, a target and a version", () => {
  const cases: [text: string, start: number, indices: number[]][] = [
    ["GET / HTTP/1.1", 0, [0, 3, 5]],
    ["GET / HTTP/1.1", 2, [2, 5, 7]],
    ["x http://a/b?c#d HTTP/1.0", 0, [0, 1, 16]],
    ["OPTIONS * HTTP/1.1", 0, [0, 7, 9]],
  ];
  for (const [text, start, indices] of cases) {
    const line = new RequestLine();
    assertStrictEquals(read(line, text, start), undefined, text);
    const { methodStart, methodEnd, targetEnd, version } = line;
    assertEquals([methodStart, methodEnd, targetEnd], indices, text);
    assertStrictEquals(version, text.slice(-8));
  }
});

test("HS-6, HS-7, HS-23: what is no request line is told why", () => {
  const cases: [fault: string, ...texts: string[]][] = [
    [
      "bad-request-line",
      ...["G(T / HTTP/1.1", "GET", "GET ", "GET  HTTP/1.1", "GET HTTP/1.1"],
      ...["GET /HTTP/1.1", "GET / HTTP/1.1 ", "GET / http/1.1", "G / HTTP/1,1"],
      ...[
        "GET / HTTP/x.1",
        "GET / HTTP/1.x",
        "GET / HTTP/2.x",
        "GET / XTTP/1.1",
      ],
    ],
    [
      "bad-target",
      "GET /a b HTTP/1.1",
      "GET /\x7f HTTP/1.1",
      "GET /\xe9 HTTP/1.1",
    ],
    ["bad-http-version", "GET / HTTP/2.0", "GET / HTTP/1.2", "GET / HTTP/0.9"],
  ];
  for (const [fault, ...texts] of cases) {
    for (const text of texts) {
      assertStrictEquals(read(new RequestLine(), text), fault, text);
    }
  }
});

test("a status line is a version, a status and perhaps a phrase", () => {
  const cases: [text: string, status: number, phrase: string][] = [
    ["HTTP/1.1 101 Switching Protocols", 101, "Switching Protocols"],
    ["HTTP/1.0 200 OK", 200, "OK"],
    ["HTTP/1.1 999 ", 999, ""],
    ["HTTP/1.1 100", 100, ""],
  ];
  for (const [text, status, phrase] of cases) {
    const line = new StatusLine();
    assertStrictEquals(read(line, text), undefined, text);
    assertStrictEquals(line.status, status);
    assertStrictEquals(line.version, text.slice(0, 8));
    assertStrictEquals(text.slice(line.textStart, line.end), phrase);
  }
});

test("CI-3, CI-5: what is no status line is told why", () => {
  const cases: [fault: string, ...texts: string[]][] = [
    [
      "bad-status-line",
      ...[
        "HTTP/1.1",
        "HTTP/1.1 ",
        "HTTP/1.1 10",
        "HTTP/1.1 1x1",
        "HTTP/1.1 099",
      ],
      ...["HTTP/1.1 1010", "HTTP/1.1  101", "HTTP/1.1\t101", "XTTP/1.1 101"],
    ],
    ["bad-http-version", "HTTP/2.0 200", "HTTP/1.2 200", "HTTP/0.9 200"],
  ];
  for (const [fault, ...texts] of cases) {
    for (const text of texts) {
      assertStrictEquals(read(new StatusLine(), text), fault, text);
    }
  }
});

test("a status line does not tolerate an empty line before it", () => {
  const line = new StatusLine();
  assertStrictEquals(read(line, "HTTP/1.1 101", 2), "bad-status-line");
});

test("a line is judged by its first byte", () => {
  const may = (line: StartLine<string>, text: string) =>
    line.canStartWith(text.charCodeAt(0));
  const [request, status] = [new RequestLine(), new StatusLine()];
  assertEquals([..."Gg!( \r"].map((text) => may(request, text)), [
    ...[true, true, true],
    ...[false, false, false],
  ]);
  assertEquals([..."HhG "].map((text) => may(status, text)), [
    true,
    ...[false, false, false],
  ]);
  assertEquals([request.fault, status.fault], [
    "bad-request-line",
    "bad-status-line",
  ]);
});
