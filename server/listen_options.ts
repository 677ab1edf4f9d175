/**
 * Where a site listens.
 *
 * @module
 */

import {
  checkAmount,
  checkKeys,
  checkPem,
  checkSignal,
  checkType,
} from "../connection.ts";
import type { ListenTls } from "../runtime/transport.ts";

/** Where a site listens. */
export interface ListenOptions {
  /** Port; 0 takes a free one. Required, unless `path` is given. */
  readonly port?: number;
  /**
   * Interface.
   *
   * @default {"0.0.0.0"}
   */
  readonly hostname?: string;
  /** Path of a Unix socket, instead of a port. */
  readonly path?: string;
  /** Serve `wss:` and `https:`. */
  readonly tls?: ListenTls;
  /** Length of the kernel's queue of connections not yet accepted. */
  readonly backlog?: number;
  /**
   * Whether several processes may share the port (`SO_REUSEPORT`). Deno needs
   * `--unstable-net` for it, and ends a process that asks for it without.
   */
  readonly reusePort?: boolean;
  /** Shuts the server down when it aborts. */
  readonly signal?: AbortSignal;
}

const LISTEN_OPTION_NAMES = new Set([
  "port",
  "hostname",
  "path",
  "tls",
  "backlog",
  "reusePort",
  "signal",
]);
const TLS_OPTION_NAMES = new Set(["cert", "key", "alpnProtocols"]);

/**
 * Refuses options that cannot have been meant.
 *
 * @throws {TypeError} If one is unknown or of the wrong kind.
 * @throws {RangeError} If a number is out of range.
 */
export function checkListenOptions(options: ListenOptions): void {
  checkKeys("listen", options, LISTEN_OPTION_NAMES);
  const { port, path, hostname, backlog, reusePort, signal, tls } = options;
  if ((port === undefined) === (path === undefined)) {
    throw new TypeError("Cannot listen: give either a port or a path");
  }
  if (port !== undefined) checkCount("port", port, 65_535);
  if (backlog !== undefined) checkCount("backlog", backlog, 2 ** 31 - 1);
  checkType("listen", "path", path, "string");
  if (path === "") throw new TypeError("Cannot listen: path is empty");
  checkType("listen", "hostname", hostname, "string");
  checkType("listen", "reusePort", reusePort, "boolean");
  checkSignal("listen", signal);
  if (tls !== undefined) checkListenTls(tls);
}

function checkListenTls(tls: ListenTls): void {
  checkKeys("listen", tls, TLS_OPTION_NAMES, "tls");
  const { cert, key, alpnProtocols = [] } = tls;
  // A network in memory looks at neither, and is given empty ones.
  if (cert !== "" || key !== "") {
    checkPem("listen", "tls.cert", cert, "certificate");
    checkPem("listen", "tls.key", key, "private key");
  }
  if (
    !Array.isArray(alpnProtocols) ||
    !alpnProtocols.every((name) => typeof name === "string")
  ) {
    throw new TypeError(
      "Cannot listen: tls.alpnProtocols is no array of texts",
    );
  }
}

function checkCount(name: string, value: unknown, most: number): void {
  checkAmount("listen", name, value);
  if (!Number.isInteger(value) || value as number > most) {
    throw new RangeError(`Cannot listen: ${name} is out of range: ${value}`);
  }
}
