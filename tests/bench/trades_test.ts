/** What the compression bench sends must be what a client would send. */
import {
  buildTrades,
  readTerms,
  trade,
} from "../../bench/compression/trades.ts";
import { makeDeflate } from "../../runtime/message_deflate.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { concat, sameBytes } from "../harness/bytes.ts";
import { parseFrames } from "../harness/frame.ts";

const SETTINGS = { thresholdBytes: 0, level: 6, memoryLevel: 5 };

test("readTerms() reads what a server answers", () => {
  assertEquals(readTerms("permessage-deflate"), {
    windowBits: 12,
    clientIsAlone: false,
    serverIsAlone: false,
  });
  assertEquals(
    readTerms(
      "permessage-deflate; client_max_window_bits=9; " +
        "server_no_context_takeover; client_no_context_takeover",
    ),
    { windowBits: 9, clientIsAlone: true, serverIsAlone: true },
  );
});

test("a ring of trades can be inflated turn after turn, in any context", () => {
  for (const windowBits of [9, 12]) {
    for (const isAlone of [false, true]) {
      const { count, wire, payloads, offsets } = buildTrades({
        windowBits,
        clientIsAlone: isAlone,
        serverIsAlone: isAlone,
      });
      const deflate = makeDeflate("server", {
        serverMaxWindowBits: windowBits,
        clientMaxWindowBits: windowBits,
        serverNoContextTakeover: isAlone,
        clientNoContextTakeover: isAlone,
      }, SETTINGS);
      const frames = parseFrames(concat(wire));
      assertEquals(frames.length, count * 2);
      assertEquals(offsets[count * 2], wire.length);
      frames.forEach(({ fin, rsv, opcode, payload, maskKey }, index) => {
        assert(fin && rsv === 4 && opcode === 1 && maskKey !== undefined);
        const message = deflate.decode(payload, 1_000);
        assert(typeof message !== "string");
        assert(sameBytes(message, payloads[index % count]!));
      });
    }
  }
});

test("trades are about 200 bytes of JSON, and differ", () => {
  const texts = Array.from(
    { length: 512 },
    (_, index) => new TextDecoder().decode(trade(index)),
  );
  assertEquals(new Set(texts).size, 512);
  for (const text of texts) {
    assertEquals(JSON.parse(text).type, "trade");
    assert(text.length > 180 && text.length < 210, `${text.length}`);
  }
});
