import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import {
  encodeRefusal,
  type RefusalReason,
  REFUSALS,
  refuse,
} from "../../codec/refusal.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

test("AP-6: each refusal is a complete, neutral response that closes", () => {
  for (const reason of Object.keys(REFUSALS) as RefusalReason[]) {
    const refusal = refuse(reason);
    assertEquals(refusal.reason, reason);
    const [head = "", body = ""] = text(encodeRefusal(refusal))
      .split("\r\n\r\n");
    assert(head.startsWith(`HTTP/1.1 ${refusal.status} `), head);
    assert(!head.startsWith(`HTTP/1.1 ${refusal.status} \r\n`), head);
    assert(/\r\nConnection: (Upgrade, )?close\r\n/.test(head), head);
    assert(head.includes(`\r\nContent-Length: ${body.length}`), head);
    assertEquals(body, `${REFUSALS[reason].text}\n`);
    assert(!/server:|x-powered-by|sockeye|deno|bun|node/i.test(head), head);
    assert(!/sockeye|deno|bun|node/i.test(body), body);
  }
});

test("TW2, HT-8: refusals say what would have been accepted", () => {
  assertEquals(refuse("bad-method").headers, [["Allow", "GET"]]);
  const plain = text(encodeRefusal(refuse("not-an-upgrade")));
  assert(plain.startsWith("HTTP/1.1 426 Upgrade Required\r\n"));
  assert(plain.includes("\r\nUpgrade: websocket\r\n"));
  assert(plain.includes("\r\nConnection: Upgrade, close\r\n"));
  const version = text(encodeRefusal(refuse("bad-version")));
  assert(version.includes("\r\nSec-WebSocket-Version: 13\r\n"));
  assert(version.includes("\r\nUpgrade: websocket\r\n"));
});

test("B-13: who is one too many is told when to try again", () => {
  for (
    const reason of ["too-many-connections", "too-many-from-address"] as const
  ) {
    const response = text(encodeRefusal(refuse(reason)));
    assert(/\r\nRetry-After: [1-9]\d*\r\n/.test(response), response);
  }
  assertEquals(refuse("not-found").headers, []);
});

test("HT-12: the answer to HEAD has no body", () => {
  const head = text(encodeRefusal(refuse("bad-method"), "HEAD"));
  assert(head.endsWith("\r\nContent-Length: 24\r\n\r\n"), head);
});

test("encodeRefusal() takes a text of the caller's, as UTF-8", () => {
  const response = text(encodeRefusal({ status: 401, text: "Nö" }, "GET"));
  assert(response.endsWith("Content-Length: 4\r\n\r\nNö\n"), response);
  assertThrows(
    () => encodeRefusal({ status: 401, text: "", headers: [["a", "\n"]] }),
    TypeError,
  );
});
