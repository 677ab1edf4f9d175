/**
 * The root on Node: a `node:http` server that is given sockets, and never
 * listens itself.
 *
 * @module
 */

import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { sendResponse, toRequest, UnfitRequestError } from "./node_fetch.ts";
import { NodeTransport } from "./node_transport.ts";
import { NO_SINK } from "./sink.ts";
import { toError } from "./to_error.ts";
import type { Address, Root, RootOptions, Transport } from "./transport.ts";

/** Pipelined requests that may wait before reading pauses. */
const MAX_WAITING = 16;

/** One connection of the root's. */
interface Entry {
  readonly socket: Socket;
  readonly remoteAddress: Address;
  readonly secure: boolean;
  /** Settles when the latest request has been answered. */
  last: Promise<void>;
  /** The response in progress. */
  response: ServerResponse | undefined;
  /** Requests not yet answered, the one in progress included. */
  waitingCount: number;
}

class NodeRoot implements Root {
  readonly #options: RootOptions;
  readonly #entries: Map<Duplex, Entry> = new Map();
  #server: Server | undefined;
  #isClosed = false;
  #closing: Promise<void> | undefined;
  #tellEmpty: (() => void) | undefined;

  constructor(options: RootOptions) {
    this.#options = options;
  }

  take(transport: Transport, head: Uint8Array): void {
    if (this.#isClosed || !(transport instanceof NodeTransport)) {
      return transport.destroy();
    }
    const { remoteAddress, secure } = transport;
    const socket = transport.release();
    if (socket.destroyed) return;
    const entry: Entry = {
      socket,
      remoteAddress,
      secure,
      last: Promise.resolve(),
      response: undefined,
      waitingCount: 0,
    };
    this.#entries.set(socket, entry);
    socket.on("close", () => this.#forget(socket));
    if (head.length > 0) socket.unshift(head.slice());
    const server = this.#server ??= this.#open();
    server.emit("connection", socket);
    socket.resume();
  }

  close(timeoutMs: number): Promise<void> {
    this.#isClosed = true;
    return this.#closing ??= this.#close(timeoutMs);
  }

  async #close(timeoutMs: number): Promise<void> {
    const empty = new Promise<void>((resolve) => this.#tellEmpty = resolve);
    for (const { socket, waitingCount } of this.#entries.values()) {
      if (waitingCount === 0) socket.destroy();
    }
    if (this.#entries.size === 0) this.#tellEmpty?.();
    const timer = setTimeout(() => {
      for (const { socket } of this.#entries.values()) socket.destroy();
    }, timeoutMs);
    await empty;
    clearTimeout(timer);
    this.#server?.close();
  }

  #forget(socket: Duplex): void {
    this.#entries.delete(socket);
    if (this.#entries.size === 0) this.#tellEmpty?.();
  }

  #open(): Server {
    // Newer than the type package.
    const options: ServerOptions & {
      shouldUpgradeCallback?: (request: IncomingMessage) => boolean;
    } = { shouldUpgradeCallback: (request) => this.#claims(request) };
    const server = createServer(options, (request, response) => {
      const entry = this.#entries.get(request.socket);
      if (entry === undefined) request.destroy();
      else this.#enqueue(entry, () => this.#answer(entry, request, response));
    });
    server.on("upgrade", (request, socket, head) => {
      const entry = this.#entries.get(socket);
      if (entry === undefined) socket.destroy();
      else this.#enqueueUpgrade(entry, request, head);
    });
    // A server that does not listen would not watch over `headersTimeout` and
    // `requestTimeout`.
    server.emit("listening");
    return server;
  }

  /** Runs `work` after all that came before it on the connection. */
  #enqueue(entry: Entry, work: () => void | Promise<void>): void {
    // `node:http` starts every pipelined request at once.
    if (++entry.waitingCount > MAX_WAITING) entry.socket.pause();
    entry.last = entry.last.then(work).catch((error: unknown) => {
      this.#fail(error);
      entry.socket.destroy();
    }).then(() => {
      if (--entry.waitingCount > 0) return;
      // After an upgrade the socket is somebody else's.
      if (!this.#entries.has(entry.socket)) return;
      if (entry.socket.isPaused()) entry.socket.resume();
    });
  }

  #enqueueUpgrade(
    entry: Entry,
    request: IncomingMessage,
    head: Uint8Array,
  ): void {
    // From here on `node:http` does not pass the socket's "drain" on to the
    // response that may still be in progress.
    const drain = (): void => void entry.response?.emit("drain");
    entry.socket.on("drain", drain);
    this.#enqueue(entry, () => {
      entry.socket.off("drain", drain);
      this.#upgrade(entry, request, head);
    });
  }

  #fail(error: unknown): void {
    this.#options.failed?.(toError(error));
  }

  #claims(request: IncomingMessage): boolean {
    const entry = this.#entries.get(request.socket);
    if (entry === undefined || request.method !== "GET") return false;
    try {
      // A GET carries no body, so that this request is only looked at.
      return this.#options.claims(
        toRequest(request, entry.secure, new AbortController().signal),
      );
    } catch (error) {
      if (!(error instanceof UnfitRequestError)) this.#fail(error);
      return false;
    }
  }

  async #answer(
    entry: Entry,
    request: IncomingMessage,
    target: ServerResponse,
  ): Promise<void> {
    const controller = new AbortController();
    target.on("close", () => {
      if (!target.writableFinished) controller.abort();
    });
    const response = await this.#respond(entry, request, controller.signal);
    if (target.destroyed) return await response.body?.cancel();
    entry.response = target;
    await sendResponse(response, target, this.#isClosed);
    entry.response = undefined;
  }

  async #respond(
    entry: Entry,
    request: IncomingMessage,
    signal: AbortSignal,
  ): Promise<Response> {
    const { remoteAddress, secure } = entry;
    try {
      return await this.#options.fetch(
        toRequest(request, secure, signal),
        { remoteAddress, secure },
      );
    } catch (error) {
      if (error instanceof UnfitRequestError) {
        return new Response("Bad Request\n", { status: 400 });
      }
      this.#fail(error);
      return new Response("Internal Server Error\n", { status: 500 });
    }
  }

  #upgrade(entry: Entry, request: IncomingMessage, head: Uint8Array): void {
    const { socket, secure } = entry;
    this.#forget(socket);
    // It was released when it came; as a transport it starts anew.
    socket.removeAllListeners("timeout");
    socket.setTimeout(0);
    const { remoteAddress } = entry;
    const path = remoteAddress.transport === "unix"
      ? remoteAddress.path
      : undefined;
    const transport = new NodeTransport(socket, { secure, path });
    transport.start(NO_SINK);
    const { rawHeaders } = request;
    const headers: [name: string, value: string][] = [];
    for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
      headers.push([rawHeaders[index] ?? "", rawHeaders[index + 1] ?? ""]);
    }
    this.#options.upgrade(
      { method: request.method ?? "GET", target: request.url ?? "/", headers },
      transport,
      new Uint8Array(head),
    );
  }
}

/**
 * Prepares the root.
 *
 * @param options Who answers.
 * @returns The root.
 */
export function openNodeRoot(options: RootOptions): Root {
  return new NodeRoot(options);
}
