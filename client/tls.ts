/**
 * TLS settings, checked.
 *
 * @module
 */

import { checkKeys, checkPem, checkType } from "../connection.ts";
import type { ConnectTls } from "../runtime/transport.ts";
import { parseHost } from "./host_name.ts";

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
 * @param tls As given.
 * @param option Name of the option, for messages.
 * @throws {TypeError} If one is of the wrong kind.
 */
export function checkTls(tls: ConnectTls, option = "tls"): void {
  checkKeys("dial", tls, TLS_OPTION_NAMES, option);
  const { ca, cert, key, serverName, alpnProtocols } = tls;
  checkType(
    "dial",
    `${option}.rejectUnauthorized`,
    tls.rejectUnauthorized,
    "boolean",
  );
  checkType("dial", `${option}.serverName`, serverName, "string");
  // Bun takes an empty one for none, and checks the address that it connects to.
  if (serverName !== undefined && parseHost(serverName) === undefined) {
    throw new TypeError(`Cannot dial: ${option}.serverName is not a host name`);
  }
  if (
    alpnProtocols !== undefined && !(Array.isArray(alpnProtocols) &&
      alpnProtocols.every((name) => typeof name === "string"))
  ) {
    throw new TypeError(
      `Cannot dial: ${option}.alpnProtocols is no array of texts`,
    );
  }
  if ((cert === undefined) !== (key === undefined)) {
    throw new TypeError(
      `Cannot dial: ${option}.cert and ${option}.key need each other`,
    );
  }
  const authorities = ca === undefined ? [] : Array.isArray(ca) ? ca : [ca];
  for (const authority of authorities) {
    checkPem("dial", `${option}.ca`, authority, "certificate");
  }
  if (cert === undefined) return;
  checkPem("dial", `${option}.cert`, cert, "certificate");
  checkPem("dial", `${option}.key`, key, "private key");
}
