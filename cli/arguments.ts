/**
 * Reads the arguments.
 *
 * @module
 */

import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import type { DialOptions } from "../client.ts";
import { printable } from "../connection.ts";
import { DIAL, dialOptions, readText } from "./dial_arguments.ts";
import { count, seconds, UsageError } from "./usage.ts";

/** Talk to a server. */
export interface TalkCommand {
  readonly name: "talk";
  readonly url: string;
  readonly dial: DialOptions;
  readonly timeoutMs: number;
  readonly isOnce: boolean;
  readonly reconnects: boolean;
  readonly takesInput: boolean;
  readonly showsFrames: boolean;
  readonly isJson: boolean;
  /** Whether messages are printed as they are. */
  readonly isRaw: boolean;
  /** Text messages to send first. */
  readonly sends: readonly string[];
  /** How long messages are waited for behind the end of the input. */
  readonly waitMs: number;
  /** Whether lines may be commands where there is no prompt, too. */
  readonly takesCommands: boolean;
  /** Whether lines are kept for the next time. */
  readonly keepsHistory: boolean;
  /** Folder for binary messages. */
  readonly binaryDir: string | undefined;
}

/** Serve a site. */
export interface ServeCommand {
  readonly name: "serve";
  readonly port: number;
  readonly hostname: string;
  readonly isBroadcast: boolean;
  readonly origins: readonly string[];
  /** Certificate chain and key, PEM; absent for no TLS. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** Folder whose files are served. */
  readonly dir: string | undefined;
}

/** Measure a server. */
export interface BenchCommand {
  readonly name: "bench";
  readonly url: string;
  readonly dial: DialOptions;
  readonly connections: number;
  /** Messages under way on each connection. */
  readonly inFlight: number;
  readonly messageBytes: number;
  readonly durationMs: number;
  readonly isJson: boolean;
}

/** What is to be done. */
export type Command =
  | { readonly name: "help" | "version" }
  | TalkCommand
  | ServeCommand
  | BenchCommand;

const COMMON = {
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
} as const satisfies ParseArgsOptionsConfig;

const TALK = {
  ...COMMON,
  ...DIAL,
  timeout: { type: "string" },
  ping: { type: "string" },
  wait: { type: "string" },
  send: { type: "string", short: "x", multiple: true },
  once: { type: "boolean" },
  reconnect: { type: "boolean" },
  "no-input": { type: "boolean", short: "n" },
  commands: { type: "boolean" },
  "no-history": { type: "boolean" },
  "binary-dir": { type: "string" },
  frames: { type: "boolean" },
  raw: { type: "boolean" },
  json: { type: "boolean" },
} as const satisfies ParseArgsOptionsConfig;

const SERVE = {
  ...COMMON,
  port: { type: "string", short: "p" },
  hostname: { type: "string" },
  echo: { type: "boolean" },
  broadcast: { type: "boolean" },
  origin: { type: "string", multiple: true },
  cert: { type: "string" },
  key: { type: "string" },
} as const satisfies ParseArgsOptionsConfig;

const BENCH = {
  ...COMMON,
  ...DIAL,
  timeout: { type: "string" },
  json: { type: "boolean" },
  connections: { type: "string", short: "c" },
  "in-flight": { type: "string" },
  size: { type: "string" },
  duration: { type: "string" },
} as const satisfies ParseArgsOptionsConfig;

/**
 * Reads the arguments.
 *
 * @param args Arguments, without the program's own name.
 * @throws {UsageError} If they make no sense.
 */
export function parseCommand(args: readonly string[]): Command {
  const [first, ...rest] = args;
  if (first === "serve") return parseServe(rest);
  if (first === "bench") return parseBench(rest);
  return parseTalk(args);
}

function parseTalk(args: readonly string[]): Command {
  const { values, positionals } = parse(args, TALK);
  if (values.help) return { name: "help" };
  if (values.version) return { name: "version" };
  if (values.raw && values.json) {
    throw new UsageError("--raw and --json exclude each other");
  }
  const timeoutMs = seconds("--timeout", values.timeout, 10);
  return {
    name: "talk",
    url: urlOf(positionals),
    dial: {
      ...dialOptions(values),
      openTimeoutMs: timeoutMs,
      pingIntervalMs: seconds("--ping", values.ping, 20),
      // What a server sends is for a person, or a pipe, to judge.
      maxMessageBytes: 2 ** 28,
      // Over the mark, what still comes behind our Close frame would be dropped:
      // the answers to what was piped in last.
      receiveHighWaterBytes: 2 ** 26,
      receiveHighWaterMessages: 2 ** 20,
    },
    timeoutMs,
    isOnce: values.once ?? false,
    reconnects: values.reconnect ?? false,
    takesInput: !values["no-input"],
    showsFrames: values.frames ?? false,
    isJson: values.json ?? false,
    isRaw: values.raw ?? false,
    sends: values.send ?? [],
    waitMs: seconds("--wait", values.wait, 0),
    takesCommands: values.commands ?? false,
    keepsHistory: !values["no-history"],
    binaryDir: values["binary-dir"],
  };
}

function parseServe(args: readonly string[]): Command {
  const { values, positionals } = parse(args, SERVE);
  if (values.help) return { name: "help" };
  if (values.version) return { name: "version" };
  if (values.echo && values.broadcast) {
    throw new UsageError("--echo and --broadcast exclude each other");
  }
  if (positionals.length > 1) {
    throw new UsageError("There is more than one DIR");
  }
  const port = count("--port", values.port, 8080, 0);
  if (port > 65_535) throw new UsageError(`--port is over 65535: ${port}`);
  return {
    name: "serve",
    port,
    hostname: values.hostname ?? "127.0.0.1",
    isBroadcast: values.broadcast ?? false,
    origins: values.origin ?? [],
    tls: certificateOf(values.cert, values.key),
    dir: positionals[0],
  };
}

function certificateOf(
  cert: string | undefined,
  key: string | undefined,
): ServeCommand["tls"] {
  if (cert !== undefined && key !== undefined) {
    return { cert: readText(cert), key: readText(key) };
  }
  if (cert === key) return undefined;
  throw new UsageError("--cert and --key need each other");
}

function parseBench(args: readonly string[]): Command {
  const { values, positionals } = parse(args, BENCH);
  if (values.help) return { name: "help" };
  if (values.version) return { name: "version" };
  const messageBytes = count("--size", values.size, 64, 0);
  return {
    name: "bench",
    url: urlOf(positionals),
    dial: {
      ...dialOptions(values),
      openTimeoutMs: seconds("--timeout", values.timeout, 10),
      pingIntervalMs: 0,
      // A server that has stopped is not waited for long.
      closeTimeoutMs: 2_000,
      maxMessageBytes: Math.max(messageBytes, 2 ** 20),
      sendMaxBytes: Infinity,
    },
    connections: count("--connections", values.connections, 10, 1),
    inFlight: count("--in-flight", values["in-flight"], 1, 1),
    messageBytes,
    durationMs: seconds("--duration", values.duration, 5),
    isJson: values.json ?? false,
  };
}

/** Parses, and makes a mistake a {@linkcode UsageError}. */
function parse<const Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
) {
  try {
    const config = { allowPositionals: true, strict: true } as const;
    return parseArgs({ ...config, args: [...args], options });
  } catch (error) {
    // What follows is advice on arguments that begin with a dash.
    const [said = ""] = (error as Error).message.split(/\.\s/, 1);
    throw new UsageError(printable(said));
  }
}

/** The one URL; without a scheme it is `ws:`. */
function urlOf(positionals: readonly string[]): string {
  const [url, ...more] = positionals;
  if (url === undefined) throw new UsageError("There is no URL");
  if (more.length > 0) throw new UsageError("There is more than one URL");
  return /^[a-z][a-z\d+.-]*:\/\//i.test(url) ? url : `ws://${url}`;
}
