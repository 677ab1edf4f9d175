/**
 * A host's WebSocket as a transport: the connection on it frames and parses as on
 * a socket, so that hooks, order, limits and reports are the same.
 *
 * The host reads whether or not anybody wants it to, so what nobody has time for
 * waits here, up to a limit.
 *
 * @module
 */

import { OPCODES } from "../../codec.ts";
import type {
  HostEnd,
  HostEndCause,
  HostSocket,
  HostSocketSink,
} from "../../runtime/host.ts";
import type {
  Address,
  Transport,
  TransportSink,
} from "../../runtime/transport.ts";
import { encodeCloseFrame, encodeFrame, encodeMessage } from "./encoding.ts";
import { FrameReader, type FrameReceiver } from "./frame_reader.ts";

/** Bytes that the host may hold before no more are handed to it. */
const HOST_BUFFER_BYTES = 65_536;
/** Bytes that may wait because the host cannot be told to read less. */
const MAX_WAITING_BYTES = 16_777_216;
/** What a message that waits costs beside its bytes. */
const WAITING_OVERHEAD_BYTES = 64;

/** The connection on a bridge, as far as it differs from one on a socket. */
export interface BridgeOwner {
  /** What the peer has said must be taken now: the host has answered it. */
  onSettled(): void;
  /** The host has ended it, for a reason that the transport cannot tell. */
  onHostEnded(cause: HostEndCause, error: Error): void;
  /** The host cannot do what is needed: the connection is to be closed. */
  onUnable(code: number, error: Error): void;
}

/** Where a bridge ends, and how much may cross it. */
export interface BridgeOptions {
  /** Address of the client. */
  readonly remoteAddress: Address;
  /** Whether the client came through TLS. */
  readonly secure: boolean;
  /** Largest message, in bytes. */
  readonly maxMessageBytes: number;
  /** Most bytes of a message in fragments, which the host has to be given whole. */
  readonly maxUnfinishedBytes: number;
}

/** Frames passed on before the list of those that wait is made shorter. */
const COMPACTED_FRAMES = 256;

const NO_SINK: TransportSink = { data() {}, drain() {}, end() {}, close() {} };

/** Joins a connection to a WebSocket of the host's. */
export class Bridge implements Transport, HostSocketSink, FrameReceiver {
  readonly remoteAddress: Address;
  readonly secure: boolean;
  readonly givesChunks = true;
  sink: TransportSink = NO_SINK;
  /** The connection; set before anything happens. */
  owner: BridgeOwner | undefined;

  readonly #options: BridgeOptions;
  readonly #frames = new FrameReader(this);
  #socket: HostSocket | undefined;
  #handedBytes = 0;
  /** Whether the answer to the request, which comes first, has been written. */
  #isAnswered = false;
  /** What was written before the WebSocket is open. */
  #held: Uint8Array | undefined;
  #isBlocked = false;
  #isPaused = false;
  /** Frames that wait for reading to go on, from `#next`. */
  #waiting: Uint8Array[] = [];
  #next = 0;
  #waitingBytes = 0;
  /** Whether what still arrives is not looked at. */
  #isDeaf = false;
  /** Whether this side's Close frame has been written. */
  #hasClosed = false;
  #end: HostEnd | undefined;
  #isDropped = false;
  #isGone = false;

  /** @param options Where it ends. */
  constructor(options: BridgeOptions) {
    this.#options = options;
    this.remoteAddress = options.remoteAddress;
    this.secure = options.secure;
  }

  get localAddress(): Address {
    throw new Error("A host does not tell the address of its own end");
  }

  // What the connection asks of its transport.

  start(sink: TransportSink): void {
    this.sink = sink;
  }

  write(chunk: Uint8Array): boolean {
    this.#handedBytes += chunk.length;
    if (!this.#isAnswered) {
      // The host has written, or will write, the answer to the request itself.
      this.#isAnswered = true;
      return true;
    }
    if (this.#isOver) return true;
    if (this.#socket === undefined) {
      this.#held = chunk;
      return false;
    }
    return this.#hand(chunk, this.#socket);
  }

  get bufferedBytes(): number {
    if (this.#held !== undefined) return this.#held.length;
    if (!this.#isBlocked || this.#isOver) return 0;
    return Math.max(1, this.#socket!.bufferedBytes);
  }

  get writtenBytes(): number {
    return this.#handedBytes - this.bufferedBytes;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    // A sink is not called from inside its transport's methods.
    if (this.#next < this.#waiting.length) queueMicrotask(() => this.#pass());
  }

  end(): void {
    // After both Close frames the host ends the stream by itself.
  }

  destroy(): void {
    if (this.#isDropped || this.#isGone) return;
    this.#isDropped = true;
    this.#deafen();
    if (this.#end === undefined) this.#socket?.drop();
    queueMicrotask(() => this.#finish());
  }

  /** Ends a connection that the host has not taken on. */
  fail(error: Error): void {
    this.close({ error });
  }

  // What the host says.

  open(socket: HostSocket): void {
    this.#socket = socket;
    if (this.#isDropped) return socket.drop();
    const chunk = this.#held;
    this.#held = undefined;
    if (chunk !== undefined && this.#hand(chunk, socket)) this.sink.drain();
  }

  message(data: string | Uint8Array): void {
    this.#arrive(encodeMessage(data, this.#options.maxMessageBytes));
  }

  ping(payload: Uint8Array): void {
    this.#arrive(encodeFrame(OPCODES.ping, payload));
  }

  pong(payload: Uint8Array): void {
    this.#arrive(encodeFrame(OPCODES.pong, payload));
  }

  drain(): void {
    if (!this.#isBlocked || this.#isOver) return;
    if (this.#socket!.bufferedBytes > HOST_BUFFER_BYTES) {
      return this.#socket!.watchDrain();
    }
    this.#isBlocked = false;
    this.sink.drain();
  }

  close(end: HostEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    // Some hosts say so from inside a call that this side makes.
    queueMicrotask(() => this.#pass());
  }

  // What the connection's frames say.

  onMessage(data: string | Uint8Array): void {
    this.#socket!.send(data);
  }

  onPing(payload: Uint8Array): void {
    this.#socket!.ping?.(payload);
  }

  onClose(code: number | undefined, reason: string): void {
    this.#hasClosed = true;
    if (this.#end === undefined) this.#socket!.close(code, reason);
  }

  /** Whether nothing can be sent any more. */
  get #isOver(): boolean {
    return this.#isDropped || this.#isGone || this.#end !== undefined;
  }

  /** Gives the host what a chunk says; tells whether it takes more at once. */
  #hand(chunk: Uint8Array, socket: HostSocket): boolean {
    this.#frames.read(chunk);
    const { maxUnfinishedBytes } = this.#options;
    if (this.#frames.unfinishedBytes > maxUnfinishedBytes) {
      const error = new Error(
        `A message in fragments has over ${maxUnfinishedBytes} bytes, ` +
          "and the host can only send it whole",
      );
      queueMicrotask(() => this.owner?.onUnable(1011, error));
    }
    if (socket.bufferedBytes <= HOST_BUFFER_BYTES) return true;
    this.#isBlocked = true;
    socket.watchDrain();
    return false;
  }

  #arrive(frame: Uint8Array): void {
    if (this.#isDeaf) return;
    if (!this.#isPaused && this.#waiting.length === 0) {
      return this.sink.data(frame);
    }
    const isFirst = this.#waiting.push(frame) === 1;
    this.#waitingBytes += frame.length + WAITING_OVERHEAD_BYTES;
    if (isFirst || this.#waitingBytes <= MAX_WAITING_BYTES) return;
    this.#deafen();
    this.owner?.onUnable(
      1013,
      new Error(
        `Over ${MAX_WAITING_BYTES} bytes wait to be handled, ` +
          "and the host cannot be told to read less",
      ),
    );
  }

  #deafen(): void {
    this.#isDeaf = true;
    this.#waiting = [];
    this.#next = 0;
    this.#waitingBytes = 0;
  }

  /** Passes on what waits, and the end behind it. */
  #pass(): void {
    while (!this.#isPaused && this.#next < this.#waiting.length) {
      const frame = this.#waiting[this.#next++]!;
      this.#waitingBytes -= frame.length + WAITING_OVERHEAD_BYTES;
      if (this.#next === COMPACTED_FRAMES) {
        this.#waiting.splice(0, this.#next);
        this.#next = 0;
      }
      this.sink.data(frame);
    }
    if (this.#next < this.#waiting.length) return;
    this.#waiting = [];
    this.#next = 0;
    if (this.#end !== undefined) this.#finish();
  }

  #finish(): void {
    if (this.#isGone) return;
    const { received, cause, error } = this.#end ?? {};
    if (!this.#isDropped) {
      if (received !== undefined) {
        this.sink.data(encodeCloseFrame(received.code, received.reason));
        if (!this.#hasClosed) this.owner?.onSettled();
      } else if (cause !== undefined) {
        this.owner?.onHostEnded(cause, error!);
      }
    }
    this.#isGone = true;
    this.sink.close(this.#isDropped ? undefined : error);
  }
}
