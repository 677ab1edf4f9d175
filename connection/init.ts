/**
 * What a connection is made of.
 *
 * @module
 */

import type { Connection } from "../connection.ts";
import {
  type Extension,
  type MessageTransform,
  plainDecoding,
  type ProtocolOptions,
  type Role,
  type TextDecoding,
} from "../codec.ts";
import { CHEAP_ARRAY_BYTES } from "../runtime/memory.ts";
import {
  decodeLatin1,
  decodeUtf8,
  isUtf8,
  writeUtf8,
} from "../runtime/text.ts";
import type { Transport } from "../runtime/transport.ts";
import type { Home } from "./membership.ts";
import type { ConnectionSettings } from "./options.ts";
import type { ConnectionRequest } from "./request.ts";
import type { SocketConnection } from "./socket_connection.ts";
import type { Ticker } from "./ticker.ts";

/** Up to here `decodeUtf8` is faster: 180 to 250 ns for 64 bytes on Bun. */
const SHORT_BYTES = 256;

const decoding: TextDecoding = {
  ascii: decodeLatin1,
  utf8(bytes, start, end) {
    if (end - start <= SHORT_BYTES) {
      const text = decodeUtf8(bytes, start, end);
      // See `plainDecoding`, which also tells which of them are valid.
      if (!text.includes("\ufffd")) return text;
    }
    return plainDecoding.utf8(bytes, start, end);
  },
  isUtf8,
};

/** What connections of one role with the same settings share. */
const sharedOptions: Readonly<
  Record<Role, WeakMap<ConnectionSettings, ProtocolOptions>>
> = { server: new WeakMap(), client: new WeakMap() };

/**
 * Makes the options of a connection's protocol. Those with the same settings share
 * them, unless an extension gives one a state of its own.
 *
 * @param init What of the connection they depend on.
 */
export function protocolOptions(
  init: Pick<ConnectionInit, "role" | "settings" | "transform">,
): ProtocolOptions {
  const { role, settings, transform } = init;
  const shared = sharedOptions[role].get(settings);
  if (shared !== undefined && transform === undefined) return shared;
  const options: ProtocolOptions = {
    role,
    maxMessageBytes: settings.maxMessageBytes,
    maxFragments: settings.maxFragments,
    decoding,
    writeUtf8,
    cheapArrayBytes: CHEAP_ARRAY_BYTES,
    ...(transform && { transform }),
  };
  if (transform === undefined) sharedOptions[role].set(settings, options);
  return options;
}

/** What a connection is made of, once its handshake is done. */
export interface ConnectionInit {
  /** Our own side. */
  readonly role: Role;
  /** The transport. */
  readonly transport: Transport;
  /** Limits and times. */
  readonly settings: ConnectionSettings;
  /** Tells the time. */
  readonly ticker: Ticker;
  /** The request that opened it. */
  readonly request: ConnectionRequest;
  /** What the path pattern matched. */
  readonly params: Readonly<Record<string, string>>;
  /** Subprotocol agreed on. */
  readonly subprotocol: string;
  /** Extensions agreed on. */
  readonly extensions: readonly Extension[];
  /** What the extensions do to messages. */
  readonly transform: MessageTransform | undefined;
  /** Who made it. */
  readonly owner: ConnectionOwner;
}

/** Who makes connections: a server, or the dialer. */
export interface ConnectionOwner {
  /** The site that its connections belong to; absent for those that are dialled. */
  readonly home?: Home;
  /** Told of what a handler threw. */
  reportError(error: unknown, connection?: Connection): void;
  /** Told when a connection is open no more. */
  onClosing(connection: SocketConnection): void;
  /** Told when a connection is gone. */
  onClosed(connection: SocketConnection): void;
}
