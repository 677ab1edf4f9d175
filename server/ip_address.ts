/**
 * IP addresses as text.
 *
 * @module
 */

const IPV4 = /^(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){3}$/;
/** What may stand in an IPv6 address; the URL parser judges the rest. */
const IPV6_CODES = /^[0-9a-f:.]+$/i;
/** An IPv4 address in IPv6's clothes (RFC 4291, section 2.5.5.2). */
const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;
/** Groups of 16 bits in an IPv6 address. */
const GROUPS = 8;
/** Groups of the part that names the network: /64. */
const NETWORK_GROUPS = 4;

/**
 * Writes an IP address in the one form that equal addresses share: IPv6 as RFC
 * 5952 says, an IPv4 address that IPv6 maps as IPv4.
 *
 * @param text Address without brackets and zone. IPv4 is four decimal numbers; no
 * other form, and no leading zero, which some read as octal.
 * @returns `undefined` if it is no address.
 */
export function canonicalIp(text: string): string | undefined {
  if (IPV4.test(text)) {
    return text.split(".").every((part) => Number(part) <= 0xff)
      ? text
      : undefined;
  }
  if (!text.includes(":") || !IPV6_CODES.test(text)) return undefined;
  const address = URL.parse(`http://[${text}]/`)?.hostname.slice(1, -1);
  if (address === undefined) return undefined;
  const mapped = MAPPED.exec(address);
  if (mapped === null) return address;
  const high = parseInt(mapped[1]!, 16);
  const low = parseInt(mapped[2]!, 16);
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
}

/**
 * Names the network that one client can choose its addresses from: an IPv4
 * address itself, of an IPv6 address the first 64 bits, since whoever has one
 * address of a /64 has them all.
 *
 * @param text Address as a socket tells it, maybe with a zone.
 */
export function networkOf(text: string): string {
  const zone = text.indexOf("%");
  const address = canonicalIp(zone < 0 ? text : text.slice(0, zone));
  if (address === undefined) return text;
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const rest = tail === "" ? [] : tail.split(":");
    while (groups.length + rest.length < GROUPS) groups.push("0");
    groups.push(...rest);
  }
  return `${groups.slice(0, NETWORK_GROUPS).join(":")}::/64`;
}
