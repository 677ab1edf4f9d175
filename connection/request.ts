/**
 * The request that opened a connection, and the answer to it.
 *
 * @module
 */

import type { HeaderList } from "../codec.ts";
import type { Address } from "../runtime/transport.ts";

/** The request that opened a connection. */
export interface ConnectionRequest {
  /** Method, `GET`. */
  readonly method: string;
  /** Absolute URL, `ws:` or `wss:`. */
  readonly url: string;
  /** Headers. */
  readonly headers: Headers;
}

/** What the server answered to a request of ours. */
export interface ConnectionResponse {
  /** Status, 101. */
  readonly status: number;
  /** Headers, in order. They are iterable: `new Headers([...list])` works. */
  readonly headers: HeaderList;
}

/** A request that did not come from where its transport says. */
export interface ForwardedRequest extends ConnectionRequest {
  /** Address of the client. */
  readonly clientAddress: Address;
}

/** A request of ours, with the answer to it. */
export interface DialledRequest extends ConnectionRequest {
  /** What the server answered. */
  readonly response: ConnectionResponse;
}
