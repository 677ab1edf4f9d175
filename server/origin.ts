/**
 * Which web pages may connect.
 *
 * Browsers let any page open a WebSocket to any host, with the user's cookies,
 * and say in `Origin` which page it was (RFC 6455, section 10.2). So it is
 * checked, before any handler is asked.
 *
 * @module
 */

import { type Authority, isSameHost, parseOrigin } from "../codec.ts";

/** One origin: as a browser writes it, a pattern, or `null` for opaque ones. */
export type OriginRule = string | RegExp | null;

/** Origins that may connect beside the site's own host; `"*"` for all. */
export type OriginRules = "*" | readonly OriginRule[];

/**
 * Refuses rules that cannot have been meant.
 *
 * @param what What they are for, for the message.
 * @param rules Rules as given.
 * @throws {TypeError} If one is neither an origin, a pattern nor `null`.
 */
export function checkOriginRules(what: string, rules: unknown): void {
  if (rules === "*") return;
  if (!Array.isArray(rules)) {
    throw new TypeError(`Cannot ${what}: origins is neither "*" nor an array`);
  }
  for (const rule of rules) {
    if (rule === null || rule instanceof RegExp) continue;
    if (typeof rule === "string" && isOrigin(rule)) continue;
    throw new TypeError(
      `Cannot ${what}: not an origin, as https://example.com is: ${
        String(rule)
      }`,
    );
  }
}

function isOrigin(text: string): boolean {
  const origin = parseOrigin(text);
  return origin !== undefined && origin !== "null";
}

/**
 * Tells whether a request may connect.
 *
 * A request without `Origin` does not come from a page, and may. One whose
 * origin has the host and port that it asks for may.
 *
 * @param text Value of `Origin`.
 * @param host Value of `Host`.
 * @param rules Further origins.
 */
export function mayConnect(
  text: string | undefined,
  host: Authority,
  rules: OriginRules,
): boolean {
  if (text === undefined || rules === "*") return true;
  const origin = parseOrigin(text);
  if (origin === undefined) return false;
  if (origin === "null") return rules.includes(null);
  if (isSameHost(origin, host)) return true;
  return rules.some((rule) => {
    if (rule === null) return false;
    if (typeof rule === "string") return isEqual(rule, text);
    // A pattern with a `g` or `y` flag would start where it last ended.
    rule.lastIndex = 0;
    return rule.test(text);
  });
}

/** Compares origins, not spellings: case and default ports do not count. */
function isEqual(a: string, b: string): boolean {
  return new URL(a).origin === new URL(b).origin;
}
