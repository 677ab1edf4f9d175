/** The HTTP bench counts whole responses, and notices a wrong one. */
import { Responses } from "../../bench/http/responses.ts";
import { assertEquals, assertThrows, test } from "../harness.ts";
import { concat } from "../harness/bytes.ts";
import { splits } from "../harness/split.ts";

const PLAIN = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello";
const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
  "5\r\nHello\r\n0\r\n\r\n";

function receive(responses: Responses, bytes: Uint8Array): number {
  return responses.receive(bytes, bytes.length);
}

for (const [name, text] of Object.entries({ PLAIN, CHUNKED })) {
  test(`responses are counted, however they are cut: ${name}`, () => {
    for (const split of splits(concat(text, text, text))) {
      const responses = new Responses("Hello");
      // With the first comes nothing else: it is awaited.
      let count = receive(responses, concat(text));
      for (const chunk of split.chunks) count += receive(responses, chunk);
      assertEquals(count, 4, split.name);
    }
  });
}

test("a response of another body, status or length is refused", () => {
  for (const first of [PLAIN.replace("Hello", "Hullo"), `${PLAIN}!`]) {
    assertThrows(() => receive(new Responses("Hello"), concat(first)), Error);
  }
  for (const other of [PLAIN.replace("200", "500"), PLAIN.slice(1)]) {
    const responses = new Responses("Hello");
    receive(responses, concat(PLAIN));
    assertThrows(
      () => receive(responses, concat(other, PLAIN)),
      Error,
      "another length or status",
    );
  }
});
