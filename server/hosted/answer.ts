/**
 * Requests and answers as a host has them, and as the rest of the site does.
 *
 * @module
 */

import {
  type Authority,
  HeaderList,
  type HeadLimits,
  type RequestHead,
  type ResponseHead,
  ResponseHeadReader,
} from "../../codec.ts";

/** Scheme and authority of a URL. */
const ORIGIN = /^[a-z][0-9a-z+.-]*:\/\/[^/?#]*/i;

/** What this side itself has encoded is read however long it is. */
const NO_LIMITS: Required<HeadLimits> = {
  maxStartLineBytes: Infinity,
  maxHeaderLineBytes: Infinity,
  maxHeaders: Infinity,
  maxHeadBytes: Infinity,
};

/** Headers that are the host's to write. */
const HANDSHAKE_NAMES: readonly string[] = [
  "upgrade",
  "connection",
  "sec-websocket-accept",
];
const FRAMING_NAMES: readonly string[] = ["connection", "content-length"];

/**
 * Makes the head of a request, as far as the host has left it: lines of one name
 * are joined, and the version is taken for HTTP/1.1.
 *
 * @returns `undefined` where a header has a character that none may have.
 */
export function headOf(request: Request): RequestHead | undefined {
  // Not by the URL parser, which settles what the routes settle themselves.
  const rest = request.url.replace(ORIGIN, "");
  const target = rest.startsWith("/") ? rest : `/${rest}`;
  try {
    const headers = HeaderList.from(request.headers);
    return { method: request.method, target, version: "HTTP/1.1", headers };
  } catch {
    return undefined;
  }
}

/**
 * Whether the host that a request names is the one of its URL, which differs where
 * the client sent an absolute target (RFC 9112, section 3.2.2).
 *
 * @param request The request.
 * @param host Value of `Host`.
 */
export function namesOneHost(request: Request, host: Authority): boolean {
  const { protocol, host: expected } = new URL(request.url);
  const { hostname, port } = host;
  const text = port === undefined ? hostname : `${hostname}:${port}`;
  // By the URL parser, since the URL has gone through one: `[::0]` is `[::]`.
  return URL.parse(`${protocol}//${text}`)?.host === expected;
}

/** Whether a request came through TLS, as far as the host knows. */
export function isSecure(request: Request): boolean {
  return /^(https|wss):/i.test(request.url);
}

/**
 * Makes the host's response of a refusal. The connection stays, since what
 * follows on it is the host's to read.
 *
 * @param bytes The refusal, as it would go to a socket.
 */
export function toResponse(bytes: Uint8Array): Response {
  const { head, bodyStart } = parse(bytes);
  const headers = new Headers();
  for (const [name, value] of head.headers) {
    if (!FRAMING_NAMES.includes(name)) headers.append(name, value);
  }
  // RFC 9110, section 7.8: "A sender of Upgrade MUST also send an 'Upgrade'
  // connection option in the Connection header field".
  if (headers.has("upgrade")) headers.set("connection", "Upgrade");
  const { status, statusText } = head;
  const body = bytes.slice(bodyStart);
  return new Response(body.length > 0 ? body : null, {
    status,
    statusText,
    headers,
  });
}

/**
 * Takes from the 101 response what the host does not write itself.
 *
 * @param response The response, as it would go to a socket.
 */
export function addedHeaders(
  response: Uint8Array,
): (readonly [name: string, value: string])[] {
  return [...parse(response).head.headers].filter(([name]) =>
    !HANDSHAKE_NAMES.includes(name)
  );
}

function parse(
  bytes: Uint8Array,
): { readonly head: ResponseHead; readonly bodyStart: number } {
  const reader = new ResponseHeadReader(NO_LIMITS);
  const bodyStart = reader.receive(bytes);
  // It was encoded by this side.
  return { head: reader.head!, bodyStart: bodyStart! };
}
