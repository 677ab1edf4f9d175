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
}

function isOptional(type: "boolean" | "string", value: unknown): boolean {
  return value === undefined || typeof value === type;
}
