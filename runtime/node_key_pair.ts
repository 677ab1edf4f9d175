/**
 * Whether a certificate and a private key belong together.
 *
 * @module
 */

import { createPrivateKey, X509Certificate } from "node:crypto";

/**
 * Refuses a key that is not the certificate's. `node:tls` does the same on Node and
 * Bun; on Deno (2.9.6) the connection fails in the middle of its handshake, and its
 * descriptor stays open, out of reach.
 *
 * @param cert Certificate chain, PEM; its first is looked at.
 * @param key Private key, PEM.
 * @throws {Error} If they do not belong together, or one cannot be read.
 */
export function checkKeyPair(cert: string, key: string): void {
  if (new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return;
  throw new Error("The private key is not that of the certificate");
}
