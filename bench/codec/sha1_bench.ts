/** SHA-1 of a handshake key and the GUID, against the platform's. */
import { createHash } from "node:crypto";
import { acceptFor } from "../../codec/handshake.ts";
import { sha1 } from "../../codec/sha1.ts";
import { acceptKey } from "../../tests/harness/raw_server.ts";
import { benchPair } from "./pair.ts";

/** The key of the example in RFC 6455, section 1.3. */
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

const text = new TextEncoder().encode(
  `${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`,
);

benchPair("digest of a handshake", {
  sockeye: () => sha1(text),
  plain: () => createHash("sha1").update(text).digest(),
  compared: (digest) => [...digest],
});

benchPair("answer a handshake key", {
  sockeye: () => acceptFor(KEY),
  plain: () => acceptKey(KEY),
});
