/**
 * A peer that says whatever a test wants.
 *
 * @module
 */

import { dial } from "../client.ts";
import { checkKeys, type Connection, type Handler } from "../connection.ts";
import { loadRuntime } from "../runtime/transport.ts";
import { type Caller, Network } from "./network.ts";
import {
  decodeRawFrame,
  encodeRawFrame,
  joinBytes,
  type RawFrame,
  type RawFrameInit,
} from "./raw_frame.ts";
import {
  acceptUpgrade,
  type RawAcceptOptions,
  type RawConnectOptions,
  requestUpgrade,
} from "./raw_handshake.ts";
import { RawInbox } from "./raw_inbox.ts";
import { settle } from "./settle.ts";
import { checkPath, inMemory, Subject, type Target } from "./subject.ts";
import {
  checkWire,
  type MemoryWire,
  type Wire,
  WIRE_OPTION_NAMES,
} from "./wire.ts";

const CONNECT_NAMES = new Set([
  "path",
  "secure",
  "remoteAddress",
  "handlerOptions",
  "upgrade",
  "headers",
  "subprotocols",
  "early",
  ...WIRE_OPTION_NAMES,
]);

/**
 * One end of a connection that is made of bytes: it sends what it is told to, right
 * or wrong, and does nothing by itself; not even a Ping or a Close is answered.
 *
 * @example A broken frame
 * ```ts
 * import { Handler } from "@sockeye/sockeye";
 * import { RawPeer } from "@sockeye/sockeye/testing";
 * import { strictEqual } from "node:assert";
 *
 * await using peer = await RawPeer.connect(Handler);
 * peer.sendFrame({ opcode: "ping", fin: false }); // RFC 6455, section 5.5
 * strictEqual((await peer.readFrame()).code, 1002);
 * peer.end(); // the other side waits for it
 * strictEqual((await peer.connection.closed).cause, "protocol-error");
 * ```
 */
export class RawPeer implements AsyncDisposable {
  /** What is between both ends. */
  readonly wire: Wire;
  /** What `dial` gives, or rejects with; `undefined` where the peer is the client. */
  readonly dialled: Promise<Connection> | undefined;
  readonly #memory: MemoryWire;
  readonly #inbox: RawInbox;
  readonly #subject: Subject | undefined;
  #connection: Connection | undefined;

  private constructor(
    memory: MemoryWire,
    subject: Subject | undefined,
    dialled: Promise<Connection> | undefined,
  ) {
    this.wire = this.#memory = memory;
    this.#subject = subject;
    this.#inbox = new RawInbox(
      dialled === undefined ? memory.client : memory.server,
    );
    this.dialled = dialled;
    // It may be that nobody asks what became of it.
    dialled?.then((opened) => this.#connection = opened, () => {});
  }

  /**
   * Connects to a handler or a site as a raw client.
   *
   * @param target What to connect to; see {@linkcode connect}.
   * @param options How.
   * @throws {TypeError | RangeError} If an argument is of the wrong kind.
   * @throws {HandshakeError} If the site refuses.
   */
  static async connect<Data>(
    target: Target<Data>,
    options: RawConnectOptions = {},
  ): Promise<RawPeer> {
    checkKeys("connect", options, CONNECT_NAMES);
    const subject = new Subject("connect", target as Target, options);
    const { remoteAddress: hostname = "127.0.0.1", upgrade = true } = options;
    let wire: MemoryWire | undefined;
    const connected = (made: MemoryWire) => void (wire = made);
    await subject.connect({ hostname, wire: options, connected });
    const peer = new RawPeer(wire!, subject, undefined);
    if (upgrade) {
      await peer.#orReset(requestUpgrade(peer.#inbox, subject.url, options));
    }
    return peer;
  }

  /**
   * Is dialled as a raw server.
   *
   * @param options How to dial, and how to accept. The URL is `ws://localhost` with
   * the path.
   * @throws {TypeError | RangeError} If an argument is of the wrong kind.
   * @throws {HandshakeError} If the client refuses what is agreed on.
   */
  static async accept(options: RawAcceptOptions = {}): Promise<RawPeer> {
    const {
      path = "/",
      upgrade = true,
      subprotocol: _subprotocol,
      responseHeaders: _responseHeaders,
      early: _early,
      chunkBytes: _chunkBytes,
      capacityBytes: _capacityBytes,
      ...dialOptions
    } = options;
    checkPath("accept", path);
    checkWire("accept", options);
    const network = new Network();
    const met = Promise.withResolvers<MemoryWire>();
    const caller: Caller = {
      hostname: "127.0.0.1",
      wire: options,
      connected: met.resolve,
    };
    const runtime = await network.runtime(loadRuntime(), caller);
    // The raw peer starts its transport itself, a few microtasks later.
    const accept = () => {};
    await runtime.listen({ port: 80, handshakeTimeoutMs: 0, accept });
    const dialled = inMemory(
      network,
      caller,
      () => dial(`ws://localhost${path}`, dialOptions),
    );
    dialled.catch(met.reject);
    const peer = new RawPeer(await met.promise, undefined, dialled);
    if (upgrade) await peer.#orReset(peer.#answer(options));
    return peer;
  }

  /**
   * The connection at the other end.
   *
   * @throws {Error} If there is none, or not yet.
   */
  get connection(): Connection {
    this.#connection ??= this.#memory.serverConnection;
    if (this.#connection !== undefined) return this.#connection;
    throw new Error("There is no connection at the other end");
  }

  /** The instance that was made, where a handler class was connected to. */
  get handler(): Handler | undefined {
    return this.#subject?.handler;
  }

  /** Bytes that have arrived and were not read yet. */
  get received(): Uint8Array {
    return this.#inbox.bytes;
  }

  /** Whether the other end has ended its side, or everything is over. */
  get isEnded(): boolean {
    return this.#inbox.isEnded;
  }

  /** Takes the errors that the handler has thrown; as of a pair's. */
  takeErrors(): Error[] {
    return this.#subject?.takeErrors() ?? [];
  }

  /** Sends bytes as they are; text goes as UTF-8. */
  write(...parts: readonly (string | Uint8Array)[]): void {
    this.#inbox.write(joinBytes(...parts));
  }

  /**
   * Sends frames, together. Those of a client are masked, those of a server not,
   * unless they say otherwise.
   */
  sendFrame(...frames: readonly RawFrameInit[]): void {
    this.write(...frames.map((frame) => this.#encode(frame)));
  }

  /**
   * Reads a frame, as soon as one is there.
   *
   * @throws {Error} If the stream ends before.
   */
  readFrame(): Promise<RawFrame> {
    return this.#inbox.read("a frame", (bytes) => {
      const decoded = decodeRawFrame(bytes);
      return decoded && { value: decoded.frame, size: decoded.size };
    });
  }

  /** Takes the frames that have arrived whole. */
  takeFrames(): RawFrame[] {
    const frames = [];
    for (;;) {
      const decoded = decodeRawFrame(this.#inbox.bytes);
      if (decoded === undefined) return frames;
      frames.push(decoded.frame);
      this.#inbox.bytes = this.#inbox.bytes.subarray(decoded.size);
    }
  }

  /**
   * Reads so many bytes, as soon as they are there.
   *
   * @throws {Error} If the stream ends before.
   */
  readBytes(count: number): Promise<Uint8Array> {
    return this.#inbox.read(`${count} bytes`, (bytes) => {
      if (bytes.length < count) return undefined;
      return { value: bytes.slice(0, count), size: count };
    });
  }

  /**
   * Reads the head of a request or a response, with the blank line, one character
   * for each byte.
   *
   * @throws {Error} If the stream ends before.
   */
  readHead(): Promise<string> {
    return this.#inbox.read("a head", (bytes) => {
      const text = Array.from(bytes, (byte) => String.fromCharCode(byte));
      const end = text.join("").indexOf("\r\n\r\n");
      if (end < 0) return undefined;
      return { value: text.slice(0, end + 4).join(""), size: end + 4 };
    });
  }

  /** Reads all bytes up to the end of the stream. */
  readToEnd(): Promise<Uint8Array> {
    return this.#inbox.readToEnd();
  }

  /** Ends this side (FIN), and goes on reading. */
  end(): void {
    this.#inbox.finish();
  }

  /** Breaks the connection (RST). */
  reset(): void {
    this.wire.reset();
  }

  /** Stops reading: what it is sent piles up on its way. */
  pause(): void {
    this.#transport.pause();
  }

  /** Reads again. */
  resume(): void {
    this.#transport.resume();
  }

  /** Breaks the connection, and complains of errors that nobody has taken. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.wire.reset();
    await settle();
    const connection = this.#connection ?? this.#memory.serverConnection;
    await connection?.closed;
    await settle();
    this.#subject?.complain();
  }

  get #transport(): MemoryWire["client"] {
    const { client, server } = this.#memory;
    return this.#subject === undefined ? server : client;
  }

  #encode(frame: RawFrameInit): Uint8Array {
    return encodeRawFrame(frame, this.#subject !== undefined);
  }

  async #answer(options: RawAcceptOptions): Promise<void> {
    await acceptUpgrade(this.#inbox, options);
    await this.dialled;
  }

  /** Leaves nothing behind where a handshake fails. */
  async #orReset(handshake: Promise<void>): Promise<void> {
    try {
      await handshake;
    } catch (error) {
      this.wire.reset();
      await settle();
      throw error;
    }
  }
}
