/** The opening handshake, both sides, against a short program's way. */
import {
  checkUpgradeResponse,
  encodeUpgradeRequest,
} from "../../codec/handshake_client.ts";
import {
  checkUpgrade,
  encodeUpgradeResponse,
} from "../../codec/handshake_server.ts";
import { RequestHeadReader, ResponseHeadReader } from "../../codec/http.ts";
import { benchPair } from "./pair.ts";
import {
  answerPlainly,
  askPlainly,
  isAgreedPlainly,
} from "./plain_handshake.ts";

/** The key of the example in RFC 6455, section 1.3. */
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const url = new URL("ws://example.com:8080/chat?room=1");

const shortest = askPlainly(url, KEY);

/** What a browser adds. */
const BROWSER_HEADERS = [
  "Origin: http://example.com:8080",
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 " +
  "(KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
  "Accept-Encoding: gzip, deflate, br, zstd",
  "Accept-Language: en-US,en;q=0.9,de;q=0.8",
  `Cookie: session=${"0123456789abcdef".repeat(8)}`,
  "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
];
const decoded = new TextDecoder().decode(shortest).trimEnd();
const fromBrowser = new TextEncoder().encode(
  `${decoded}\r\n${BROWSER_HEADERS.join("\r\n")}\r\n\r\n`,
);

function answer(request: Uint8Array): Uint8Array {
  const reader = new RequestHeadReader();
  reader.receive(request);
  const offer = checkUpgrade(reader.head!);
  if (!offer.ok) throw new Error(offer.reason);
  return encodeUpgradeResponse(offer);
}

function isAgreed(response: Uint8Array): boolean {
  const reader = new ResponseHeadReader();
  reader.receive(response);
  return checkUpgradeResponse(reader.head!, { key: KEY }).ok;
}

benchPair("answer the shortest request", {
  sockeye: () => answer(shortest),
  plain: () => answerPlainly(shortest),
});

benchPair("answer a browser's request", {
  sockeye: () => answer(fromBrowser),
  plain: () => answerPlainly(fromBrowser),
});

benchPair("make a request", {
  sockeye: () => encodeUpgradeRequest({ url, key: KEY }),
  plain: () => askPlainly(url, KEY),
});

const response = answerPlainly(shortest);

benchPair("check a response", {
  sockeye: () => isAgreed(response),
  plain: () => isAgreedPlainly(response, KEY),
});
