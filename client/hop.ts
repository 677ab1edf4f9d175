/**
 * One hop of an attempt: a transport, and the handshake on it.
 *
 * @module
 */

import {
  HandshakeError,
  type ResponseHead,
  type UpgradeAgreement,
} from "../codec.ts";
import { printable, type SocketConnection } from "../connection.ts";
import type { ConnectTls, Runtime, Transport } from "../runtime/transport.ts";
import { addressOf, type Ask } from "./ask.ts";
import { hostOf } from "./host_name.ts";
import { type Opened, Opening, type OpeningRequest } from "./opening.ts";
import type { DialOptions } from "./options.ts";
import { tunnelFor } from "./proxy.ts";
import { proxyError } from "./talk.ts";

/**
 * Connects.
 *
 * @param runtime Whose sockets.
 * @param ask Where to.
 * @param options Those of `dial`.
 * @param signal Gives up when it aborts.
 * @throws {HandshakeError} If it fails, or the signal's reason.
 */
export async function connect(
  runtime: Runtime,
  ask: Ask,
  options: Pick<DialOptions, "connectTo" | "path" | "proxy" | "localAddress">,
  signal: AbortSignal,
): Promise<Transport> {
  const { url } = ask;
  const { connectTo, path, localAddress } = options;
  const secure = url.protocol === "wss:";
  const hostname = hostOf(url);
  const isElsewhere = connectTo !== undefined || path !== undefined;
  const tls: ConnectTls = isElsewhere
    ? { serverName: hostname, ...ask.tls }
    : ask.tls ?? {};
  const target = addressOf(url, connectTo);
  const way = tunnelFor(options.proxy, ask, target);
  let isThrough = way === undefined;
  const tunnel = way && {
    ...way,
    open: async (transport: Transport): Promise<void> => {
      await way.open(transport);
      isThrough = true;
    },
  };
  try {
    return await runtime.connect({
      ...(path !== undefined ? { path } : target),
      ...(secure && { tls }),
      ...(tunnel && { tunnel }),
      ...(localAddress && { localAddress }),
      signal,
    });
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    if (cause instanceof HandshakeError) throw cause;
    if (!isThrough) {
      throw proxyError(`cannot be reached: ${messageOf(cause)}`, { cause });
    }
    const reason = secure && !isNetworkError(cause)
      ? "tls-failed"
      : "connect-failed";
    const message = `Cannot connect to ${url.host}: ${messageOf(cause)}`;
    throw new HandshakeError(reason, message, { cause });
  }
}

/**
 * Sends the request, and waits for the response.
 *
 * @param transport Connected, not started.
 * @param request What to send.
 * @param signal Gives up when it aborts.
 * @param establish Makes the connection once the server has agreed.
 */
export function open<Data>(
  transport: Transport,
  request: OpeningRequest,
  signal: AbortSignal,
  establish: (
    agreement: UpgradeAgreement,
    head: ResponseHead,
  ) => SocketConnection<Data>,
): Promise<SocketConnection<Data>> {
  return new Promise((resolve, reject) => {
    const opened: Opened = (agreement, head, early) => {
      let connection;
      try {
        connection = establish(agreement, head);
      } catch (error) {
        transport.destroy();
        return reject(error);
      }
      // What shared a segment with the response waits to be taken.
      if (early.length > 0) transport.sink.data(early);
      resolve(connection);
    };
    const opening = new Opening(transport, request, opened, reject);
    const giveUp = () => opening.giveUp(signal.reason);
    signal.addEventListener("abort", giveUp, { once: true });
    if (signal.aborted) giveUp();
  });
}

/** What Deno calls them. */
const NETWORK_ERROR_NAMES: ReadonlySet<string> = new Set([
  "ConnectionRefused",
  "TimedOut",
  "NotFound",
  "AddrNotAvailable",
  "NetworkUnreachable",
  "NotCapable",
]);
/** What the system calls them, as Bun and Node tell. */
const NETWORK_ERROR_CODE =
  /^(ECONNREFUSED|ENOTFOUND|EAI_|EHOST|ENET|EADDR|ETIMEDOUT|ENOENT|EPERM)/;

/**
 * Whether it never came to TLS: no address, no route, no listener, no permission. A
 * reset is none of these: it ends a handshake.
 */
function isNetworkError(error: unknown): boolean {
  const { name, code, syscall } = error as Record<string, unknown>;
  return syscall === "bind" ||
    NETWORK_ERROR_NAMES.has(String(name)) ||
    NETWORK_ERROR_CODE.test(String(code));
}

/** How the libraries of all three say that what came back was no TLS record. */
const NO_TLS = /wrong[ _]version[ _]number/i;

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  // Of places in the source of OpenSSL nobody sees that `ws:` was meant.
  if (NO_TLS.test(message)) return "no TLS is spoken there";
  // A certificate's names are in it: the peer's own words.
  return printable(message.trim());
}
