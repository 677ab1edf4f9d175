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
  if (!takeScheme(target)) {
    return `neither a ws: nor a wss: URL, but ${target.protocol}`;
  }
  return hasFragment(target) ? "the URL has a fragment" : target;
}

/**
 * Gives a URL the scheme that it means: `ws:` for `http:`, `wss:` for `https:`.
 *
 * @param url It is changed.
 * @returns Whether it can be dialled now.
 */
export function takeScheme(url: URL): boolean {
  if (url.protocol === "http:") url.protocol = "ws:";
  if (url.protocol === "https:") url.protocol = "wss:";
  return url.protocol === "ws:" || url.protocol === "wss:";
}

/**
 * Whether a URL has a fragment, even an empty one. RFC 6455, section 3: "Fragment
 * identifiers are meaningless in the context of WebSocket URIs and MUST NOT be used
 * on these URIs."
 */
export function hasFragment(url: URL): boolean {
  return url.hash !== "" || url.href.endsWith("#");
}
