import { BodyReader, MAX_BODY_BYTES } from "../../client/body.ts";
import { HeaderList } from "../../codec.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { concat } from "../harness/bytes.ts";
import { cutAt, splits } from "../harness/split.ts";

type Fields = readonly (readonly [string, string])[];

const CHUNKED: Fields = [["Transfer-Encoding", "chunked"]];

function reader(fields: Fields, status = 200): BodyReader {
  return new BodyReader(status, HeaderList.from(fields));
}

/** Reads chunks, which are destroyed afterwards: they were only lent. */
function read(fields: Fields, chunks: readonly Uint8Array[]): BodyReader {
  const body = reader(fields);
  for (const chunk of chunks) {
    body.receive(chunk);
    chunk.fill(0xee);
  }
  return body;
}

const text = (body: BodyReader) => new TextDecoder().decode(body.bytes);

test("a body with Content-Length ends there, however it is cut", () => {
  const fields: Fields = [["Content-Length", "12"]];
  for (const { name, chunks } of splits(concat("Hello, world", "leftover"))) {
    const body = read(fields, chunks);
    assertEquals([name, text(body), body.isDone], [name, "Hello, world", true]);
  }
});

test("a body of length 0 is done at once", () => {
  const body = reader([["Content-Length", "0"]]);
  assertEquals([body.isDone, body.bytes.length], [true, 0]);
  body.receive(concat("x"));
  assertEquals(body.bytes.length, 0);
});

test("a response that never has a body is done at once, whatever it says", () => {
  for (const status of [204, 304]) {
    for (const fields of [[], CHUNKED, [["Content-Length", "5"]] as Fields]) {
      const body = reader(fields, status);
      assertEquals([body.isDone, body.bytes.length], [true, 0]);
      body.receive(concat("5\r\nHello\r\n"));
      assertEquals(body.bytes.length, 0);
    }
  }
});

test("a body without a length goes to the end", () => {
  const unknown: Fields[] = [
    [],
    [["Content-Length", "-1"]],
    [["Content-Length", "12x"]],
    [["Content-Length", "9".repeat(20)]],
    [["Content-Length", "5"], ["Content-Length", "6"]],
  ];
  for (const fields of unknown) {
    const body = read(fields, [concat("all "), concat("of it")]);
    assertEquals([text(body), body.isDone], ["all of it", false]);
  }
});

test("a chunked body is put together, cut at every offset and in other ways", () => {
  const bytes = concat(
    "5\r\nHello\r\n",
    '0002;ext=1;q="y"\r\n, \r\n',
    "5\r\nworld\r\n",
    "A\r\n0123456789\r\n",
    "0\r\nTrailer: x\r\n\r\n",
  );
  const expected = "Hello, world0123456789";
  for (const { name, chunks } of splits(bytes)) {
    const body = read(CHUNKED, chunks);
    assertEquals([name, text(body), body.isDone], [name, expected, true]);
  }
  for (let at = 0; at <= bytes.length; at++) {
    const body = read(CHUNKED, cutAt(bytes, [at]));
    assertEquals([at, text(body), body.isDone], [at, expected, true]);
  }
});

test("Transfer-Encoding goes before Content-Length, in any case", () => {
  const fields: Fields = [
    ["Content-Length", "3"],
    ["Transfer-Encoding", "Chunked"],
  ];
  const body = read(fields, [concat("4\r\nfour\r\n0\r\n\r\n")]);
  assertEquals([text(body), body.isDone], ["four", true]);
});

test("what is malformed ends a chunked body", () => {
  const cases: [bytes: string, text: string][] = [
    ["x\r\nno", ""],
    ["-5\r\nno", ""],
    ["\r\n\r\n\r\n", ""],
    ["3\r\nyesX\r\nno", "yes"],
    ["3\r\nyes\r\nzz\r\nno", "yes"],
    ["3\r\nyes\r\n" + ";".repeat(200), "yes"],
    ["0".repeat(200) + "\r\nno", ""],
  ];
  for (const [bytes, expected] of cases) {
    for (const { name, chunks } of splits(concat(bytes))) {
      const body = read(CHUNKED, chunks);
      assertEquals([name, bytes, text(body)], [name, bytes, expected]);
    }
  }
});

test("an endless size line does not grow", () => {
  const body = reader(CHUNKED);
  for (let i = 0; i < 1000 && !body.isDone; i++) body.receive(concat(";;;;"));
  assert(body.isDone);
});

test("no more than 64 KiB are kept", () => {
  for (
    const fields of [[], [["Content-Length", "1000000"]], CHUNKED] as Fields[]
  ) {
    const body = reader(fields);
    if (fields === CHUNKED) body.receive(concat("FFFFFF\r\n"));
    let received = 0;
    while (!body.isDone && received < 1_000_000) {
      body.receive(new Uint8Array(1000).fill(7));
      received += 1000;
    }
    assertEquals(body.bytes.length, MAX_BODY_BYTES);
    assertEquals(received, 66_000);
    body.receive(new Uint8Array(1000));
    assertEquals(body.bytes.length, MAX_BODY_BYTES);
  }
});

test("small chunks without end stop at 64 KiB, too", () => {
  const body = reader(CHUNKED);
  const chunk = concat("1;x\r\ny\r\n");
  for (let i = 0; i < 70_000 && !body.isDone; i++) body.receive(chunk);
  assert(body.isDone);
  assertEquals(body.bytes.length, MAX_BODY_BYTES);
});
