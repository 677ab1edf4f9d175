/**
 * Raw client sockets: Bun's own where the load runs on Bun, `node:net`
 * elsewhere.
 */
import { Buffer } from "node:buffer";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Network, RawSocket, SocketEvents, Target } from "./network.ts";

/** Bun's socket, as far as it is used here. */
interface BunSocket {
  write(bytes: Uint8Array, byteOffset: number, byteLength: number): number;
  end(): void;
  terminate(): void;
}

/** Bun's way to connect, as far as it is used here. */
interface BunRuntime {
  connect(options: {
    hostname: string;
    port: number;
    tls?: { rejectUnauthorized: boolean };
    socket: {
      data(socket: BunSocket, chunk: Uint8Array): void;
      drain(socket: BunSocket): void;
      close(socket: BunSocket, error?: Error): void;
      error(socket: BunSocket, error: Error): void;
      connectError(socket: BunSocket, error: Error): void;
      handshake?(socket: BunSocket): void;
    };
  }): Promise<BunSocket>;
}

/** The runtime's own sockets. */
export function openRuntimeNetwork(): Network {
  const bun = (globalThis as { Bun?: BunRuntime }).Bun;
  return {
    name: bun === undefined ? "node" : "bun",
    open: (target, events) =>
      bun === undefined
        ? openNodeSocket(target, events)
        : openBunSocket(bun, target, events),
    async run(done) {
      while (!done()) await new Promise((resolve) => setTimeout(resolve, 2));
    },
  };
}

async function openBunSocket(
  bun: BunRuntime,
  target: Target,
  events: SocketEvents,
): Promise<RawSocket> {
  const { hostname, port, tls } = target;
  const { promise: secured, resolve } = Promise.withResolvers<void>();
  const socket = await bun.connect({
    hostname,
    port,
    ...(tls ? { tls: { rejectUnauthorized: false } } : {}),
    socket: {
      data: (_socket, chunk) => events.data(chunk, chunk.length),
      drain: () => events.drain(),
      close: (_socket, error) => events.close(error),
      error: (_socket, error) => events.close(error),
      connectError: (_socket, error) => events.close(error),
      // Connected is not secured: what is written before is lost.
      handshake: () => resolve(),
    },
  });
  if (tls) await secured;
  return {
    write: (bytes, start, end) =>
      Math.max(0, socket.write(bytes, start, end - start)),
    end: () => socket.end(),
    destroy: () => socket.terminate(),
  };
}

/** All sockets read into one buffer: nothing is kept after `data` returns. */
const sharedBuffer: Uint8Array = Buffer.allocUnsafeSlow(512 * 1024);

function openNodeSocket(
  target: Target,
  events: SocketEvents,
): Promise<RawSocket> {
  const { hostname: host, port } = target;
  const onread = {
    buffer: sharedBuffer,
    callback: (bytes: number, buffer: Uint8Array): boolean => {
      events.data(buffer, bytes);
      return true;
    },
  };
  return new Promise((resolve, reject) => {
    const socket = target.tls
      ? connectTls({ host, port, rejectUnauthorized: false })
      : connectTcp({ host, port, onread });
    if (target.tls) {
      socket.on("data", (chunk: Buffer) => events.data(chunk, chunk.length));
    }
    socket.setNoDelay(true);
    socket.once("error", reject);
    socket.once(target.tls ? "secureConnect" : "connect", () => {
      socket.on("error", (error: Error) => events.close(error));
      socket.on("drain", () => events.drain());
      socket.on("close", () => events.close());
      resolve({
        // Node keeps what it cannot send yet; the ring is never modified.
        write: (bytes, start, end) => {
          socket.write(bytes.subarray(start, end));
          return end - start;
        },
        end: () => void socket.end(),
        destroy: () => void socket.resetAndDestroy(),
      });
    });
  });
}
