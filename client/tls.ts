/**
 * TLS settings, checked.
 *
 * @module
 */

import { checkKeys } from "../connection.ts";
import type { ConnectTls } from "../runtime/transport.ts";

const TLS_OPTION_NAMES = new Set([
  "ca",
  "cert",
  "key",
  "rejectUnauthorized",
  "serverName",
  "alpnProtocols",
]);

/** RFC 7468, section 2; the labels are those that OpenSSL takes. */
const CERTIFICATE = /-----BEGIN (?:(?:X509|TRUSTED) )?CERTIFICATE-----/;
const PRIVATE_KEY = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/;

/**
 * Refuses settings that one runtime would take for something else than another.
 *
 * @throws {TypeError} If one is of the wrong kind.
 */
export function checkTls(tls: ConnectTls): void {
  checkKeys("dial", tls, TLS_OPTION_NAMES);
  const { ca, alpnProtocols, rejectUnauthorized } = tls;
  const texts = [tls.cert, tls.key, tls.serverName];
  const lists = [typeof ca === "string" ? [ca] : ca, alpnProtocols];
  const isRight = isOptional("boolean", rejectUnauthorized) &&
    texts.every((text) => isOptional("string", text)) &&
    lists.every((list) =>
      list === undefined || Array.isArray(list) &&
        list.every((element) => typeof element === "string")
    );
  if (!isRight) {
    throw new TypeError("Cannot dial: a TLS setting is of the wrong kind");
  }
  checkPem(tls);
}

/**
 * Refuses what is not even the frame of a PEM text: Deno would go on without it,
 * and Node take an empty `ca` for the system's authorities.
 */
function checkPem({ ca, cert, key }: ConnectTls): void {
  if ((cert === undefined) !== (key === undefined)) {
    throw new TypeError("Cannot dial: tls.cert and tls.key need each other");
  }
  const authorities = typeof ca === "string" ? [ca] : ca ?? [];
  const pems = [
    ...authorities.map((text) => ["ca", text, CERTIFICATE] as const),
    ["cert", cert, CERTIFICATE] as const,
    ["key", key, PRIVATE_KEY] as const,
  ];
  for (const [name, text, frame] of pems) {
    if (text === undefined || frame.test(text)) continue;
    throw new TypeError(`Cannot dial: tls.${name} is no PEM text`);
  }
}

function isOptional(type: "boolean" | "string", value: unknown): boolean {
  return value === undefined || typeof value === type;
}
