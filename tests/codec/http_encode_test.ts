import { assertEquals, assertThrows, test } from "../harness.ts";
import {
  encodeRequestHead,
  encodeResponseHead,
} from "../../codec/http_encode.ts";

const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

test("encodeRequestHead() writes line, headers and an empty line", () => {
  assertEquals(
    latin1(encodeRequestHead({
      method: "GET",
      target: "/a?b",
      headers: [["Host", "h"], ["X", "é"]],
    })),
    "GET /a?b HTTP/1.1\r\nHost: h\r\nX: é\r\n\r\n",
  );
  assertEquals(
    latin1(encodeRequestHead({ method: "GET", target: "*" })),
    "GET * HTTP/1.1\r\n\r\n",
  );
});

test("encodeResponseHead() knows the usual reason phrases", () => {
  const encode = (status: number, statusText?: string): string =>
    latin1(
      encodeResponseHead(
        statusText === undefined ? { status } : { status, statusText },
      ),
    );
  assertEquals(encode(101), "HTTP/1.1 101 Switching Protocols\r\n\r\n");
  assertEquals(encode(299), "HTTP/1.1 299 \r\n\r\n");
  assertEquals(encode(404, "Nö"), "HTTP/1.1 404 Nö\r\n\r\n");
});

test("encodeResponseHead() keeps several lines of one name", () => {
  assertEquals(
    latin1(encodeResponseHead({
      status: 200,
      headers: [["Set-Cookie", "a"], ["Set-Cookie", "b"]],
    })),
    "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n",
  );
});

test("AP-2: no part of a head can end its line", () => {
  const bad = ["a\r\nb: c", "a\rb", "a\nb", "a\0b", "\u0100"];
  for (const text of bad) {
    const cases = [
      () => encodeRequestHead({ method: text, target: "/" }),
      () => encodeRequestHead({ method: "GET", target: text }),
      () =>
        encodeRequestHead({
          method: "GET",
          target: "/",
          headers: [["a", text]],
        }),
      () => encodeResponseHead({ status: 200, statusText: text }),
      () => encodeResponseHead({ status: 200, headers: [[text, "a"]] }),
      () => encodeResponseHead({ status: 200, headers: [["a", text]] }),
    ];
    for (const encode of cases) assertThrows(encode, TypeError, "Cannot send");
  }
  for (const target of ["", "/ ", "/é"]) {
    assertThrows(() => encodeRequestHead({ method: "GET", target }), TypeError);
  }
  assertThrows(
    () => encodeRequestHead({ method: "", target: "/" }),
    TypeError,
  );
});

test("encodeResponseHead() refuses a status of other than three digits", () => {
  for (const status of [99, 1000, 200.5, NaN]) {
    assertThrows(() => encodeResponseHead({ status }), RangeError, `${status}`);
  }
});
