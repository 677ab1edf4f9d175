/**
 * The address to connect from, checked.
 *
 * @module
 */

import { checkAmount, checkKeys } from "../connection.ts";
import type { LocalAddress } from "../runtime/transport.ts";

const LOCAL_ADDRESS_NAMES = new Set(["hostname", "port"]);
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const IPV6 = /^(?=.*:)[0-9a-f:.]+$/i;

/**
 * Refuses what cannot be bound to.
 *
 * @throws {TypeError} If it is no address: a name could be several.
 * @throws {RangeError} If the port is out of range.
 */
export function checkLocalAddress(local: LocalAddress): void {
  checkKeys("dial", local, LOCAL_ADDRESS_NAMES, "localAddress");
  const { hostname, port } = local;
  if (typeof hostname !== "string" || !isIp(hostname)) {
    throw new TypeError(
      "Cannot dial: localAddress.hostname is not an IP address",
    );
  }
  if (port !== undefined) checkPort("localAddress.port", port);
}

function isIp(text: string): boolean {
  return IPV4.test(text) ||
    (IPV6.test(text) && URL.canParse(`http://[${text}]/`));
}

/**
 * Refuses what is no port.
 *
 * @param name The option's, for the message.
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is out of range.
 */
export function checkPort(name: string, port: number): void {
  checkAmount("dial", name, port);
  if (Number.isInteger(port) && port <= 0xffff) return;
  throw new RangeError(`Cannot dial: ${name} is out of range: ${port}`);
}
