/**
 * A logger that is ready-made: one line for each event.
 *
 * @module
 */

import {
  type Address,
  checkKeys,
  checkType,
  type CloseInfo,
  printable,
} from "../connection.ts";
import { isFailure, type SiteEvent, type SiteListener } from "./events.ts";

/** How important an event is, the least first. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** What a logger writes, and where to. */
export interface ConsoleLoggerOptions {
  /**
   * The least that is written. `debug` adds the requests that were accepted, `warn`
   * leaves out what is ordinary.
   *
   * @default {"info"}
   */
  readonly level?: LogLevel;
  /**
   * Where a line goes, which has no line end; the console where absent. Only an
   * error has more lines: its stack, indented.
   */
  readonly write?: (line: string, level: LogLevel) => void;
}

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];
const OPTION_NAMES = new Set(["level", "write"]);

/**
 * Makes a logger for `onEvent`. A line has the time, the level, what happened, and
 * where. What a peer chose has its control characters escaped, so that no peer can
 * forge a line or drive a terminal.
 *
 * @throws {TypeError} If an option is unknown or of the wrong kind.
 *
 * @example
 * ```ts
 * import { consoleLogger, Site } from "@sockeye/sockeye";
 *
 * const site = new Site({ onEvent: consoleLogger({ level: "warn" }) });
 * site.addHandler("/echo", { message: (c, data) => void c.send(data) });
 * ```
 */
export function consoleLogger(
  options: ConsoleLoggerOptions = {},
): SiteListener {
  checkKeys("make the logger", options, OPTION_NAMES);
  const { level = "info", write = writeToConsole } = options;
  const least = LEVELS.indexOf(level);
  if (least < 0) {
    throw new TypeError(`Cannot make the logger: unknown level: ${level}`);
  }
  checkType("make the logger", "write", write, "function");
  return (event) => {
    const level = levelOf(event);
    if (LEVELS.indexOf(level) < least) return;
    const time = new Date().toISOString();
    write(`${time} ${level.padEnd(5)} ${describe(event)}`, level);
  };
}

function writeToConsole(line: string, level: LogLevel): void {
  if (level === "error") console.error(line);
  else if (level === "warn") console.warn(line);
  else console.log(line);
}

function levelOf(event: SiteEvent): LogLevel {
  switch (event.type) {
    case "accepted":
      return "debug";
    case "refused":
      return event.status >= 500 ? "warn" : "info";
    case "closed":
      return isFailure(event.info) ? "warn" : "info";
    case "delayed":
      return "warn";
    case "error":
      return "error";
    default:
      return "info";
  }
}

function describe(event: SiteEvent): string {
  switch (event.type) {
    case "listening":
      return `listening on ${place(event.address)}`;
    case "accepted": {
      const { subprotocol } = event;
      const spoken = subprotocol && `, subprotocol ${printable(subprotocol)}`;
      return `accepted ${where(event)}${spoken}`;
    }
    case "refused":
      return `refused ${where(event)}: ${event.status} ${event.reason}`;
    case "opened":
      return `opened ${event.id} ${where(event)}`;
    case "closed":
      return describeClosed(event);
    case "delayed":
      return `delayed: the event loop was blocked for ${event.lateMs} ms or more`;
    case "error":
      return describeError(event);
    case "shutdown":
      return `shutting down ${place(event.address)} with ${event.code}, ` +
        `within ${event.timeoutMs} ms`;
    case "finished":
      return `shut down ${place(event.address)}`;
  }
}

function describeClosed(event: SiteEvent & { type: "closed" }): string {
  const { info, stats, durationMs } = event;
  const time = durationMs === undefined ? "" : ` after ${durationMs} ms`;
  return `closed ${event.id} ${where(event)}${time}: ${describeEnd(info)}; ` +
    `in ${stats.messagesReceived} messages, ${stats.bytesReceived} bytes; ` +
    `out ${stats.messagesSent} messages, ${stats.bytesSent} bytes`;
}

function describeEnd({ cause, received, sent, error }: CloseInfo): string {
  const close = (who: string, frame: CloseInfo["received"]): string =>
    frame === undefined ? "" : `, ${who} ${frame.code}` +
      (frame.reason && ` "${printable(frame.reason)}"`);
  const reason = error === undefined ? "" : `, ${printable(String(error))}`;
  return cause + close("received", received) + close("sent", sent) + reason;
}

function describeError(event: SiteEvent & { type: "error" }): string {
  const { error, id } = event;
  const who = id === undefined ? "" : ` on ${id}`;
  // The first lines are the message, in which a peer may have a say.
  const frames = (error.stack ?? "").split("\n")
    .filter((line) => /^\s+at /.test(line))
    .map((line) => `\n    ${printable(line.trim())}`);
  return `error${who}: ${printable(String(error))}${frames.join("")}`;
}

function where(event: { path?: string; remoteAddress: Address }): string {
  const path = event.path === undefined ? "" : `${printable(event.path)} `;
  return `${path}from ${place(event.remoteAddress)}`;
}

function place(address: Address): string {
  if (address.transport === "unix") {
    return `unix:${printable(address.path)}`;
  }
  const { hostname, port } = address;
  return hostname.includes(":")
    ? `[${printable(hostname)}]:${port}`
    : `${printable(hostname)}:${port}`;
}
