/**
 * What happens on a connection, in lines: for people, or as JSON.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type {
  CloseInfo,
  Connection,
  FrameTrace,
  HandshakeError,
} from "../client.ts";
import { describeFrame, printable } from "../connection.ts";
import type { Screen } from "./screen.ts";

/** Told what happens on a connection. */
export interface Report {
  /** It is open. */
  opened(connection: Connection): void;
  /** It could not be opened. */
  failed(error: HandshakeError): void;
  /** A message came; a binary one may have been written to a file. */
  received(message: string | Uint8Array, file: string | undefined): void;
  /** A frame passed. */
  frame(frame: FrameTrace): void;
  /** A ping was answered, after so long. */
  ponged(ms: number): void;
  /** There are such commands. */
  helped(lines: readonly string[]): void;
  /** A command could not be done. */
  mistaken(message: string): void;
  /** A message could not be written to a file. */
  unwritten(message: string): void;
  /** No message came in time. */
  timedOut(timeoutMs: number): void;
  /** It is gone. */
  closed(info: CloseInfo): void;
}

/** Names of close codes, as Python's `websockets` prints them. */
const CODE_NAMES: Readonly<Record<number, string>> = {
  1000: "OK",
  1001: "going away",
  1002: "protocol error",
  1003: "unsupported data",
  1005: "no status received [internal]",
  1006: "connection closed abnormally [internal]",
  1007: "invalid frame payload data",
  1008: "policy violation",
  1009: "message too big",
  1010: "mandatory extension",
  1011: "internal error",
  1012: "service restart",
  1013: "try again later",
  1014: "bad gateway",
};

/**
 * Makes the report that was asked for.
 *
 * @param screen Where to.
 * @param isJson Whether it is JSON.
 * @param isRaw Whether messages stay as they are; a terminal is not given such.
 */
export function reportOn(
  screen: Screen,
  isJson: boolean,
  isRaw: boolean,
): Report {
  if (isJson) return new JsonReport(screen);
  if (isRaw && !screen.isTerminal) return new RawReport(screen);
  return new TextReport(screen);
}

/** For people. */
class TextReport implements Report {
  readonly #screen: Screen;

  /** @param screen Where to. */
  constructor(screen: Screen) {
    this.#screen = screen;
  }

  opened({ request, subprotocol }: Connection): void {
    const spoken = subprotocol && ` (${printable(subprotocol)})`;
    this.#screen.note(`Connected to ${shown(request.url)}${spoken}.`);
  }

  failed(error: HandshakeError): void {
    const location = locationOf(error);
    const led = location === undefined ? "" : ` It leads to ${shown(location)}`;
    this.#screen.note(`${shown(error.message)}.${led}`, "failure");
  }

  received(message: string | Uint8Array, file: string | undefined): void {
    this.#screen.print(
      typeof message === "string"
        ? `< ${shown(message)}`
        : file === undefined
        ? `< (binary) ${toHex(message)}`
        : `< (binary) ${message.length} bytes in ${shown(file)}`,
      "received",
    );
  }

  frame(frame: FrameTrace): void {
    this.#screen.note(describeFrame(frame));
  }

  ponged(ms: number): void {
    this.#screen.note(`Pong after ${ms.toFixed(1)} ms.`);
  }

  helped(lines: readonly string[]): void {
    for (const line of lines) this.#screen.note(line);
  }

  mistaken(message: string): void {
    this.#screen.note(`${shown(message)}.`, "failure");
  }

  unwritten(message: string): void {
    this.#screen.note(`Cannot write a message: ${shown(message)}.`, "failure");
  }

  timedOut(timeoutMs: number): void {
    this.#screen.note(`No message within ${timeoutMs / 1_000} s.`, "failure");
  }

  closed(info: CloseInfo): void {
    const { code, reason, cause, error } = info;
    const name = CODE_NAMES[code] ??
      (code < 4000 ? "registered" : "private use");
    const said = reason && ` ${shown(reason)}`;
    // Why, where the peer did not say it.
    const why = info.wasClean ? "" : ` Cause: ${cause}` +
      (error === undefined ? "." : `, ${shown(error.message)}.`);
    this.#screen.note(`Connection closed: ${code} (${name})${said}.${why}`);
  }
}

/** For programs that want messages, and nothing else. */
class RawReport extends TextReport {
  readonly #screen: Screen;

  constructor(screen: Screen) {
    super(screen);
    this.#screen = screen;
  }

  override received(
    message: string | Uint8Array,
    file: string | undefined,
  ): void {
    if (file !== undefined) return;
    this.#screen.printRaw(
      typeof message === "string" ? `${message}\n` : message,
    );
  }
}

/** One JSON object for each event. */
class JsonReport implements Report {
  readonly #screen: Screen;

  /** @param screen Where to. */
  constructor(screen: Screen) {
    this.#screen = screen;
  }

  opened({ request, subprotocol, extensions }: Connection): void {
    const names = extensions.map(({ name }) => name);
    this.#print("open", { url: request.url, subprotocol, extensions: names });
  }

  failed(error: HandshakeError): void {
    const { reason, message, status } = error;
    const location = locationOf(error);
    this.#print("error", { reason, message, status, location });
  }

  received(message: string | Uint8Array, file: string | undefined): void {
    if (typeof message === "string") this.#print("message", { text: message });
    else if (file === undefined) {
      this.#print("message", { hex: toHex(message) });
    } else this.#print("message", { bytes: message.length, file });
  }

  frame(frame: FrameTrace): void {
    this.#print("frame", { ...frame });
  }

  ponged(ms: number): void {
    this.#print("pong", { roundTripMs: ms });
  }

  helped(lines: readonly string[]): void {
    this.#print("help", { lines });
  }

  mistaken(message: string): void {
    this.#print("error", { reason: "bad-command", message });
  }

  unwritten(message: string): void {
    this.#print("error", { reason: "not-written", message });
  }

  timedOut(timeoutMs: number): void {
    const message = `No message within ${timeoutMs / 1_000} s`;
    this.#print("error", { reason: "message-timeout", message });
  }

  closed({ code, reason, wasClean, cause, error }: CloseInfo): void {
    const message = error?.message;
    this.#print("close", { code, reason, wasClean, cause, error: message });
  }

  #print(type: string, fields: Readonly<Record<string, unknown>>): void {
    const text = JSON.stringify({ type, ...fields });
    this.#screen.print(text.replace(UNPRINTABLE, escapeUnits));
  }
}

/** Where a redirect leads that was not followed. */
function locationOf(
  { headers, status = 0 }: HandshakeError,
): string | undefined {
  if (status < 300 || status > 399) return undefined;
  return headers?.get("location") ?? undefined;
}

/** What JSON lets stand, and a terminal takes for a command or a line end. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

function escapeUnits(character: string): string {
  return character.split("")
    .map((unit) => unit.charCodeAt(0).toString(16).padStart(4, "0"))
    .map((digits) => `\\u${digits}`).join("");
}

/** Text of a peer's, whole, for a terminal. */
function shown(text: string): string {
  return printable(text, Infinity);
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    .toString("hex");
}
