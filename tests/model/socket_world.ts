/** A world of real sockets, on the runtime at hand. */
import { dial } from "../../client.ts";
import type { Connection } from "../../connection.ts";
import { type Server, Site } from "../../server.ts";
import {
  closePayload,
  type FrameOptions,
  parseFrame,
} from "../harness/frame.ts";
import { type RawClient, rawUpgrade } from "../harness/raw_client.ts";
import { RawServer } from "../harness/raw_server.ts";
import { pause } from "../site/served.ts";
import { Watched } from "./watched.ts";
import type { Link, LinkKind, RawEnd, World } from "./world.ts";

/** How long something may take that must happen, in milliseconds. */
const PATIENCE_MS = 3_000;

/** Short enough for a test that closes often without being answered. */
const TIMES = { closeTimeoutMs: 300 };

/** A peer on a bare socket. */
class SocketRawEnd implements RawEnd {
  readonly #socket: RawClient;
  readonly #isClient: boolean;
  readonly #messages: string[] = [];
  #readBytes = 0;
  #hasEnded = false;

  constructor(socket: RawClient, isClient: boolean) {
    this.#socket = socket;
    this.#isClient = isClient;
  }

  get messages(): readonly string[] {
    const bytes = this.#socket.received;
    for (;;) {
      const frame = parseFrame(bytes.subarray(this.#readBytes));
      if (frame === undefined) return this.#messages;
      this.#readBytes += frame.size;
      if (frame.opcode === 1) {
        this.#messages.push(new TextDecoder().decode(frame.payload));
      }
    }
  }

  send(text: string): void {
    this.#frame({ payload: text });
  }

  ping(): void {
    this.#frame({ opcode: "ping", payload: "p" });
  }

  close(code: number): void {
    this.#frame({ opcode: "close", payload: closePayload(code) });
  }

  break(): void {
    this.#frame({ rsv: 7 });
  }

  end(): void {
    this.#hasEnded = true;
    this.#socket.end();
  }

  /** Drops the connection: Node does not get over a reset after an end. */
  reset(): void {
    if (this.#hasEnded) void this.#socket[Symbol.asyncDispose]();
    else this.#socket.reset();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #frame(options: FrameOptions): void {
    if (!this.#socket.ended) {
      this.#socket.sendFrame({ mask: this.#isClient, ...options });
    }
  }
}

/** Links through the loopback. Dispose of it. */
export class SocketWorld implements World, AsyncDisposable {
  readonly #site: Site;
  readonly #server: Server;
  readonly #rawServer: RawServer;
  readonly #clients: RawClient[] = [];
  readonly #made: Watched[];
  /** Each other one compresses what it is sent. */
  #pairs = 0;

  private constructor(
    site: Site,
    server: Server,
    rawServer: RawServer,
    made: Watched[],
  ) {
    this.#site = site;
    this.#server = server;
    this.#rawServer = rawServer;
    this.#made = made;
  }

  /** Listens. */
  static async open(): Promise<SocketWorld> {
    // What is thrown is planned.
    const site = new Site({ onError: () => {}, ...TIMES });
    const made: Watched[] = [];
    site.addHandler("/", noting(made));
    site.addHandler("/compressed", noting(made), { compression: true });
    const server = await site.listen({ port: 0, hostname: "127.0.0.1" });
    return new SocketWorld(site, server, await RawServer.listen(), made);
  }

  get openConnections(): number {
    return this.#site.connections.size;
  }

  async connect(kind: LinkKind): Promise<Link> {
    const port = this.#server.addr.transport === "tcp"
      ? this.#server.addr.port
      : 0;
    if (kind === "raw client") {
      const socket = await rawUpgrade(port, "/");
      this.#clients.push(socket);
      const raw = new SocketRawEnd(socket, true);
      const reset = () => raw.reset();
      return { kind, ends: [raw, ofHandler(this.#made.at(-1)!)], reset };
    }
    const dialled: Watched[] = [];
    const handler = noting(dialled);
    if (kind === "pair") {
      const path = this.#pairs++ % 2 === 0 ? "/" : "/compressed";
      await dial(`ws://127.0.0.1:${port}${path}`, { handler, ...TIMES });
      const ends = [dialled[0]!, this.#made.at(-1)!].map(ofHandler);
      return { kind, ends: [ends[0]!, ends[1]!], reset: () => {} };
    }
    const url = `ws://127.0.0.1:${this.#rawServer.port}/`;
    const [socket] = await Promise.all([
      this.#rawServer.acceptUpgrade(),
      dial(url, { handler, ...TIMES }),
    ]);
    const raw = new SocketRawEnd(socket, false);
    const reset = () => raw.reset();
    return { kind, ends: [ofHandler(dialled[0]!), raw], reset };
  }

  async settle(isDone: () => boolean): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    do await pause(1); while (!isDone() && Date.now() < deadline);
  }

  shutdown(timeoutMs: number): Promise<void> {
    return this.#site.shutdown({ timeoutMs });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown({ timeoutMs: 0 });
    await this.#rawServer[Symbol.asyncDispose]();
    for (const client of this.#clients) await client[Symbol.asyncDispose]();
  }
}

function ofHandler(handler: Watched) {
  return { connection: handler.connection, handler };
}

/** A class that keeps its instances. */
function noting(made: Watched[]): typeof Watched {
  return class extends Watched {
    constructor(connection: Connection) {
      super(connection);
      made.push(this);
    }
  };
}
