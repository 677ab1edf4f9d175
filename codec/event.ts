/**
 * What a peer does, as the codec reports it.
 *
 * @module
 */

import type { ProtocolError } from "./error.ts";
import type { Message } from "./message.ts";

/** What a peer did, in the order in which it did it. */
export type ProtocolEvent =
  | {
    /** A whole message arrived. */
    readonly type: "message";
    /**
     * Text as a string, binary as bytes that belong to whoever takes the event.
     * Small messages of one chunk may share a buffer of at most 8 KiB: copy such
     * bytes before you transfer it.
     */
    readonly data: Message;
  }
  | {
    /** A message begins that comes in pieces, see `Protocol.streamMessages`. */
    readonly type: "message-begin";
    /** Whether it is binary, or else text. */
    readonly binary: boolean;
  }
  | {
    /** A piece of it arrived. */
    readonly type: "message-chunk";
    /**
     * Text in whole characters, or bytes as those of a message; not empty. Where
     * it ends says nothing about where the frames do.
     */
    readonly data: Message;
  }
  | {
    /** It has ended. */
    readonly type: "message-end";
  }
  | {
    /** A Ping arrived; its Pong is in the output. */
    readonly type: "ping";
    /** At most 125 bytes that belong to the receiver. */
    readonly payload: Uint8Array;
  }
  | {
    /** A Pong arrived, asked for or not. */
    readonly type: "pong";
    /** At most 125 bytes that belong to the receiver. */
    readonly payload: Uint8Array;
  }
  | {
    /** A Close frame arrived. Nothing comes after it. */
    readonly type: "close";
    /** Close code; 1005 where the frame carried none. */
    readonly code: number;
    /** Reason, possibly empty. */
    readonly reason: string;
  }
  | {
    /** The peer broke the protocol. Nothing comes after it. */
    readonly type: "failed";
    /** Which rule, and the close code that says so. */
    readonly error: ProtocolError;
  };

/** What nothing comes after. */
export type LastEvent = Extract<ProtocolEvent, { type: "close" | "failed" }>;
