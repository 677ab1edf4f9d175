/**
 * How to get to a server: arguments that `talk` and `bench` share.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import {
  type Authenticate,
  type DialOptions,
  digest,
  proxyFromEnvironment,
} from "../client.ts";
import { printable } from "../connection.ts";
import { count, UsageError } from "./usage.ts";

type ListName = "header" | "subprotocol" | "ca";
type FlagName = "require-subprotocol" | "compress" | "insecure";
type TextName =
  | "origin"
  | "auth"
  | "cert"
  | "key"
  | "server-name"
  | "proxy"
  | "connect-to"
  | "unix"
  | "max-redirects";

/** The options, for `parseArgs`. */
export const DIAL:
  & Record<ListName, { type: "string"; multiple: true; short?: string }>
  & Record<FlagName, { type: "boolean" }>
  & Record<TextName, { type: "string" }> = {
    header: { type: "string", short: "H", multiple: true },
    subprotocol: { type: "string", short: "s", multiple: true },
    "require-subprotocol": { type: "boolean" },
    origin: { type: "string" },
    auth: { type: "string" },
    compress: { type: "boolean" },
    ca: { type: "string", multiple: true },
    cert: { type: "string" },
    key: { type: "string" },
    "server-name": { type: "string" },
    insecure: { type: "boolean" },
    proxy: { type: "string" },
    "connect-to": { type: "string" },
    unix: { type: "string" },
    "max-redirects": { type: "string" },
  };

/** Values of {@linkcode DIAL}. */
type DialValues = Partial<
  & Record<ListName, string[]>
  & Record<FlagName, boolean>
  & Record<TextName, string>
>;

/**
 * Makes of the values what `dial` is told.
 *
 * @throws {UsageError} If one makes no sense, or names a file that cannot be read.
 */
export function dialOptions(values: DialValues): DialOptions {
  const { origin, proxy, unix } = values;
  const credentials = credentialsOf(values.auth);
  const address = values["connect-to"];
  const tls = tlsOf(values);
  if (values["require-subprotocol"] && !values.subprotocol) {
    throw new UsageError("--require-subprotocol needs a --subprotocol");
  }
  return {
    headers: headersOf(values.header ?? [], credentials),
    subprotocols: values.subprotocol ?? [],
    requireSubprotocol: values["require-subprotocol"] ?? false,
    compression: values.compress ?? false,
    maxRedirects: count("--max-redirects", values["max-redirects"], 0, 0),
    ...(origin !== undefined && { origin }),
    ...(credentials !== undefined && { authenticate: digestOf(credentials) }),
    ...(proxy !== undefined && {
      proxy: proxy === "env" ? proxyFromEnvironment : proxy,
    }),
    ...(address !== undefined && { connectTo: addressOf(address) }),
    ...(unix !== undefined && { path: unix }),
    ...(tls && { tls }),
  };
}

type Tls = NonNullable<DialOptions["tls"]>;

function tlsOf(values: DialValues): Tls | undefined {
  const { ca, cert, key, insecure } = values;
  const serverName = values["server-name"];
  if (ca && insecure) {
    throw new UsageError("--ca and --insecure exclude each other");
  }
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError("--cert and --key need each other");
  }
  const tls: Tls = {
    ...(ca && { ca: ca.map(readText) }),
    ...(cert !== undefined && { cert: readText(cert) }),
    ...(key !== undefined && { key: readText(key) }),
    ...(serverName !== undefined && { serverName }),
    ...(insecure && { rejectUnauthorized: false }),
  };
  return Object.keys(tls).length > 0 ? tls : undefined;
}

function headersOf(
  values: readonly string[],
  credentials: string | undefined,
): [string, string][] {
  const headers = values
    .flatMap((value) => value.startsWith("@") ? readLines(value) : value)
    .map(parseHeader);
  if (credentials === undefined) return headers;
  // RFC 7617, section 2.1: UTF-8 is what servers take most widely.
  const basic = Buffer.from(credentials, "utf8").toString("base64");
  return [...headers, ["Authorization", `Basic ${basic}`]];
}

/** User and password, with a colon between them. */
function credentialsOf(auth: string | undefined): string | undefined {
  if (auth === undefined) return undefined;
  const [credentials = ""] = auth.startsWith("@") ? readLines(auth) : [auth];
  if (credentials.includes(":")) return credentials;
  throw new UsageError("--auth is not USER:PASSWORD");
}

/** What answers a server that wants Digest, and not the Basic that it was sent. */
function digestOf(credentials: string): Authenticate {
  const colon = credentials.indexOf(":");
  try {
    return digest({
      username: credentials.slice(0, colon),
      password: credentials.slice(colon + 1),
    });
  } catch {
    throw new UsageError("--auth cannot be sent");
  }
}

function parseHeader(line: string): [string, string] {
  const colon = line.indexOf(":");
  // What may be a secret, and come from a file, is not said again.
  if (colon < 1) throw new UsageError('--header is not "NAME: VALUE"');
  const field: [string, string] = [
    line.slice(0, colon).trim(),
    line.slice(colon + 1).trim(),
  ];
  try {
    new Headers([field]);
  } catch {
    throw new UsageError(`--header cannot be sent: ${printable(field[0])}`);
  }
  return field;
}

/** `HOST`, `HOST:PORT`, `:PORT`, or an IPv6 address in brackets. */
function addressOf(value: string): NonNullable<DialOptions["connectTo"]> {
  const [, bracketed, bare = "", digits] =
    /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(value) ?? [];
  const hostname = bracketed ?? bare;
  const port = Number(digits ?? 0);
  if ((hostname === "" && port === 0) || port > 65_535) {
    throw new UsageError(
      `--connect-to is not HOST[:PORT]: ${printable(value)}`,
    );
  }
  return { ...(hostname && { hostname }), ...(port > 0 && { port }) };
}

/** Lines of the file that is named behind an `@`, without empty ones. */
function readLines(value: string): string[] {
  return readText(value.slice(1)).split(/\r?\n/).filter((line) => line !== "");
}

/**
 * Reads a whole file.
 *
 * @throws {UsageError} If it cannot be read.
 */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    throw new UsageError(`Cannot read ${printable(path)}`);
  }
}
