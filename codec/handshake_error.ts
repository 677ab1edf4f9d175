/**
 * What can go wrong before a WebSocket is open.
 *
 * @module
 */

import type { HeaderList } from "./header_list.ts";
import type { RefusalReason } from "./refusal.ts";

/** What each reason for a failed `dial()` means. */
export const DIAL_FAILURES = {
  /** The address could not be resolved or reached. */
  "connect-failed": "The connection could not be made",
  /** The TLS handshake failed, or the certificate is not trusted. */
  "tls-failed": "The TLS handshake failed",
  /** The proxy could not be reached, or opened no way to the server. */
  "proxy-failed": "The proxy failed",
  /** The handshake was not complete within `openTimeoutMs`. */
  "open-timeout": "The handshake took too long",
  /** The server ended the connection before its response was complete. */
  "closed-early": "The server closed the connection during the handshake",
  /** The response is not HTTP/1.1. */
  "malformed-response": "The response is malformed",
  /** The head of the response exceeds a limit. */
  "response-head-too-big": "The head of the response is too big",
  /** More than eight 1xx responses came before the final one. */
  "too-many-interim-responses": "Too many interim responses",
  /** The redirect cannot be followed, or there were too many. */
  "bad-redirect": "The redirect cannot be followed",
  /** The status is not 101 (RFC 6455, section 4.1, item 1). */
  "bad-status": "The server did not switch protocols",
  /** `Upgrade` is not `websocket` (RFC 6455, section 4.1, item 2). */
  "bad-upgrade": "Invalid Upgrade header",
  /** `Connection` lacks `Upgrade` (RFC 6455, section 4.1, item 3). */
  "bad-connection": "Invalid Connection header",
  /** `Sec-WebSocket-Accept` does not fit the key (RFC 6455, section 4.1, item 4). */
  "bad-accept": "Invalid Sec-WebSocket-Accept header",
  /** `Sec-WebSocket-Extensions` is malformed or repeated (RFC 6455, section 9.1). */
  "malformed-extension": "Invalid Sec-WebSocket-Extensions header",
  /** The server chose an extension that was not offered (RFC 6455, section 4.1, item 5). */
  "extension-not-offered": "The extension was not offered",
  /** The parameters of an agreed extension are not acceptable (RFC 7692, section 5.1). */
  "extension-not-acceptable": "The extension's parameters are not acceptable",
  /** The server chose several subprotocols, or one that was not offered (RFC 6455, section 4.1, item 6). */
  "subprotocol-not-offered": "The subprotocol was not offered",
  /** The server chose no subprotocol although one was required. */
  "subprotocol-required": "The server chose no subprotocol",
} as const;

/** Names of the reasons for a failed `dial()`. */
export type DialFailureReason = keyof typeof DIAL_FAILURES;

/** Names of all reasons for a failed handshake, on either side. */
export type HandshakeErrorReason = DialFailureReason | RefusalReason;

/** What a {@linkcode HandshakeError} carries beside its reason. */
export interface HandshakeErrorOptions {
  /** HTTP status of the response: received by a client, sent by a server. */
  readonly status?: number | undefined;
  /** Headers received with it. */
  readonly headers?: HeaderList | undefined;
  /** First bytes of the body received. Kept, not copied. */
  readonly body?: Uint8Array | undefined;
  /** The error underneath, such as the runtime's. */
  readonly cause?: unknown;
}

/**
 * A WebSocket could not be opened.
 *
 * A client's `dial()` rejects with it. A server turns it into an HTTP response.
 */
export class HandshakeError extends Error {
  /** Class name. */
  override readonly name = "HandshakeError";
  /** Which rule. */
  readonly reason: HandshakeErrorReason;
  /** HTTP status of the response, where there was one. */
  readonly status: number | undefined;
  /**
   * Headers of the peer's response, where there was one. They are iterable:
   * `new Headers([...error.headers])` is the web's.
   */
  readonly headers: HeaderList | undefined;
  /** First bytes of the response's body, where they were read. */
  readonly body: Uint8Array | undefined;

  /**
   * Makes the error.
   *
   * @param reason Which rule was broken.
   * @param message What was seen, for people.
   * @param options Response, and cause.
   */
  constructor(
    reason: HandshakeErrorReason,
    message: string,
    options: HandshakeErrorOptions = {},
  ) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.reason = reason;
    this.status = options.status;
    this.headers = options.headers;
    this.body = options.body;
  }
}
