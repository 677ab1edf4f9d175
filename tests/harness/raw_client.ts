/**
 * A bare socket for tests that send what no WebSocket library would. It is made
 * of `node:net` and `node:tls`, which all three runtimes have, and knows
 * nothing of the library under test.
 */
import { Buffer } from "node:buffer";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { concat } from "./bytes.ts";
import { within } from "./deadline.ts";
import {
  frame,
  type FrameOptions,
  type ParsedFrame,
  parseFrame,
} from "./frame.ts";

/** Where to connect to, and how. */
export interface RawConnectOptions {
  /** Port on 127.0.0.1. */
  readonly port?: number;
  /** Path of a Unix socket, instead of a port. */
  readonly path?: string;
  /** Speaks TLS, trusting this certificate (PEM) for `localhost`. */
  readonly ca?: string;
  /** Protocols to offer by ALPN. */
  readonly alpnProtocols?: string[];
}

/** The key of the example in RFC 6455, section 1.3. */
export const HANDSHAKE_KEY = "dGhlIHNhbXBsZSBub25jZQ==";

/** A request head that opens a WebSocket; `lines` are added, or replace by name. */
export function upgradeRequest(
  path = "/echo",
  headers: Readonly<Record<string, string | undefined>> = {},
): string {
  const all = {
    Host: "127.0.0.1",
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": HANDSHAKE_KEY,
    "Sec-WebSocket-Version": "13",
    ...headers,
  };
  const lines = Object.entries(all)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/** How a connection ended. */
export interface RawEnd {
  /** Whether the peer sent FIN before the end. */
  readonly sawEnd: boolean;
  /** What broke it, such as `ECONNRESET`. */
  readonly error?: Error;
}

/** A connected bare socket. Dispose of it, or wait for {@linkcode RawClient.closed}. */
export class RawClient implements AsyncDisposable {
  /** Settles, never rejects, when the socket is gone. */
  readonly closed: Promise<RawEnd>;
  readonly #socket: Socket;
  #chunks: Uint8Array[] = [];
  #sawEnd = false;
  #gone = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  /** Takes over a connected socket. */
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Uint8Array) => {
      this.#chunks.push(chunk);
      this.#wake?.();
    });
    socket.on("end", () => {
      this.#sawEnd = true;
      this.#wake?.();
    });
    socket.on("error", (error: Error) => {
      this.#error ??= error;
    });
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#gone = true;
        this.#wake?.();
        const end = { sawEnd: this.#sawEnd };
        resolve(this.#error ? { ...end, error: this.#error } : end);
      });
    });
  }

  /** All that has arrived and was not taken yet. */
  get received(): Uint8Array<ArrayBuffer> {
    const all = concat(...this.#chunks);
    this.#chunks = [all];
    return all;
  }

  /** Whether the peer's FIN, or the end of everything, has been seen. */
  get ended(): boolean {
    return this.#sawEnd || this.#gone;
  }

  /** Local port, by which the server sees this client. */
  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  /** Sends bytes as they are; strings as UTF-8. */
  write(...parts: readonly (Uint8Array | string)[]): void {
    this.#socket.write(concat(...parts));
  }

  /** Sends bytes, and waits until the kernel has taken them. */
  async writeAll(bytes: Uint8Array): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#socket.write(bytes, () => resolve());
      void this.closed.then(() => resolve());
    });
  }

  /** Sends one frame, masked unless `mask` says otherwise. */
  sendFrame(options: FrameOptions): void {
    this.write(frame({ mask: true, ...options }));
  }

  /**
   * Waits until `take` finds what it wants in the bytes that have arrived.
   *
   * @param take Returns what it made of the first `size` bytes, which are then
   * taken away; or `undefined` to wait for more.
   */
  async read<T>(
    take: (bytes: Uint8Array) => { value: T; size: number } | undefined,
    what: string,
    timeoutMs = 10_000,
  ): Promise<T> {
    const deadline = Date.now() + timeoutMs;
    while (true) {
      const bytes = this.received;
      const taken = take(bytes);
      if (taken !== undefined) {
        this.#chunks = [bytes.subarray(taken.size)];
        return taken.value;
      }
      if (this.ended) {
        throw new Error(
          `Connection ended before ${what}: ${this.#error ?? "FIN"}, had "${
            Buffer.from(bytes.subarray(0, 200)).toString("latin1")
          }"`,
        );
      }
      await within(this.#arrival(), what, deadline - Date.now());
    }
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Reads exactly `length` bytes. */
  readBytes(length: number, timeoutMs?: number): Promise<Uint8Array> {
    return this.read(
      (bytes) =>
        bytes.length < length
          ? undefined
          : { value: bytes.slice(0, length), size: length },
      `${length} bytes`,
      timeoutMs,
    );
  }

  /** Reads a response head, the blank line included, as Latin-1 text. */
  readHead(timeoutMs?: number): Promise<string> {
    return this.read(
      (bytes) => {
        const text = Buffer.from(bytes).toString("latin1");
        const size = text.indexOf("\r\n\r\n") + 4;
        return size < 4 ? undefined : { value: text.slice(0, size), size };
      },
      "a response head",
      timeoutMs,
    );
  }

  /** Reads the next frame. */
  readFrame(timeoutMs?: number): Promise<ParsedFrame> {
    return this.read(
      (bytes) => {
        const value = parseFrame(bytes);
        return value && { value, size: value.size };
      },
      "a frame",
      timeoutMs,
    );
  }

  /** Reads until FIN or a reset; returns all bytes that were not taken yet. */
  async readToEnd(timeoutMs = 10_000): Promise<Uint8Array<ArrayBuffer>> {
    const deadline = Date.now() + timeoutMs;
    while (!this.ended) {
      await within(this.#arrival(), "the end", deadline - Date.now());
    }
    const all = this.received;
    this.#chunks = [];
    return all;
  }

  /** Opens a WebSocket; returns the head of the 101, or fails with what came. */
  async upgrade(
    path?: string,
    headers?: Readonly<Record<string, string | undefined>>,
  ): Promise<string> {
    this.write(upgradeRequest(path, headers));
    const head = await this.readHead();
    if (head.startsWith("HTTP/1.1 101 ")) return head;
    throw new Error(`Refused: ${head}`);
  }

  /** Stops taking bytes: a peer that does not read. */
  pause(): void {
    this.#socket.pause();
  }

  /** Takes bytes again. */
  resume(): void {
    this.#socket.resume();
  }

  /** Ends this side (FIN) and goes on reading. */
  end(): void {
    this.#socket.end();
  }

  /** Drops the connection with a reset (RST). */
  reset(): void {
    // Not every runtime has it for TLS.
    if (typeof this.#socket.resetAndDestroy === "function") {
      this.#socket.resetAndDestroy();
    } else {
      this.#socket.destroy();
    }
  }

  /** Drops the connection and waits until it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.closed;
  }
}

/** Connects a bare socket to a port on 127.0.0.1, a Unix socket, or TLS. */
export async function rawConnect(
  target: number | RawConnectOptions,
): Promise<RawClient> {
  const { port, path, ca, alpnProtocols } = typeof target === "number"
    ? { port: target }
    : target;
  const where = path === undefined
    ? { host: "127.0.0.1", port: port ?? 0 }
    : { path };
  // Half-open on purpose: the test decides when this side ends.
  const socket = ca === undefined
    ? connectTcp({ ...where, allowHalfOpen: true })
    : connectTls({
      ...where,
      ca,
      servername: "localhost",
      ...(alpnProtocols && { ALPNProtocols: alpnProtocols }),
    });
  const client = new RawClient(socket);
  const opened = new Promise<boolean>((resolve) => {
    socket.once(ca === undefined ? "connect" : "secureConnect", () => {
      resolve(true);
    });
    void client.closed.then(() => resolve(false));
  });
  if (await within(opened, "a raw connection")) return client;
  throw (await client.closed).error ?? new Error("Cannot connect");
}

/** Connects and opens a WebSocket at `path`. */
export async function rawUpgrade(
  target: number | RawConnectOptions,
  path?: string,
  headers?: Readonly<Record<string, string | undefined>>,
): Promise<RawClient> {
  const client = await rawConnect(target);
  try {
    await client.upgrade(path, headers);
    return client;
  } catch (error) {
    await client[Symbol.asyncDispose]();
    throw error;
  }
}
