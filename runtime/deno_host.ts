/**
 * WebSockets of `Deno.serve`.
 *
 * What they lack (2.9.6): Ping and Pong, dropping a connection, reading less, and
 * word of what has left. What was sent is asked for by a timer.
 *
 * @module
 */

import type {
  Host,
  HostEnd,
  HostEndCause,
  HostRequest,
  HostSocket,
  HostSocketSink,
  HostUpgrade,
} from "./host.ts";
import type { Address } from "./transport.ts";

/** How often a socket is asked whether it has sent all, in milliseconds. */
const POLL_MS = 4;
/** Longest time that a timer takes, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** What Deno says when a peer has not answered its Ping. */
const NO_PONG = "No response from ping frame.";
const TOO_BIG = /^Frame too large/;
/** What Deno says of a peer that breaks the protocol, and not of the network. */
const BREACH = /^(Invalid|Reserved bits|Control frame|Ping frame|Expected)/;
/** What it says where there was no code, or where the stream ended after ours. */
const NO_STATUS = 1005;

/** One WebSocket of Deno's. */
class DenoHostSocket implements HostSocket {
  readonly #socket: WebSocket;
  readonly #sink: HostSocketSink;
  readonly #openTimer: ReturnType<typeof setTimeout>;
  #pollTimer: ReturnType<typeof setTimeout> | undefined;
  #isClosing = false;
  #isClosed = false;
  #error: Error | undefined;

  constructor(socket: WebSocket, sink: HostSocketSink, openTimeoutMs: number) {
    this.#socket = socket;
    this.#sink = sink;
    // Where the client has gone Deno says nothing at all.
    const late = (): void => this.#end({ error: new Error("It never opened") });
    this.#openTimer = setTimeout(late, Math.min(openTimeoutMs, MAX_TIMER_MS));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      clearTimeout(this.#openTimer);
      // It may come too late.
      if (this.#isClosed) this.drop();
      else sink.open(this);
    };
    socket.onmessage = ({ data }) =>
      sink.message(typeof data === "string" ? data : new Uint8Array(data));
    socket.onerror = (event) => this.#fail(event as ErrorEvent);
    socket.onclose = (event) => this.#close(event);
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    this.#socket.send(data);
  }

  watchDrain(): void {
    if (this.#isClosed) return;
    this.#pollTimer ??= setTimeout(() => {
      this.#pollTimer = undefined;
      this.#sink.drain();
    }, POLL_MS);
  }

  close(code: number | undefined, reason: string): void {
    this.#isClosing = true;
    if (code === undefined) this.#socket.close();
    else this.#socket.close(code, reason);
  }

  drop(): void {
    // A peer that does not answer this stays until the network gives it up.
    this.#isClosing = true;
    this.#socket.close();
  }

  #fail({ error, message }: ErrorEvent): void {
    this.#error = error instanceof Error ? error : new Error(message);
    // One that fails before it is open is not told to be closed.
    if (this.#socket.readyState === WebSocket.CONNECTING) {
      this.#end({ error: this.#error });
    }
  }

  #close({ code, reason, wasClean }: CloseEvent): void {
    // After a Close frame of ours it also says 1005 where the stream just ended.
    if (wasClean && !(this.#isClosing && code === NO_STATUS)) {
      return this.#end({ received: { code, reason } });
    }
    const error = this.#error;
    if (error === undefined) return this.#end({});
    const cause = causeOf(error.message);
    this.#end(cause === undefined ? { error } : { cause, error });
  }

  #end(end: HostEnd): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#openTimer);
    clearTimeout(this.#pollTimer);
    this.#sink.close(end);
  }
}

function causeOf(message: string): HostEndCause | undefined {
  if (message === NO_PONG) return "ping-timeout";
  if (TOO_BIG.test(message)) return "too-big";
  return BREACH.test(message) ? "protocol-error" : undefined;
}

function upgrade(request: Request, options: HostUpgrade): Response {
  const { headers, idleTimeoutMs, openTimeoutMs, sink } = options;
  const { socket, response } = Deno.upgradeWebSocket(request, {
    // Half of it until a Ping, half until it gives up.
    idleTimeout: idleTimeoutMs > MAX_TIMER_MS ? 0 : idleTimeoutMs / 1_000,
  });
  // Not by its `protocol` option, which finds nothing in a list without blanks.
  for (const [name, value] of headers) response.headers.append(name, value);
  new DenoHostSocket(socket, sink, openTimeoutMs);
  return response;
}

function addressOf(info: unknown): Address | undefined {
  const { remoteAddr } = Object(info) as { readonly remoteAddr?: Deno.Addr };
  switch (remoteAddr?.transport) {
    case "tcp": {
      const { hostname, port } = remoteAddr;
      return { transport: "tcp", hostname, port };
    }
    case "unix":
      return { transport: "unix", path: remoteAddr.path };
    default:
      return undefined;
  }
}

/** `Deno.serve`, which passes `{ remoteAddr }` beside the request. */
export const denoHost: Host = {
  name: "deno",
  take(request: Request, info: unknown): HostRequest | undefined {
    const remoteAddress = addressOf(info);
    return remoteAddress && {
      remoteAddress,
      upgrade: (options) => upgrade(request, options),
    };
  },
};
