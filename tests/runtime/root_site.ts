/** What the tests of the root share: a listener that gives it all, and a client. */
import { connect as connectSocket, type Socket } from "node:net";
import type {
  Listener,
  Root,
  RootOptions,
  TransportListenOptions,
} from "../../runtime/transport.ts";
import { listen, Recorder, runtime, target } from "./recorder.ts";

/** A listener whose every connection is the root's. */
export interface Site {
  readonly root: Root;
  readonly listener: Listener;
  readonly port: number;
  readonly errors: Error[];
  close(timeoutMs?: number): Promise<void>;
}

/** Opens a site. */
export async function openSite(
  options: Partial<RootOptions>,
  listenOptions: Partial<TransportListenOptions> = {},
): Promise<Site> {
  const errors: Error[] = [];
  const root = runtime.openRoot({
    fetch: () => new Response("hello"),
    claims: () => false,
    upgrade: (_request, transport) => transport.destroy(),
    failed: (error) => errors.push(error),
    ...options,
  });
  const listener = await listen({
    ...listenOptions,
    accept(transport) {
      // As the site does: reads a piece, then gives the connection away.
      transport.start({
        data: (chunk) => root.take(transport, chunk),
        drain() {},
        end() {},
        close() {},
      });
    },
  });
  return {
    root,
    listener,
    port: target(listener).port ?? 0,
    errors,
    async close(timeoutMs = 1000) {
      await listener.close();
      await root.close(timeoutMs);
    },
  };
}

/** A client that reads everything. */
export class Client {
  readonly socket: Socket;
  readonly output: Recorder = new Recorder();
  readonly closed: Promise<unknown>;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => {});
    socket.on("data", (chunk) => this.output.data(new Uint8Array(chunk)));
    socket.on("end", () => this.output.end());
    this.closed = new Promise((resolve) => socket.on("close", resolve));
  }

  get text(): string {
    return this.output.text;
  }

  async until(part: string, count = 1): Promise<void> {
    await this.output.until(() => this.text.split(part).length > count);
  }

  async close(): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }
}

/** Connects to a site. */
export function open(site: Site): Client {
  return new Client(connectSocket(site.port, "127.0.0.1"));
}

/** A request without a body. */
export function get(path: string, headers = ""): string {
  return `GET ${path} HTTP/1.1\r\nHost: example.test\r\n${headers}\r\n`;
}

/** Lines of a request that wants to become something else. */
export const UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\n";

/** A megabyte that is not the same everywhere. */
export const MEGABYTE: Uint8Array<ArrayBuffer> = Uint8Array.from(
  { length: 1024 * 1024 },
  (_, index) => index * 31 + (index >> 8),
);
