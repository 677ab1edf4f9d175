/** Two ends of a byte stream in memory, and a sink that remembers what it was told. */
import type { TransportSink } from "../../runtime/transport.ts";
import {
  joinEnds,
  type MemoryTransport,
} from "../../testing/memory_transport.ts";
import { concat } from "./bytes.ts";

export { MemoryTransport } from "../../testing/memory_transport.ts";

/** How a pair of memory transports behaves. Everything may be changed later. */
export interface MemoryOptions {
  /** Largest chunk that a sink is given, in bytes. Default no limit. */
  chunkBytes?: number;
  /** Bytes that fit between the ends before a writer is held up. Default no limit. */
  capacityBytes?: number;
}

/** Makes two connected ends. */
export function memoryTransport(
  options: MemoryOptions = {},
): [MemoryTransport, MemoryTransport] {
  const { chunkBytes = Infinity, capacityBytes = Infinity } = options;
  const hostname = "127.0.0.1";
  const a = { transport: "tcp", hostname, port: 40_001 } as const;
  const b = { transport: "tcp", hostname, port: 40_002 } as const;
  const shared = { secure: false, chunkBytes, capacityBytes };
  return joinEnds(
    { localAddress: a, remoteAddress: b, ...shared },
    { localAddress: b, remoteAddress: a, ...shared },
  );
}

/** A sink that remembers what it was told. */
export class SinkLog implements TransportSink {
  /** Names of the calls in order; `data` with its length. */
  readonly calls: string[] = [];
  /** Error that `close` was called with. */
  error: Error | undefined;
  #chunks: Uint8Array[] = [];
  #wake: (() => void) | undefined;

  /** All bytes so far. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return concat(...this.#chunks);
  }

  data(chunk: Uint8Array): void {
    this.#chunks.push(chunk.slice());
    this.#note(`data ${chunk.length}`);
  }

  drain(): void {
    this.#note("drain");
  }

  end(): void {
    this.#note("end");
  }

  close(error?: Error): void {
    this.error = error;
    this.#note("close");
  }

  #note(call: string): void {
    this.calls.push(call);
    this.#wake?.();
  }

  /** Waits until a call of that name has been made. */
  async until(call: "drain" | "end" | "close"): Promise<void> {
    while (!this.calls.includes(call)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
