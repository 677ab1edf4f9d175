/** A listening bare socket, for tests of the client against a peer that lies. */
import { createHash } from "node:crypto";
import { type AddressInfo, createServer, type Server } from "node:net";
import { within } from "./deadline.ts";
import { RawClient } from "./raw_client.ts";

/** The answer to a handshake key (RFC 6455, section 4.2.2). */
export function acceptKey(key: string): string {
  return createHash("sha1")
    .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest("base64");
}

/** Value of a header in a head; `undefined` where it is absent. */
export function headerOf(head: string, name: string): string | undefined {
  const prefix = `${name.toLowerCase()}:`;
  const lines = head.split("\r\n");
  const line = lines.find((line) => line.toLowerCase().startsWith(prefix));
  return line?.slice(prefix.length).trim();
}

/** A right 101 for a request head; `headers` are added, or replace by name. */
export function upgradeResponse(
  requestHead: string,
  headers: Readonly<Record<string, string | undefined>> = {},
): string {
  const all = {
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Accept": acceptKey(
      headerOf(requestHead, "Sec-WebSocket-Key") ?? "",
    ),
    ...headers,
  };
  const lines = Object.entries(all)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 101 Switching Protocols\r\n${lines.join("")}\r\n`;
}

/** A listener on 127.0.0.1 that hands out bare sockets. Dispose of it. */
export class RawServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #waiting: RawClient[] = [];
  readonly #all: RawClient[] = [];
  #wake: (() => void) | undefined;

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => {
      const client = new RawClient(socket);
      this.#all.push(client);
      this.#waiting.push(client);
      this.#wake?.();
    });
  }

  /** Listens on a free port. */
  static async listen(): Promise<RawServer> {
    const server = createServer({ allowHalfOpen: true });
    const raw = new RawServer(server);
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", () => resolve());
    });
    return raw;
  }

  /** Port that it listens on. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Waits for the next connection. */
  async accept(timeoutMs = 10_000): Promise<RawClient> {
    while (true) {
      const client = this.#waiting.shift();
      if (client !== undefined) return client;
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await within(woken, "a connection", timeoutMs);
    }
  }

  /** Waits for the next connection, and answers its handshake. */
  async acceptUpgrade(
    headers?: Readonly<Record<string, string | undefined>>,
  ): Promise<RawClient> {
    const client = await this.accept();
    client.write(upgradeResponse(await client.readHead(), headers));
    return client;
  }

  /** Drops all connections, and stops listening. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    await Promise.all(this.#all.map((client) => client[Symbol.asyncDispose]()));
    await closed;
  }
}
