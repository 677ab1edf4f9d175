/**
 * Names of hosts, in the one form that everybody understands.
 *
 * @module
 */

/** Would be another part of a URL, or be left out of it. */
const NO_HOST = /[\s/?#@\\]/;
/** An IPv6 address with the interface that it is to be reached by (RFC 4007). */
const ZONED = /^(.*:.*)%([\w.~-]+)$/;

/**
 * Brings a host into the form that URLs have it in: names as IDNA has them, and
 * addresses in their shortest writing. Resolvers, and proxies even more, differ in
 * what they take for one.
 *
 * @param text A name, or an IP address with or without brackets.
 * @returns It, without brackets; `undefined` if it is none.
 */
export function parseHost(text: string): string | undefined {
  const bare = withoutBrackets(text);
  const [, address, zone] = ZONED.exec(bare) ?? [];
  if (address !== undefined) {
    const known = parseHost(address);
    return known && `${known}%${zone}`;
  }
  if (NO_HOST.test(bare)) return undefined;
  const host = bare.includes(":") ? `[${bare}]` : bare;
  const url = URL.parse(`http://${host}/`);
  return url === null ? undefined : hostOf(url);
}

/**
 * Finds the bytes of an IP address.
 *
 * @param host A host, as `parseHost` returns it.
 * @returns 4 or 16 bytes, without a zone; `undefined` for a name.
 */
export function bytesOfIp(host: string): number[] | undefined {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) return host.split(".").map(Number);
  if (!host.includes(":")) return undefined;
  // As URLs have it: hexadecimal groups, and one gap at most.
  const [left = "", right = ""] = host.replace(/%.*$/, "").split("::");
  const groups = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((group) => parseInt(group, 16));
  const before = groups(left);
  const after = groups(right);
  const gap = new Array<number>(8 - before.length - after.length).fill(0);
  const all = [...before, ...gap, ...after];
  return all.flatMap((group) => [group >> 8, group & 0xff]);
}

/** Host of a URL; the brackets of an IPv6 address belong to the URL. */
export function hostOf(url: URL): string {
  return withoutBrackets(url.hostname);
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*:.*)\]$/, "$1");
}
