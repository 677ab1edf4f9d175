/**
 * How a connection ended.
 *
 * @module
 */

import { ABNORMAL_CLOSURE, type CloseFrame, NO_STATUS } from "../codec.ts";
import { printable } from "./printable.ts";

/** What ended a connection. */
export type CloseCause =
  /** The peer sent a Close frame first. */
  | "peer"
  /** This side called `close` or `terminate`, or its handler failed. */
  | "local"
  /** No sign of life after a Ping. */
  | "ping-timeout"
  /** The opening handshake took too long. */
  | "open-timeout"
  /** The peer did not answer a Close frame in time. */
  | "close-timeout"
  /** The peer sent a message over the limit. */
  | "too-big"
  /** The peer broke the protocol. */
  | "protocol-error"
  /** The stream ended or broke without a Close frame. */
  | "transport-error"
  /**
   * The peer did not read what it was sent, and the send buffer was full; or it
   * sent more than was handled, where a host cannot be told to read less.
   */
  | "backpressure"
  /** The server shut down. */
  | "shutdown";

/** The report on a connection that ended. */
export interface CloseInfo {
  /**
   * Close code that the peer sent; 1005 where its Close frame had none, 1006
   * where it sent no Close frame (RFC 6455, section 7.1.5).
   */
  readonly code: number;
  /** Reason that the peer sent, possibly empty. */
  readonly reason: string;
  /** Whether both sides sent a Close frame, so that nothing was lost unseen. */
  readonly wasClean: boolean;
  /** The Close frame that this side sent. */
  readonly sent?: CloseFrame;
  /** The Close frame that the peer sent. */
  readonly received?: CloseFrame;
  /** What ended it. */
  readonly cause: CloseCause;
  /** The error behind it, where there is one. */
  readonly error?: Error;
}

/**
 * Puts a report together.
 *
 * @param cause What ended the connection.
 * @param sent The Close frame that this side sent.
 * @param received The Close frame that the peer sent.
 * @param error The error behind it.
 */
export function makeCloseInfo(
  cause: CloseCause,
  sent: CloseFrame | undefined,
  received: CloseFrame | undefined,
  error: Error | undefined,
): CloseInfo {
  return {
    code: received?.code ?? ABNORMAL_CLOSURE,
    reason: received?.reason ?? "",
    wasClean: sent !== undefined && received !== undefined,
    ...(sent && { sent }),
    ...(received && { received }),
    cause,
    ...(error && { error }),
  };
}

/**
 * Tells whether an ending is an ordinary one, after which an iteration just
 * ends: 1000, 1001, or a Close frame without a code.
 *
 * @param info Report.
 */
export function isOrdinary(info: CloseInfo): boolean {
  return info.code === 1000 || info.code === 1001 || info.code === NO_STATUS;
}

/** The connection is closed, or closed before what was asked for happened. */
export class ClosedError extends Error {
  /** Class name. */
  override readonly name = "ClosedError";
  /** How the connection ended. */
  readonly info: CloseInfo;

  /**
   * Makes the error, with a message that says how it ended.
   *
   * @param info How the connection ended.
   */
  constructor(info: CloseInfo) {
    const said = info.reason === "" ? "" : ` (${printable(info.reason)})`;
    super(
      `The connection is closed: ${info.cause}, code ${info.code}${said}`,
      info.error && { cause: info.error },
    );
    this.info = info;
  }
}
