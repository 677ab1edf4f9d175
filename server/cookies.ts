/**
 * Cookies of a request (RFC 6265).
 *
 * @module
 */

/** Most cookies that are read; no browser keeps more than 180 for a host. */
const MAX_COOKIES = 1_024;

/**
 * One pair as RFC 6265, section 4.1.1, has it: a token, and octets without
 * control characters, blanks, quotes, commas, semicolons and backslashes. No part
 * can match a semicolon but the last, so that each pair is looked at once.
 */
const PAIR =
  /[\t ]*([!#$%&'*+.^`|~\w-]+)=([!#-+\--:<-[\]-~]*|"[!#-+\--:<-[\]-~]*")[\t ]*(?:;|$)/y;

/**
 * Reads the cookies of a request.
 *
 * Values are as they were sent: quotes belong to them, and nothing is decoded. Of
 * two cookies with one name the first counts, which is the one for the longer path
 * (RFC 6265, section 5.4). A pair that RFC 6265, section 4.1.1, does not allow is
 * left out, and harms no other.
 *
 * A cookie is what the client says, and other hosts of the same domain may have
 * set it.
 *
 * @param headers Headers of the request.
 *
 * @example On an open connection
 * ```ts
 * import { parseCookies, Site } from "@sockeye/sockeye";
 *
 * const site = new Site();
 * site.addHandler("/theme", (connection) => {
 *   const cookies = parseCookies(connection.request.headers);
 *   connection.send(cookies.get("theme") ?? "light");
 * });
 * ```
 */
export function parseCookies(headers: Headers): ReadonlyMap<string, string> {
  return readCookies([headers.get("cookie") ?? ""]);
}

/**
 * Reads cookies.
 *
 * @param lines Value of each `Cookie` line.
 */
export function readCookies(
  lines: readonly string[],
): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>();
  for (const line of lines) {
    let at = 0;
    while (at < line.length && cookies.size < MAX_COOKIES) {
      PAIR.lastIndex = at;
      const pair = PAIR.exec(line);
      if (pair !== null && !cookies.has(pair[1]!)) {
        cookies.set(pair[1]!, pair[2]!);
      }
      const end = line.indexOf(";", at);
      at = end < 0 ? line.length : end + 1;
    }
  }
  return cookies;
}
