/**
 * What `Bun.serve` is to be given as `websocket`.
 *
 * @module
 */

/** Who is told what happens on one of Bun's WebSockets. */
export interface HostedPeer {
  /** It is open. */
  opened(socket: unknown): void;
  /** A message arrived. */
  received(data: string | Uint8Array): void;
  /** A Ping arrived. */
  pinged(payload: Uint8Array): void;
  /** A Pong arrived. */
  ponged(payload: Uint8Array): void;
  /** Bytes have left. */
  drained(): void;
  /** It is gone. */
  closed(code: number, reason: string): void;
}

/** One of Bun's WebSockets, as far as this side looks at it. */
export interface HostedSocket {
  /** Who is told. */
  readonly data: HostedPeer;
}

/** What `Bun.serve` is to be given as `websocket`; made for nothing else. */
export interface HostedWebSocket {
  /** Largest message that Bun takes, in bytes. */
  readonly maxPayloadLength: number;
  /** 0: the site's own keepalive counts. */
  readonly idleTimeout: 0;
  /** `false`: the site's own keepalive counts. */
  readonly sendPings: false;
  /** 0: the site's own limit on what waits to be sent counts. */
  readonly backpressureLimit: 0;
  /** `false`: nothing is compressed. */
  readonly perMessageDeflate: false;
  /** Called by Bun. */
  open(socket: HostedSocket): void;
  /** Called by Bun. */
  message(socket: HostedSocket, data: string | Uint8Array): void;
  /** Called by Bun. */
  ping(socket: HostedSocket, payload: Uint8Array): void;
  /** Called by Bun. */
  pong(socket: HostedSocket, payload: Uint8Array): void;
  /** Called by Bun. */
  drain(socket: HostedSocket): void;
  /** Called by Bun. */
  close(socket: HostedSocket, code: number, reason: string): void;
}

/** What Bun would take by default: it costs nothing where messages are small. */
const LEAST_PAYLOAD_BYTES = 16_777_216;
/** What Bun takes at most. */
const MOST_PAYLOAD_BYTES = 2 ** 32 - 1;

/**
 * Makes what `Bun.serve` is to be given as `websocket`.
 *
 * @param maxMessageBytes Tells the largest limit on messages that a handler has.
 */
export function makeHostedWebSocket(
  maxMessageBytes: () => number,
): HostedWebSocket {
  return {
    get maxPayloadLength() {
      const least = Math.max(LEAST_PAYLOAD_BYTES, maxMessageBytes());
      return Math.min(least, MOST_PAYLOAD_BYTES);
    },
    idleTimeout: 0,
    sendPings: false,
    backpressureLimit: 0,
    perMessageDeflate: false,
    open: (socket) => socket.data.opened(socket),
    message: ({ data }, message) => data.received(message),
    ping: ({ data }, payload) => data.pinged(payload),
    pong: ({ data }, payload) => data.ponged(payload),
    drain: ({ data }) => data.drained(),
    close: ({ data }, code, reason) => data.closed(code, reason),
  };
}
