/**
 * What the tests of `runtime/` share: a sink that remembers, and pairs of
 * connected transports.
 */
import { readFileSync } from "node:fs";
import {
  type Listener,
  loadRuntime,
  type Runtime,
  type Transport,
  type TransportConnectOptions,
  type TransportListenOptions,
  type TransportSink,
} from "../../runtime/transport.ts";

/** The runtime the tests run on. */
export const runtime: Runtime = await loadRuntime();

/** Remembers what happened on a transport. */
export class Recorder implements TransportSink {
  /** Everything received, joined by `text`. */
  readonly chunks: Uint8Array[] = [];
  /** Names of the calls in order; "data" once for any number in a row. */
  readonly events: string[] = [];
  receivedBytes = 0;
  closeCount = 0;
  error: Error | undefined;
  /** Whether a method of the transport is being called. */
  isInside = false;
  /** Whether the transport called back from inside one of its methods. */
  wasReentered = false;
  #waiters: { isDone: () => boolean; resolve: () => void }[] = [];

  data(chunk: Uint8Array): void {
    this.chunks.push(chunk.slice());
    this.receivedBytes += chunk.length;
    // The sink owns the bytes for now; nobody may miss them.
    chunk.fill(0xff);
    if (this.events.at(-1) !== "data") this.events.push("data");
    this.#wake();
  }

  drain(): void {
    this.events.push("drain");
    this.#wake();
  }

  end(): void {
    this.events.push("end");
    this.#wake();
  }

  close(error?: Error): void {
    this.closeCount++;
    this.error = error;
    this.events.push("close");
    this.#wake();
  }

  /** Calls a method of the transport and watches for re-entrance. */
  call<T>(body: () => T): T {
    this.isInside = true;
    try {
      return body();
    } finally {
      this.isInside = false;
    }
  }

  get text(): string {
    return this.chunks.map((chunk) => new TextDecoder().decode(chunk)).join("");
  }

  get isClosed(): boolean {
    return this.closeCount > 0;
  }

  /** Waits until something is true; asked after each call. */
  until(isDone: () => boolean): Promise<void> {
    if (isDone()) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ isDone, resolve }));
  }

  /** Waits for the transport's end. */
  closed(): Promise<void> {
    return this.until(() => this.isClosed);
  }

  #wake(): void {
    if (this.isInside) this.wasReentered = true;
    for (const waiter of this.#waiters) if (waiter.isDone()) waiter.resolve();
    this.#waiters = this.#waiters.filter((waiter) => !waiter.isDone());
  }
}

/** A started transport and what it told. */
export interface End {
  readonly transport: Transport;
  readonly sink: Recorder;
}

/** Two connected ends and the listener between them. */
export interface Pair {
  readonly listener: Listener;
  readonly client: End;
  readonly server: End;
  /** Drops both and closes the listener. */
  close(): Promise<void>;
}

/** Says how to reach a listener. */
export function target(listener: Listener): TransportConnectOptions {
  const { address } = listener;
  return address.transport === "unix"
    ? { path: address.path }
    : { hostname: address.hostname, port: address.port };
}

/** Starts a transport with a recorder. */
export function record(transport: Transport): End {
  const sink = new Recorder();
  transport.start(sink);
  return { transport, sink };
}

/** Listens with defaults for tests. */
export function listen(
  options: Partial<TransportListenOptions>,
): Promise<Listener> {
  return runtime.listen({
    hostname: "127.0.0.1",
    port: 0,
    handshakeTimeoutMs: 30_000,
    accept: (transport) => transport.destroy(),
    ...options,
  });
}

/** Connects two ends. */
export async function openPair(
  listenOptions: Partial<TransportListenOptions> = {},
  connectOptions: TransportConnectOptions = {},
): Promise<Pair> {
  let tell: (end: End) => void = () => {};
  const accepted = new Promise<End>((resolve) => tell = resolve);
  const listener = await listen({
    ...listenOptions,
    accept: (transport) => tell(record(transport)),
  });
  const client = record(
    await runtime.connect({ ...target(listener), ...connectOptions }),
  );
  const server = await accepted;
  return {
    listener,
    client,
    server,
    async close() {
      client.transport.destroy();
      server.transport.destroy();
      await Promise.all([client.sink.closed(), server.sink.closed()]);
      await listener.close();
    },
  };
}

/** Waits for something that tells nobody. */
export async function poll(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Reads a file of `tests/certs`. */
export function certificate(name: string): string {
  return readFileSync(new URL(`../certs/${name}`, import.meta.url), "utf8");
}

/** Bytes of a text. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
