/**
 * The URL to dial.
 *
 * @module
 */

/**
 * Takes a URL, in the scheme that it means.
 *
 * @param url Not modified.
 * @returns A new URL, `ws:` or `wss:`; a text that says what is wrong where it is
 * none that can be dialled. No password is in it.
 */
export function parseTargetUrl(url: string | URL): URL | string {
  const target = URL.parse(url);
  // A password may have any character in it that should have been escaped.
  if (target === null) {
    return `not a URL: ${String(url).replace(/^.*@/s, "…@")}`;
  }
  if (target.protocol === "http:") target.protocol = "ws:";
  if (target.protocol === "https:") target.protocol = "wss:";
  if (target.protocol !== "ws:" && target.protocol !== "wss:") {
    return `neither a ws: nor a wss: URL, but ${target.protocol}`;
  }
  // RFC 6455, section 3: "Fragment identifiers are meaningless in the context of
  // WebSocket URIs and MUST NOT be used on these URIs."
  if (target.hash !== "" || target.href.endsWith("#")) {
    return "the URL has a fragment";
  }
  return target;
}
