/**
 * The error of a `WebSocketStream`.
 *
 * @module
 */

import { closeArguments } from "./close_arguments.ts";
import { finishInterface } from "./interface.ts";

/** What a connection was closed with. */
export interface WebSocketCloseInfo {
  /** Close code: 1000, or 3000 to 4999; also others where it was received. */
  readonly closeCode?: number | undefined;
  /** Reason, at most 123 bytes of UTF-8. */
  readonly reason?: string | undefined;
}

/** Sets what was received: a code like 1006 stands for none, and is never sent. */
let receive: (error: WebSocketError, info: WebSocketCloseInfo) => void;

/**
 * A `WebSocketStream` failed, or was closed otherwise than properly. Given to
 * `abort` or `cancel` of one of its streams, it says what to close with.
 */
export class WebSocketError extends DOMException {
  static {
    receive = (error, { closeCode, reason }) => {
      error.#closeCode = closeCode ?? null;
      error.#reason = reason ?? "";
    };
  }

  #closeCode: number | null;
  #reason: string;

  /**
   * Makes the error.
   *
   * @param message What went wrong.
   * @param init Code and reason; a reason without a code gets 1000.
   * @throws {DOMException} `InvalidAccessError` for a code that may not be sent,
   * `SyntaxError` for a reason over 123 bytes.
   */
  constructor(message = "", init: WebSocketCloseInfo = {}) {
    super(message, "WebSocketError");
    const { code, reason } = closeArguments(init.closeCode, init.reason);
    this.#closeCode = code ?? null;
    this.#reason = reason;
  }

  /** Close code; `null` for none. */
  get closeCode(): number | null {
    return this.#closeCode;
  }

  /** Reason, possibly empty. */
  get reason(): string {
    return this.#reason;
  }
}

finishInterface(WebSocketError, { name: "WebSocketError" });

/**
 * Makes the error of a connection that ended, with the code that was received.
 *
 * @param message What went wrong.
 * @param info What was received; any code.
 * @param cause The error behind it.
 */
export function failureOf(
  message: string,
  info: WebSocketCloseInfo,
  cause?: unknown,
): WebSocketError {
  const error = new WebSocketError(message);
  receive(error, info);
  if (cause !== undefined) {
    Object.defineProperty(error, "cause", { value: cause });
  }
  return error;
}
