import { assert, assertEquals, assertStrictEquals, test } from "../harness.ts";
import { HeadScanner, type StartLine } from "../../codec/head_scanner.ts";

/** A first line may be anything that starts with an `S`, but not `S!`. */
function anyLine(): StartLine<"bad"> & { text: string } {
  return {
    fault: "bad",
    text: "",
    canStartWith: (byte) => byte === 0x53,
    read(bytes, start, end) {
      this.text = String.fromCharCode(...bytes.subarray(start, end));
      return this.text === "" || this.text === "S!" ? "bad" : undefined;
    },
  };
}

function toBytes(latin1: string): Uint8Array {
  return Uint8Array.from(latin1, (character) => character.charCodeAt(0));
}

/** Scans in one chunk and byte by byte; both must agree. */
function faultOf(head: string, limits = {}): string | undefined {
  const bytes = toBytes(head);
  const whole = new HeadScanner(anyLine(), limits);
  whole.receive(bytes);
  const slow = new HeadScanner(anyLine(), limits);
  for (let at = 0; at < bytes.length; at++) {
    slow.receive(bytes.subarray(at, at + 1));
  }
  assertEquals(slow.fault, whole.fault, JSON.stringify(head.slice(0, 80)));
  return whole.fault;
}

test("HeadScanner takes the head and leaves what follows", () => {
  const line = anyLine();
  const scanner = new HeadScanner(line);
  const chunk = toBytes("S\r\nA:b\r\nC: \td e\t \r\nE:\r\n\r\nrest");
  const before = chunk.slice();
  assertEquals(scanner.receive(chunk), chunk.length - 4);
  assertEquals(chunk, before);
  assertEquals(line.text, "S");
  assertEquals(scanner.fault, undefined);
  assertEquals(scanner.decodeStart(), "S\r\n");
  assertEquals([...scanner.fields()], [
    ["a", "b"],
    ["c", "d e"],
    ["e", ""],
  ]);
  assertEquals(scanner.receive(chunk), 0);
});

test("HeadScanner does not copy a head that comes in one chunk", () => {
  const scanner = new HeadScanner(anyLine());
  const chunk = toBytes("S\r\n\r\nrest");
  scanner.receive(chunk);
  assertStrictEquals(scanner.bytes.buffer, chunk.buffer);
  assertEquals(scanner.bytes, toBytes("S\r\n\r\n"));
  assertEquals([...scanner.fields()], []);
});

test("HeadScanner keeps of the text what the fields need, and no more", () => {
  const scanner = new HeadScanner(anyLine());
  scanner.receive(toBytes("\r\nS \xe9\r\nA: b\r\nC:d \r\n\r\nrest"));
  assertEquals(scanner.decodeStart(), "\r\nS \xe9\r\n");
  assertEquals(scanner.fields().text, "A: b\r\nC:d");
});

test("HeadScanner copies what it keeps of a lent chunk", () => {
  const scanner = new HeadScanner(anyLine());
  for (const piece of ["S\r\nAb", "c: d", "", "ef\r\n\r\n!"]) {
    const lent = toBytes(piece);
    scanner.receive(lent);
    if (piece !== "ef\r\n\r\n!") lent.fill(0);
  }
  assertEquals(scanner.bytes, toBytes("S\r\nAbc: def\r\n\r\n"));
  assertEquals(scanner.fields().get("abc"), "def");
});

test("HeadScanner ignores empty chunks", () => {
  const scanner = new HeadScanner(anyLine());
  assertEquals(scanner.receive(new Uint8Array(0)), undefined);
  assertEquals(scanner.receive(toBytes("S\r\n\r\n")), 5);
});

test("HeadScanner tolerates one empty line before the first", () => {
  assertEquals(faultOf("\r\nS\r\n\r\n"), undefined);
  assertEquals(faultOf("\r\n\r\nS\r\n\r\n"), "bad");
});

test("HeadScanner keeps values as Latin-1, not as windows-1252", () => {
  const scanner = new HeadScanner(anyLine());
  scanner.receive(toBytes("S\r\nA: \x80\xe9\xff\r\n\r\n"));
  assertEquals(scanner.fields().get("a"), "\x80\xe9\xff");
});

test("HS-6: malformed lines", () => {
  const cases: [string, string][] = [
    ["S\n", "bad-line-ending"],
    ["S\rx", "bad-line-ending"],
    ["S\r\r\n", "bad-line-ending"],
    ["S\r\nA: b\n\r\n", "bad-line-ending"],
    ["S\r\nA: b\rc\r\n", "bad-line-ending"],
    ["S\r\nA: b\0\r\n", "bad-character"],
    ["S\r\nA: b\x7f\r\n", "bad-character"],
    ["S\r\nA: b\x0b\r\n", "bad-character"],
    ["S\r\nA: b\r\n c\r\n\r\n", "folded-header"],
    ["S\r\n A: b\r\n\r\n", "folded-header"],
    ["S\r\nA: b\r\n\tc\r\n\r\n", "folded-header"],
    ["S\r\nA : b\r\n", "bad-header-name"],
    ["S\r\nA\t: b\r\n", "bad-header-name"],
    ["S\r\n: b\r\n", "bad-header-name"],
    ["S\r\nA\r\n", "bad-header-name"],
    ["S\r\nA(: b\r\n", "bad-header-name"],
    ["S\r\n\xe9: b\r\n", "bad-header-name"],
  ];
  for (const [head, fault] of cases) assertEquals(faultOf(head), fault, head);
});

test("HS-23: a first byte that cannot begin a line fails at once", () => {
  assertEquals(faultOf("X"), "bad");
  assertEquals(faultOf("\r\nX"), "bad");
  assertEquals(faultOf("\x16"), "bad-character");
  assertEquals(faultOf("S!\r\n"), "bad");
});

test("HS-3: each limit holds to the byte, without waiting for a line's end", () => {
  const limits = { maxStartLineBytes: 5, maxHeaderLineBytes: 6 };
  assertEquals(faultOf("SSSSS\r\nA: bcd\r\n\r\n", limits), undefined);
  assertEquals(faultOf("SSSSSS", limits), "start-line-too-long");
  assertEquals(faultOf("S\r\nA: bcde", limits), "header-too-long");

  const few = { maxHeaders: 2 };
  assertEquals(faultOf("S\r\nA:\r\nB:\r\n\r\n", few), undefined);
  assertEquals(faultOf("S\r\nA:\r\nB:\r\nC:\r\n", few), "too-many-headers");

  const short = { maxHeadBytes: 9 };
  assertEquals(faultOf("S\r\nA:\r\n\r\n", short), undefined);
  assertEquals(faultOf("S\r\nA:b\r\n\r\n", short), "head-too-long");
  assertEquals(faultOf("S\r\nA:bbbb", short), "head-too-long");
});

test("HS-3, HS-5: the default limits", () => {
  const line = `S${"x".repeat(8191)}\r\n`;
  const field = `A:${"x".repeat(8190)}\r\n`;
  assertEquals(faultOf(`${line}A:${"x".repeat(8182)}\r\n\r\n`), undefined);
  assertEquals(faultOf(`S${line}`), "start-line-too-long");
  assertEquals(faultOf(`S\r\n${field}\r\n`), undefined);
  assertEquals(faultOf(`S\r\nA${field}\r\n`), "header-too-long");
  assertEquals(faultOf(`${line}${field}\r\n`), "head-too-long");
  const fields = (count: number) => `S\r\n${"A:b\r\n".repeat(count)}\r\n`;
  assertEquals(faultOf(fields(128)), undefined);
  for (const count of [129, 1_000, 3_000]) {
    assertEquals(faultOf(fields(count)), "too-many-headers", `${count}`);
  }
});

test("HS-3: no more is kept than the limit, whatever comes", () => {
  for (const size of [1, 100, 1_000, 1_000_000]) {
    const scanner = new HeadScanner(anyLine(), {
      maxStartLineBytes: Infinity,
      maxHeadBytes: 5_000,
    });
    const chunk = new Uint8Array(size).fill(0x53);
    for (let sent = 0; sent < 20_000; sent += size) scanner.receive(chunk);
    assertEquals(scanner.fault, "head-too-long");
    assertEquals(scanner.bytes.length, 5_000);
    assert(scanner.bytes.buffer.byteLength <= 5_000, `in pieces of ${size}`);
  }
});

test("HS-4: one byte at a time costs linear time", () => {
  const limits = {
    maxStartLineBytes: Infinity,
    maxHeaderLineBytes: Infinity,
    maxHeadBytes: Infinity,
  };
  const time = (size: number): number => {
    const head = toBytes(`S\r\nA: ${"b".repeat(size)}\r\n\r\n`);
    const start = performance.now();
    for (let bytes = 0; bytes < 64_000; bytes += size) {
      const scanner = new HeadScanner(anyLine(), limits);
      for (let at = 0; at < head.length; at++) {
        scanner.receive(head.subarray(at, at + 1));
      }
      assertEquals(scanner.bytes.length, head.length);
    }
    return performance.now() - start;
  };
  // The same number of bytes in heads 64 times as long: looking at all of a head
  // again each time takes 64 times as long. What a busy machine adds it adds to
  // both, and not to each run; the first of them warms up.
  let best = Infinity;
  for (let run = 0; run < 8 && best >= 8; run++) {
    best = Math.min(best, time(64_000) / time(1_000));
  }
  assert(best < 8, `long heads take ${best} times as long as short ones`);
});
