/**
 * Reads the arguments.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import {
  type Authenticate,
  type DialOptions,
  digest,
  proxyFromEnvironment,
} from "../client.ts";
import { printable } from "../connection.ts";

/** The arguments make no sense. */
export class UsageError extends Error {
  /** Class name. */
  override readonly name = "UsageError";
}

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

const DIAL = {
  header: { type: "string", short: "H", multiple: true },
  subprotocol: { type: "string", short: "s", multiple: true },
  origin: { type: "string" },
  auth: { type: "string" },
  ca: { type: "string", multiple: true },
  insecure: { type: "boolean" },
  proxy: { type: "string" },
  unix: { type: "string" },
  compress: { type: "boolean" },
  timeout: { type: "string" },
  json: { type: "boolean" },
} as const satisfies ParseArgsOptionsConfig;

const TALK = {
  ...COMMON,
  ...DIAL,
  ping: { type: "string" },
  once: { type: "boolean" },
  reconnect: { type: "boolean" },
  "no-input": { type: "boolean", short: "n" },
  "binary-dir": { type: "string" },
  frames: { type: "boolean" },
} as const satisfies ParseArgsOptionsConfig;

const SERVE = {
  ...COMMON,
  port: { type: "string", short: "p" },
  hostname: { type: "string" },
  echo: { type: "boolean" },
  broadcast: { type: "boolean" },
  origin: { type: "string", multiple: true },
} as const satisfies ParseArgsOptionsConfig;

const BENCH = {
  ...COMMON,
  ...DIAL,
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
    dir: positionals[0],
  };
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
    const [said = ""] = (error as Error).message.split(". ", 1);
    throw new UsageError(printable(said));
  }
}

/** Values of {@linkcode DIAL}. */
interface DialValues {
  readonly header?: string[];
  readonly subprotocol?: string[];
  readonly origin?: string;
  readonly auth?: string;
  readonly ca?: string[];
  readonly insecure?: boolean;
  readonly proxy?: string;
  readonly unix?: string;
  readonly compress?: boolean;
}

function dialOptions(values: DialValues): DialOptions {
  const { auth, ca, insecure, proxy, unix } = values;
  if (ca && insecure) {
    throw new UsageError("--ca and --insecure exclude each other");
  }
  return {
    headers: headersOf(values),
    subprotocols: values.subprotocol ?? [],
    compression: values.compress ?? false,
    ...(auth !== undefined && { authenticate: digestOf(auth) }),
    ...(proxy !== undefined && {
      proxy: proxy === "env" ? proxyFromEnvironment : proxy,
    }),
    ...(unix !== undefined && { path: unix }),
    ...(ca && { tls: { ca: ca.map(readText) } }),
    ...(insecure && { tls: { rejectUnauthorized: false } }),
  };
}

function headersOf({ header = [], origin, auth }: DialValues): Headers {
  const headers = new Headers();
  for (const line of header) {
    const colon = line.indexOf(":");
    if (colon < 1) {
      throw new UsageError(`--header is not "NAME: VALUE": ${printable(line)}`);
    }
    try {
      headers.append(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
    } catch {
      throw new UsageError(`--header cannot be sent: ${printable(line)}`);
    }
  }
  if (origin !== undefined) headers.set("origin", origin);
  if (auth !== undefined) {
    if (!auth.includes(":")) {
      throw new UsageError("--auth is not USER:PASSWORD");
    }
    // RFC 7617, section 2.1: UTF-8 is what servers take most widely.
    const credentials = Buffer.from(auth, "utf8").toString("base64");
    headers.set("authorization", `Basic ${credentials}`);
  }
  return headers;
}

/** What answers a server that wants Digest, and not the Basic that it was sent. */
function digestOf(auth: string): Authenticate {
  const colon = auth.indexOf(":");
  try {
    return digest({
      username: auth.slice(0, colon),
      password: auth.slice(colon + 1),
    });
  } catch {
    throw new UsageError("--auth cannot be sent");
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    throw new UsageError(`Cannot read ${printable(path)}`);
  }
}

/** The one URL; without a scheme it is `ws:`. */
function urlOf(positionals: readonly string[]): string {
  const [url, ...more] = positionals;
  if (url === undefined) throw new UsageError("There is no URL");
  if (more.length > 0) throw new UsageError("There is more than one URL");
  return /^[a-z][a-z\d+.-]*:\/\//i.test(url) ? url : `ws://${url}`;
}

/** Reads seconds; returns milliseconds. */
function seconds(
  option: string,
  value: string | undefined,
  absent: number,
): number {
  if (value === undefined) return absent * 1_000;
  if (!/^\d{1,6}(\.\d+)?$/.test(value)) {
    throw new UsageError(
      `${option} is no number of seconds: ${printable(value)}`,
    );
  }
  return Number(value) * 1_000;
}

function count(
  option: string,
  value: string | undefined,
  absent: number,
  least: number,
): number {
  if (value === undefined) return absent;
  if (!/^\d{1,9}$/.test(value) || Number(value) < least) {
    throw new UsageError(`${option} is no number: ${printable(value)}`);
  }
  return Number(value);
}
