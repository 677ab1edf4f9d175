/**
 * Requests and responses of `node:http` in the shape of `fetch`.
 *
 * @module
 */

import {
  type IncomingMessage,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import { Readable } from "node:stream";

/** A request that `fetch` cannot express. */
export class UnfitRequestError extends Error {
  /** Class name. */
  override readonly name = "UnfitRequestError";
}

function toHeaders(request: IncomingMessage): Headers {
  const headers = new Headers();
  const { rawHeaders } = request;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    headers.append(rawHeaders[index] ?? "", rawHeaders[index + 1] ?? "");
  }
  return headers;
}

function toUrl(request: IncomingMessage, secure: boolean): string {
  const target = request.url ?? "/";
  // RFC 9112, section 3.2.2: "a server MUST accept the absolute-form in requests
  // even though most HTTP/1.1 clients will only send the absolute-form to a
  // proxy."
  if (/^https?:\/\//i.test(target)) return target;
  const path = target.startsWith("/") ? target : "/";
  const host = request.headers.host ?? "localhost";
  return `${secure ? "https" : "http"}://${host}${path}`;
}

/**
 * Makes a `Request`.
 *
 * @param request Whose body is read as the result's is.
 * @param secure Whether the client came through TLS.
 * @param signal Aborted when the client goes away.
 * @returns The same request.
 * @throws {UnfitRequestError} If its method or address is impossible.
 */
export function toRequest(
  request: IncomingMessage,
  secure: boolean,
  signal: AbortSignal,
): Request {
  const method = request.method ?? "GET";
  const hasBody = method !== "GET" && method !== "HEAD";
  // `duplex` is missing from some type packages; Node asks for it.
  const init: RequestInit & { duplex?: "half" } = {
    method,
    headers: toHeaders(request),
    signal,
  };
  if (hasBody) {
    init.body = Readable.toWeb(request) as unknown as ReadableStream;
    init.duplex = "half";
  }
  try {
    return new Request(toUrl(request, secure), init);
  } catch (error) {
    throw new UnfitRequestError("Cannot express the request", { cause: error });
  }
}

/** Lets each `Set-Cookie` keep a line of its own. */
function toRawHeaders(headers: Headers): string[] {
  const raw: string[] = [];
  for (const [name, value] of headers) raw.push(name, value);
  return raw;
}

/**
 * Sends a `Response`.
 *
 * @param response What to send; its body is read to the end, or cancelled.
 * @param target Where to.
 * @param isLast Whether the connection is to be closed afterwards.
 * @returns When everything has been handed over, or the client is gone.
 */
export async function sendResponse(
  response: Response,
  target: ServerResponse,
  isLast: boolean,
): Promise<void> {
  const headers = toRawHeaders(response.headers);
  if (isLast) headers.push("connection", "close");
  const { status } = response;
  const reason = response.statusText || (STATUS_CODES[status] ?? "");
  target.writeHead(status, reason, headers);
  const { body } = response;
  if (body === null) {
    target.end();
    return;
  }
  const isBodiless = target.req.method === "HEAD" || status === 204 ||
    status === 304;
  if (isBodiless) {
    target.end();
    await body.cancel();
    return;
  }
  const reader = body.getReader();
  const delivered = new Promise<void>((resolve) => {
    target.on("finish", resolve);
    target.on("close", () => {
      resolve();
      // Without it the body would be made for a client that has gone.
      reader.cancel().catch(() => {});
    });
  });
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (!target.write(value)) await nextDrain(target);
  }
  target.end();
  await delivered;
}

/** Waits until `target` takes more, or is gone. */
function nextDrain(target: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      target.off("drain", finish);
      target.off("close", finish);
      resolve();
    };
    target.on("drain", finish);
    target.on("close", finish);
    if (target.destroyed) finish();
  });
}
