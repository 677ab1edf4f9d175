/**
 * Hash functions. WebCrypto has no MD5, which Digest authentication needs;
 * `node:crypto` has it on all three runtimes.
 *
 * Loaded on demand: who does not need it does not wait for `node:crypto`.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** Names of those that are there. */
export type HashName = "md5" | "sha256" | "sha512-256";

/**
 * Hashes bytes.
 *
 * @param name Which function.
 * @param bytes Not kept.
 * @returns Lower-case hexadecimal digits.
 */
export function hash(name: HashName, bytes: Uint8Array): string {
  return createHash(name).update(bytes).digest("hex");
}
