/**
 * A listener for frames that is ready-made: one line for each.
 *
 * @module
 */

import type { FrameTrace } from "./frame_tracer.ts";
import { checkKeys, checkType } from "./check.ts";
import type { FrameListener } from "./traced_transport.ts";

/** Where frames are written. */
export interface FrameLoggerOptions {
  /** Where a line goes, which has no line end; the console where absent. */
  readonly write?: (line: string) => void;
}

const OPTION_NAMES = new Set(["write"]);

/**
 * Makes a logger for `onFrame`. A line has the time, the connection's name, `<` for a
 * frame that was received or `>` for one that was sent, and what it is.
 *
 * @throws {TypeError} If an option is unknown or of the wrong kind.
 *
 * @example
 * ```ts
 * import { frameLogger, Site } from "@sockeye/sockeye";
 *
 * const site = new Site({ onFrame: frameLogger() });
 * site.addHandler("/echo", { message: (c, data) => void c.send(data) });
 * ```
 */
export function frameLogger(options: FrameLoggerOptions = {}): FrameListener {
  checkKeys("make the logger", options, OPTION_NAMES);
  const { write = (line: string) => console.log(line) } = options;
  checkType("make the logger", "write", write, "function");
  return (frame, { id }) =>
    write(`${new Date().toISOString()} debug ${id} ${describeFrame(frame)}`);
}

/** Says in a line which way a frame went, and what it is. */
export function describeFrame(frame: FrameTrace): string {
  const { direction, opcode, fin, rsv1, payloadBytes, preview } = frame;
  const isText = opcode === "text" && !rsv1;
  const shown = frame.code !== undefined
    ? `${frame.code} "${frame.reason}"`
    : isText
    ? `"${preview}"`
    : preview;
  const flags = [
    `${payloadBytes} bytes`,
    ...(fin ? [] : ["continued"]),
    ...(rsv1 ? ["compressed"] : []),
  ];
  const arrow = direction === "received" ? "<" : ">";
  return [arrow, opcode, shown, `[${flags.join(", ")}]`]
    .filter((part) => part !== "").join(" ");
}
