/**
 * What a line that is typed means: text to send, or a command.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { printable } from "../connection.ts";

/** What is to be done. */
export type PromptLine =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "binary"; readonly bytes: Uint8Array }
  | { readonly kind: "file"; readonly path: string; readonly isText: boolean }
  | { readonly kind: "ping"; readonly payload: string | undefined }
  | {
    readonly kind: "close";
    readonly code: number | undefined;
    readonly reason: string | undefined;
  }
  | { readonly kind: "help" }
  | { readonly kind: "mistake"; readonly message: string };

/** What `/help` prints. */
export const COMMANDS_HELP: readonly string[] = [
  "/binary HEX            send bytes, such as 00ff or 00 ff",
  "/binary @FILE          send a file as a binary message",
  "/text @FILE            send a file as a text message",
  "/ping [TEXT]           ping, and print how long the pong took",
  "/close [CODE [REASON]] close",
  "/help                  print this",
  "//TEXT                 send /TEXT",
];

/**
 * Reads a line where commands are taken. A slash begins a command, two a text
 * with one: every text can be sent.
 *
 * @param line A line without its end.
 */
export function parsePromptLine(line: string): PromptLine {
  if (!line.startsWith("/")) return { kind: "text", text: line };
  if (line.startsWith("//")) return { kind: "text", text: line.slice(1) };
  const [, name = "", rest = ""] = /^\/(\S*)\s*([^]*?)\s*$/.exec(line) ?? [];
  switch (name) {
    case "binary":
      return rest.startsWith("@") ? fileOf(rest, false) : binaryOf(rest);
    case "text":
      return rest.startsWith("@")
        ? fileOf(rest, true)
        : mistake("/text takes @FILE: other text is sent as it is typed");
    case "ping":
      return { kind: "ping", payload: rest === "" ? undefined : rest };
    case "close":
      return closeOf(rest);
    case "help":
      return { kind: "help" };
    default:
      return mistake(
        `No such command: /${printable(name)}. /help lists them, // sends /`,
      );
  }
}

function mistake(message: string): PromptLine {
  return { kind: "mistake", message };
}

function fileOf(rest: string, isText: boolean): PromptLine {
  const path = rest.slice(1);
  if (path === "") return mistake("There is no name behind the @");
  return { kind: "file", path, isText };
}

function binaryOf(rest: string): PromptLine {
  const digits = rest.replaceAll(/\s/g, "");
  if (!/^(?:[\da-f]{2})*$/i.test(digits)) {
    return mistake("/binary takes pairs of hexadecimal digits, or @FILE");
  }
  return { kind: "binary", bytes: new Uint8Array(Buffer.from(digits, "hex")) };
}

function closeOf(rest: string): PromptLine {
  const [, digits, reason] = /^(?:(\d+)(?:\s+([^]+))?)?$/.exec(rest) ?? [];
  if (digits === undefined && rest !== "") {
    return mistake("/close takes a code, and then a reason");
  }
  return {
    kind: "close",
    code: digits === undefined ? undefined : Number(digits),
    reason,
  };
}
