/** A proxy for the tests: CONNECT and SOCKS 5, by `node:net` and `node:tls`. */
import { Buffer } from "node:buffer";
import {
  type AddressInfo,
  connect,
  createServer,
  type Server,
  type Socket,
} from "node:net";
import { createServer as createTlsServer } from "node:tls";

/** What a relay is. */
export interface RelayOptions {
  /** Certificate and key: TLS with the client. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** User name and password that it wants, with a colon between them. */
  readonly user?: string;
  /** Port to connect to, whatever was asked for. */
  readonly port?: number;
}

/** A listening proxy. Dispose of it. */
export class Relay implements AsyncDisposable {
  /** What it was asked for, in order: `host:port`. */
  readonly targets: string[] = [];
  /** Heads of the CONNECT requests. */
  readonly heads: string[] = [];
  readonly #server: Server;
  readonly #options: RelayOptions;
  readonly #sockets = new Set<Socket>();

  private constructor(options: RelayOptions) {
    this.#options = options;
    const accept = (socket: Socket): void => {
      this.#keep(socket);
      this.#serve(socket).catch(() => socket.destroy());
    };
    this.#server = options.tls
      ? createTlsServer({ ...options.tls }, accept)
      : createServer(accept);
  }

  /** Listens on a free port of 127.0.0.1. */
  static async listen(options: RelayOptions = {}): Promise<Relay> {
    const relay = new Relay(options);
    await new Promise<void>((resolve) => {
      relay.#server.listen(0, "127.0.0.1", () => resolve());
    });
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async #serve(socket: Socket): Promise<void> {
    const first = await once(socket);
    if (first[0] === 5) await this.#serveSocks(socket, first);
    else this.#serveConnect(socket, first.toString("latin1"));
  }

  #serveConnect(socket: Socket, head: string): void {
    this.heads.push(head);
    const [, host = "", port = ""] =
      /^CONNECT (.*):(\d+) HTTP\/1.1\r\n/.exec(head) ?? [];
    const { user } = this.#options;
    if (
      user !== undefined &&
      !head.includes(`\r\nProxy-Authorization: Basic ${btoa(user)}\r\n`)
    ) {
      socket.end("HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\n\r\n");
      return;
    }
    this.#join(socket, host, Number(port), "HTTP/1.1 200 Fine\r\nA: b\r\n\r\n");
  }

  async #serveSocks(socket: Socket, greeting: Buffer): Promise<void> {
    const { user } = this.#options;
    const method = user === undefined ? 0 : 2;
    if (!greeting.subarray(2).includes(method)) {
      socket.end(Buffer.of(5, 0xff));
      return;
    }
    socket.write(Buffer.of(5, method));
    if (user !== undefined) {
      const login = await once(socket);
      const name = login.subarray(2, 2 + login[1]!);
      const password = login.subarray(3 + login[1]!);
      const isRight =
        `${name.toString("latin1")}:${password.toString("latin1")}` === user;
      socket.write(Buffer.of(1, isRight ? 0 : 1));
      if (!isRight) return void socket.end();
    }
    const request = await once(socket);
    const host = request[3] === 1
      ? request.subarray(4, 8).join(".")
      : request[3] === 3
      ? request.subarray(5, 5 + request[4]!).toString("latin1")
      : `[${request.subarray(4, 20).toString("hex")}]`;
    const port = request.readUInt16BE(request.length - 2);
    const reply = Buffer.of(5, 0, 0, 1, 127, 0, 0, 1, 0, 80);
    this.#join(socket, host, port, reply);
  }

  #join(socket: Socket, host: string, port: number, reply: string | Buffer) {
    this.targets.push(`${host}:${port}`);
    const { port: fixed = port } = this.#options;
    const other = connect(fixed, "127.0.0.1", () => {
      socket.write(reply);
      socket.pipe(other);
      other.pipe(socket);
    });
    this.#keep(other);
    socket.on("close", () => other.destroy());
    other.on("close", () => socket.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    const gone = Array.from(
      this.#sockets,
      (socket) =>
        new Promise<void>((resolve) => {
          socket.on("close", () => resolve());
          socket.destroy();
        }),
    );
    await Promise.all([closed, ...gone]);
  }
}

/** The next chunk; what is small and sent at once comes in one on loopback. */
function once(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    socket.once("data", (chunk: Buffer) => {
      socket.pause();
      resolve(chunk);
      queueMicrotask(() => socket.resume());
    });
    socket.once("close", () => reject(new Error("closed")));
  });
}
