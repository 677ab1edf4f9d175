/**
 * A stream of bytes over the messages of a connection, as TCP has it.
 *
 * Messages are only how the bytes travel: where one ends means nothing. What a
 * byte stream needs and a WebSocket lacks is an end of one direction alone;
 * `halfClose` has one, for two sides that agree on it.
 *
 * @module
 */

import type { Message } from "../codec.ts";
import type { Connection } from "../connection.ts";
import { checkKeys, checkType } from "./check.ts";
import { ClosedError, type CloseInfo, isOrdinary } from "./close_info.ts";
import { mayCompress, type SendOptions, toBytes } from "./sendable.ts";

/** How bytes travel, for {@linkcode byteStream}. */
export interface ByteStreamOptions extends SendOptions {
  /**
   * `"binary"`: in binary messages. `"base64"`: as base64 in text messages, as the
   * subprotocol `base64` of websockify has it. A message of the other type closes
   * the connection with 1003, what is no base64 with 1007.
   *
   * @default {"binary"}
   */
  readonly encoding?: "binary" | "base64";
  /**
   * Whether each direction ends by itself, as in TCP: closing `writable` sends an
   * empty message, and the connection is closed when both sides have sent theirs.
   * Both sides must do so; agree on it, by a subprotocol for example. It also tells
   * an end from a connection that was cut off.
   *
   * @default {false}
   */
  readonly halfClose?: boolean;
  /**
   * Size of a message, in bytes before encoding: longer chunks are cut into
   * messages of this size, so that no peer takes them for too big.
   *
   * @default {65_536}
   */
  readonly messageBytes?: number;
}

/** Bytes in and out, each way with backpressure. */
export interface ByteStream {
  /**
   * Bytes that arrive, in chunks of any size but none. Cancelling it closes the
   * connection: with 1000, or with 1011 where a reason is given.
   */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  /**
   * Takes bytes, which are not copied: leave a chunk unchanged until
   * `connection.drained` settles. Closing it closes the connection with 1000, unless
   * `halfClose` is set; aborting it with 1011.
   */
  readonly writable: WritableStream<ArrayBuffer | ArrayBufferView>;
}

const OPTION_NAMES = new Set([
  "compress",
  "encoding",
  "halfClose",
  "messageBytes",
]);
const WHAT = "make a byte stream";

/**
 * Uses a connection for a stream of bytes: to tunnel TCP, or for whatever knows
 * web streams. Use it instead of `receive()`, `readable` and `writable`, and once
 * for each connection.
 *
 * `readable` ends when the peer has closed with 1000 or without a code, or by its
 * own mark with `halfClose`. Any other end may have cut bytes off: it fails with a
 * {@linkcode ClosedError}. So does `writable` once the connection is closed, and
 * its `close()` where the peer does not confirm it.
 *
 * Without `halfClose` closing `writable` ends `readable`, too, as soon as the peer
 * has answered; what it had not sent by then is lost.
 *
 * @param connection A connection whose handler has no `message` hook.
 * @param options How bytes travel.
 * @throws {TypeError} If an option is unknown or of the wrong kind.
 * @throws {RangeError} If `messageBytes` is no positive integer.
 *
 * @example Gzip over a WebSocket
 * ```ts
 * import { byteStream, dial, Site } from "@sockeye/sockeye";
 * import { strictEqual } from "node:assert";
 *
 * const halfClose = true;
 * const site = new Site();
 * site.addHandler("/gzip", (connection) => {
 *   const { readable, writable } = byteStream(connection, { halfClose });
 *   const gzip = new CompressionStream("gzip");
 *   return readable.pipeThrough(gzip).pipeTo(writable);
 * });
 * await using server = await site.listen({ port: 0, hostname: "127.0.0.1" });
 * if (server.addr.transport !== "tcp") throw new Error("not reached");
 *
 * const connection = await dial(`ws://127.0.0.1:${server.addr.port}/gzip`);
 * const bytes = new Blob(["hello"]).stream()
 *   .pipeThrough(byteStream(connection, { halfClose }))
 *   .pipeThrough(new DecompressionStream("gzip"));
 * strictEqual(await new Response(bytes).text(), "hello");
 * ```
 */
export function byteStream(
  connection: Connection,
  options: ByteStreamOptions = {},
): ByteStream {
  const ends = new ByteEnds(connection, checked(options));
  return {
    // It takes a message only when it is read, so that reading from the peer pauses
    // by itself.
    readable: new ReadableStream<Bytes>({
      pull: (controller) => ends.pull(controller),
      cancel: (reason) => ends.cancel(reason),
    }, { highWaterMark: 0 }),
    writable: new WritableStream<ArrayBuffer | ArrayBufferView>({
      start: (controller) => ends.watch(controller),
      write: (chunk) => ends.write(chunk),
      close: () => ends.close(),
      abort: () => ends.abort(),
    }),
  };
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Options that have all been decided. */
type Settings = Required<ByteStreamOptions>;

/** Both directions of one connection. */
class ByteEnds {
  readonly #connection: Connection;
  readonly #settings: Settings;
  readonly #sendOptions: SendOptions;
  /** Whether `writable` has been closed. */
  #hasEnded = false;
  /** Whether the peer has ended its direction by an empty message. */
  #hasPeerEnded = false;

  constructor(connection: Connection, settings: Settings) {
    this.#connection = connection;
    this.#settings = settings;
    this.#sendOptions = { compress: settings.compress };
  }

  /** Gives the next bytes. */
  async pull(
    controller: ReadableStreamDefaultController<Bytes>,
  ): Promise<void> {
    while (true) {
      const message = await this.#receive();
      if (message === undefined) return controller.close();
      const bytes = await this.#decode(message);
      if (bytes.length > 0) return controller.enqueue(bytes);
      // An empty message carries no bytes.
      if (!this.#settings.halfClose) continue;
      controller.close();
      return this.#endByPeer();
    }
  }

  cancel(reason: unknown): void {
    this.#connection.close(reason === undefined ? 1000 : 1011);
  }

  /** Makes the stream fail when the connection is gone. */
  watch(controller: WritableStreamDefaultController): void {
    this.#connection.closed.then((info) =>
      controller.error(new ClosedError(info))
    );
  }

  async write(chunk: ArrayBuffer | ArrayBufferView): Promise<void> {
    const { messageBytes } = this.#settings;
    const bytes = this.#toBytes(chunk);
    for (let at = 0; at < bytes.length; at += messageBytes) {
      await this.#send(bytes.subarray(at, at + messageBytes));
    }
  }

  async close(): Promise<void> {
    this.#hasEnded = true;
    if (this.#settings.halfClose) {
      await this.#send(new Uint8Array());
      if (this.#hasPeerEnded) this.#connection.close();
      return;
    }
    const info = await this.#connection.close();
    if (!isOrdinary(info)) throw new ClosedError(info);
  }

  abort(): void {
    this.#connection.close(1011);
  }

  /** Takes the next message; `undefined` after an end that lost nothing. */
  async #receive(): Promise<Message | undefined> {
    try {
      return await this.#connection.receive();
    } catch (error) {
      if (error instanceof ClosedError && this.#isWhole(error.info)) return;
      throw error;
    }
  }

  /** Whether all that the peer wanted to say has arrived, or is not wanted. */
  #isWhole(info: CloseInfo): boolean {
    // Who is "going away", 1001, may well have been in the middle of it.
    if (this.#settings.halfClose || info.code === 1001) return false;
    // After a Close frame of our own, what the peer still says may be dropped. Only
    // who has closed `writable` asked for that.
    return isOrdinary(info) && (info.cause === "peer" || this.#hasEnded);
  }

  #endByPeer(): void {
    this.#hasPeerEnded = true;
    if (this.#hasEnded) return void this.#connection.close();
    // Someone has to ask, so that a Close frame is found while we still send.
    this.#connection.receive().then(
      () => this.#connection.close(1002, "bytes after their end"),
      () => {},
    );
  }

  async #send(bytes: Uint8Array): Promise<void> {
    const isBinary = this.#settings.encoding === "binary";
    const message = isBinary ? bytes : toBase64(bytes);
    if (this.#connection.send(message, this.#sendOptions)) return;
    await this.#connection.drained;
  }

  #toBytes(chunk: unknown): Uint8Array {
    try {
      return toBytes("write", chunk);
    } catch (error) {
      this.#connection.close(1011);
      throw error;
    }
  }

  #decode(message: Message): Bytes | Promise<never> {
    const isBinary = this.#settings.encoding === "binary";
    if (isBinary !== (typeof message !== "string")) {
      return this.#fail(1003, isBinary ? "bytes only" : "text only");
    }
    // Not shared with other threads: it comes from a socket.
    if (typeof message !== "string") return message as Bytes;
    return fromBase64(message) ?? this.#fail(1007, "no base64");
  }

  async #fail(code: number, reason: string): Promise<never> {
    throw new ClosedError(await this.#connection.close(code, reason));
  }
}

/** Decides what was left open, and refuses what cannot have been meant. */
function checked(options: ByteStreamOptions): Settings {
  checkKeys(WHAT, options, OPTION_NAMES);
  const { compress, encoding = "binary" } = options;
  const { halfClose = false, messageBytes = 65_536 } = options;
  if (encoding !== "binary" && encoding !== "base64") {
    throw new TypeError(`Cannot ${WHAT}: unknown encoding: ${encoding}`);
  }
  checkType(WHAT, "halfClose", halfClose, "boolean");
  if (typeof messageBytes !== "number") {
    throw new TypeError(`Cannot ${WHAT}: messageBytes is not a number`);
  }
  if (!Number.isSafeInteger(messageBytes) || messageBytes < 1) {
    throw new RangeError(
      `Cannot ${WHAT}: messageBytes is out of range: ${messageBytes}`,
    );
  }
  return {
    compress: compress === undefined ? true : mayCompress({ compress }),
    encoding,
    halfClose,
    messageBytes,
  };
}

/** Bytes that a call may take as arguments without a risk for the stack. */
const SPREAD_BYTES = 8192;

function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += SPREAD_BYTES) {
    binary += String.fromCharCode(...bytes.subarray(at, at + SPREAD_BYTES));
  }
  return btoa(binary);
}

/** Decodes base64; `undefined` where it is none. */
function fromBase64(text: string): Bytes | undefined {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return undefined;
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
