/**
 * The opening handshake of a peer made of bytes.
 *
 * @module
 */

import type { DialOptions } from "../client.ts";
import {
  checkUpgrade,
  checkUpgradeResponse,
  encodeUpgradeRequest,
  encodeUpgradeResponse,
  formatHandshakeKey,
  RequestHeadReader,
  ResponseHeadReader,
} from "../codec.ts";
import { encodeRawFrame, joinBytes, type RawFrameInit } from "./raw_frame.ts";
import type { RawInbox } from "./raw_inbox.ts";
import type { TargetOptions } from "./subject.ts";
import type { WireOptions } from "./wire.ts";

/** How a raw client connects. */
export interface RawConnectOptions extends TargetOptions {
  /**
   * Whether it sends a request, and waits for the 101. Without, everything is left
   * to the test.
   *
   * @default {true}
   */
  readonly upgrade?: boolean;
  /** More headers of its request. */
  readonly headers?: NonNullable<ResponseInit["headers"]>;
  /** Subprotocols that it offers. */
  readonly subprotocols?: readonly string[];
  /** Frames that arrive together with its request. */
  readonly early?: readonly RawFrameInit[];
}

/** How a raw server accepts, and how it is dialled. */
export interface RawAcceptOptions
  extends WireOptions, Omit<DialOptions, "tls"> {
  /**
   * Path and query that are dialled.
   *
   * @default {"/"}
   */
  readonly path?: string;
  /**
   * Whether it reads the request and answers it with a 101. Without, everything is
   * left to the test, and `dialled` tells how `dial` takes it.
   *
   * @default {true}
   */
  readonly upgrade?: boolean;
  /** Subprotocol that it agrees on. */
  readonly subprotocol?: string;
  /** More headers of its response. */
  readonly responseHeaders?: NonNullable<ResponseInit["headers"]>;
  /** Frames that arrive together with its response. */
  readonly early?: readonly RawFrameInit[];
}

/** A key for a handshake that nobody has to keep from guessing. */
const KEY = formatHandshakeKey(new Uint8Array(16));

/**
 * Asks for a WebSocket, as a client.
 *
 * @param inbox The client's end.
 * @param url Where to.
 * @param options What it asks for.
 * @throws {HandshakeError} If the server refuses.
 */
export async function requestUpgrade(
  inbox: RawInbox,
  url: string,
  options: RawConnectOptions,
): Promise<void> {
  const { subprotocols = [], headers, early = [] } = options;
  const request = encodeUpgradeRequest({
    url: new URL(url),
    key: KEY,
    subprotocols,
    headers: [...new Headers(headers)],
  });
  const frames = early.map((frame) => encodeRawFrame(frame, true));
  inbox.write(joinBytes(request, ...frames));
  const head = await inbox.read("a response", (bytes) => {
    const reader = new ResponseHeadReader();
    const size = reader.receive(bytes);
    if (reader.error !== undefined) throw reader.error;
    return size === undefined ? undefined : { value: reader.head!, size };
  });
  const body = head.status === 101 ? undefined : await inbox.readToEnd();
  const result = checkUpgradeResponse(head, { key: KEY, subprotocols, body });
  if (!result.ok) throw result.error;
}

/**
 * Reads a request, and accepts it, as a server.
 *
 * @param inbox The server's end.
 * @param options What it agrees to.
 */
export async function acceptUpgrade(
  inbox: RawInbox,
  options: RawAcceptOptions,
): Promise<void> {
  const { subprotocol, responseHeaders, early = [] } = options;
  const head = await inbox.read("a request", (bytes) => {
    const reader = new RequestHeadReader();
    const size = reader.receive(bytes);
    return size === undefined ? undefined : { value: reader.head!, size };
  });
  const offer = checkUpgrade(head);
  if (!offer.ok) throw new Error("The request is not for a WebSocket");
  const headers = new Headers(responseHeaders);
  const response = encodeUpgradeResponse(offer, { subprotocol, headers });
  const frames = early.map((frame) => encodeRawFrame(frame, false));
  inbox.write(joinBytes(response, ...frames));
}
