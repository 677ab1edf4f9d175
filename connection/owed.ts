/**
 * What a pump still has to do.
 *
 * @module
 */

import type { ProtocolEvent } from "../codec.ts";
import type { CloseInfo } from "./close_info.ts";
import type { Incoming } from "./incoming.ts";

/**
 * What is still to be done: calls of hooks that wait until another hook has ended,
 * and what comes between the pieces of a message. Few pumps ever owe anything.
 */
export class Owed {
  /** Whether `drain` is due. */
  drain: boolean = false;
  /** The latest Ping or Pong. */
  control: ProtocolEvent | undefined;
  /** How the peer failed. */
  error: Error | undefined;
  /** How the connection ended. */
  closed: CloseInfo | undefined;
  /** The last event, acted on before its turn. */
  last: ProtocolEvent | undefined;
  /** The message in pieces that is under way. */
  incoming: Incoming | undefined;
  /** Whether the `error` hook is under way, which is not told of itself. */
  isTelling: boolean = false;
}
