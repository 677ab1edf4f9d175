/**
 * WebSockets of `Bun.serve`.
 *
 * Bun tells their events to one object for the whole server; that one passes them
 * on to what stands in `data`, which is a {@linkcode BunHostSocket}.
 *
 * What they lack (1.4.5): reading less, and word of how a peer answers a Close
 * frame of ours.
 *
 * @module
 */

import type {
  Host,
  HostRequest,
  HostSocket,
  HostSocketSink,
  HostUpgrade,
} from "./host.ts";
import type { Address } from "./transport.ts";

/** What is used of Bun's `ServerWebSocket`. */
interface BunWebSocket {
  binaryType: string;
  send(data: string | Uint8Array): number;
  ping(payload: Uint8Array): number;
  close(code?: number, reason?: string): void;
  terminate(): void;
  getBufferedAmount(): number;
}

/** What is used of Bun's `Server`. */
interface BunServer {
  upgrade(
    request: Request,
    options: { readonly headers: Headers; readonly data: BunHostSocket },
  ): boolean;
  requestIP(
    request: Request,
  ): { readonly address: string; readonly port: number } | null;
}

/** What Bun says where no Close frame arrived. */
const NO_CLOSE_FRAME = 1006;
/** What Bun says where a message is larger than its `maxPayloadLength`. */
const TOO_BIG = "Received too big message";
/** How what Bun says of a peer that breaks the protocol begins. */
const BREACH = "Received ";

/** What a Close frame says. */
interface HeldClose {
  readonly code: number | undefined;
  readonly reason: string;
}

/** One WebSocket of Bun's. The server's `websocket` object tells it of events. */
class BunHostSocket implements HostSocket {
  readonly #sink: HostSocketSink;
  #socket: BunWebSocket | undefined;
  /** A Close frame for which there is still something to leave before. */
  #held: HeldClose | undefined;
  #isClosing = false;

  constructor(sink: HostSocketSink) {
    this.#sink = sink;
  }

  get bufferedBytes(): number {
    return this.#socket!.getBufferedAmount();
  }

  send(data: string | Uint8Array): void {
    this.#socket!.send(data);
  }

  ping(payload: Uint8Array): void {
    this.#socket!.ping(payload);
  }

  // Bun tells by itself.
  watchDrain(): void {}

  // Bun drops a WebSocket that it has closed at the next tick of a clock that ticks
  // every 4 seconds, so perhaps at once, with all that has not left by then.
  close(code: number | undefined, reason: string): void {
    if (this.bufferedBytes > 0) this.#held = { code, reason };
    else this.#sendClose(code, reason);
  }

  drop(): void {
    this.#held = undefined;
    this.#isClosing = true;
    this.#socket!.terminate();
  }

  // What the server's `websocket` object says.

  opened(socket: BunWebSocket): void {
    this.#socket = socket;
    socket.binaryType = "uint8array";
    this.#sink.open(this);
  }

  received(data: string | Uint8Array): void {
    this.#sink.message(data);
  }

  pinged(payload: Uint8Array): void {
    this.#sink.ping(payload);
  }

  ponged(payload: Uint8Array): void {
    this.#sink.pong(payload);
  }

  drained(): void {
    this.#sink.drain();
    const held = this.#held;
    if (held === undefined || this.bufferedBytes > 0) return;
    this.#sendClose(held.code, held.reason);
  }

  closed(code: number, reason: string): void {
    this.#held = undefined;
    // After our own it is that one which is told of, not the peer's.
    if (this.#isClosing) return this.#sink.close({});
    if (code !== NO_CLOSE_FRAME) {
      return this.#sink.close({ received: { code, reason } });
    }
    if (reason === "") return this.#sink.close({});
    const error = new Error(reason);
    if (reason === TOO_BIG) {
      return this.#sink.close({ cause: "too-big", error });
    }
    const isBreach = reason.startsWith(BREACH);
    this.#sink.close(isBreach ? { cause: "protocol-error", error } : { error });
  }

  #sendClose(code: number | undefined, reason: string): void {
    this.#held = undefined;
    this.#isClosing = true;
    if (code === undefined) this.#socket!.close();
    else this.#socket!.close(code, reason);
  }
}

function addressOf(server: BunServer, request: Request): Address {
  const address = server.requestIP(request);
  // A Unix socket has none.
  return address === null
    ? { transport: "unix", path: "" }
    : { transport: "tcp", hostname: address.address, port: address.port };
}

function upgrade(
  server: BunServer,
  request: Request,
  { headers, sink }: HostUpgrade,
): Response | undefined {
  const fields = new Headers();
  for (const [name, value] of headers) fields.append(name, value);
  const data = new BunHostSocket(sink);
  if (!server.upgrade(request, { headers: fields, data })) return undefined;
  // Bun has answered, and ignores what its fetch handler returns; frameworks do not.
  return new Response(null);
}

/** The server may be passed as it is, or, as frameworks do, as a property. */
function serverOf(info: unknown): BunServer | undefined {
  const { server = info } = Object(info) as { readonly server?: unknown };
  const { upgrade, requestIP } = Object(server) as Partial<BunServer>;
  const isServer = typeof upgrade === "function" &&
    typeof requestIP === "function";
  return isServer ? server as BunServer : undefined;
}

/** `Bun.serve`, which passes the server beside the request. */
export const bunHost: Host = {
  name: "bun",
  take(request: Request, info: unknown): HostRequest | undefined {
    const server = serverOf(info);
    return server && {
      remoteAddress: addressOf(server, request),
      upgrade: (options) => upgrade(server, request, options),
    };
  },
};
