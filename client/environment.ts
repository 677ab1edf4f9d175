/**
 * The proxy that the environment names.
 *
 * @module
 */

import { bytesOfIp, hostOf, parseHost } from "./host_name.ts";

/** Where variables are looked up. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Says which proxy the environment names for a URL, for `dial`'s `proxy` option:
 * `dial(url, { proxy: proxyFromEnvironment })`.
 *
 * For `wss:` it looks for `WSS_PROXY`, `HTTPS_PROXY` and `ALL_PROXY`, for `ws:` for
 * `WS_PROXY`, `HTTPS_PROXY`, `http_proxy` and `ALL_PROXY`, in lower case first;
 * `HTTP_PROXY` in upper case is not looked at, for on some servers a client can set
 * it by a header. One without a scheme is taken as `http:`.
 *
 * `NO_PROXY` lists hosts that are reached directly, with commas or spaces between
 * them: `example.com` is that host and all under it, `.example.com` likewise,
 * `example.com:8080` only at that port, `*` every host, `10.0.0.0/8` and `fd00::/8`
 * the addresses in that range. No name is resolved for it.
 *
 * @param url The URL to dial.
 * @param environment Variables; those of the process by default. On Deno reading
 * them needs `--allow-env`.
 * @returns URL of the proxy, or `undefined` for none.
 */
export function proxyFromEnvironment(
  url: string | URL,
  environment?: Environment,
): string | undefined {
  const target = new URL(url);
  const { protocol, port } = target;
  const secure = protocol === "wss:" || protocol === "https:";
  const variables = environment ?? environmentOfProcess();
  const read = (name: string): string | undefined =>
    variables[name] || variables[name.toUpperCase()] || undefined;
  const host = hostOf(target);
  const number = port || (secure ? "443" : "80");
  if (isExcluded(host, number, read("no_proxy") ?? "")) return undefined;
  const found = secure
    ? read("wss_proxy") ?? read("https_proxy")
    : read("ws_proxy") ?? read("https_proxy") ??
      (variables.http_proxy || undefined);
  const proxy = found ?? read("all_proxy");
  if (proxy === undefined || proxy.includes("://")) return proxy;
  return `http://${proxy}`;
}

function isExcluded(host: string, port: string, list: string): boolean {
  return list.toLowerCase().split(/[\s,]+/).some((entry) => {
    if (entry === "*") return true;
    // `[::1]:80`, `::1`, `host:80`, `host`: a lone colon is before a port.
    const parts = /^\[(.*)\](?::(\d+))?$/.exec(entry) ??
      /^([^:]*):(\d+)$/.exec(entry) ?? [entry, entry, undefined];
    const [, name = "", only] = parts;
    if (name === "" || only !== undefined && only !== port) return false;
    const address = bytesOfIp(host);
    return address === undefined
      ? isUnder(host, name)
      : isWithin(address, name);
  });
}

/** Whether a host is a domain, or under it. */
function isUnder(host: string, domain: string): boolean {
  const plain = host.replace(/\.$/, "");
  const suffix = domain.replace(/^\*?\./, "").replace(/\.$/, "");
  return suffix !== "" && (plain === suffix || plain.endsWith(`.${suffix}`));
}

/** Whether an IP address is another one, in whatever writing, or in a range. */
function isWithin(address: readonly number[], range: string): boolean {
  const [, text = "", digits] =
    /^([\d.]+|[\da-f.:]+)(?:\/(\d+))?$/.exec(range) ??
      [];
  const base = bytesOfIp(parseHost(text) ?? "");
  if (base === undefined || base.length !== address.length) return false;
  const bits = digits === undefined ? 8 * base.length : Number(digits);
  return bits <= 8 * base.length &&
    base.every((byte, index) => {
      const shift = 8 - Math.min(Math.max(bits - 8 * index, 0), 8);
      return byte >> shift === address[index]! >> shift;
    });
}

function environmentOfProcess(): Environment {
  const { process } = globalThis as { process?: { env?: Environment } };
  return process?.env ?? {};
}
