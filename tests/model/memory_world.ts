/** A world in memory, whose time and wires are in our hands. */
import type { Connection } from "../../connection.ts";
import { Site } from "../../server.ts";
import {
  connect,
  FakeClock,
  RawPeer,
  settle,
  type Wire,
} from "../../testing.ts";
import { Watched } from "./watched.ts";
import type { ConnectionEnd, Link, LinkKind, RawEnd, World } from "./world.ts";

/** So little fits on the way that one who does not read is noticed. */
const WIRE = { capacityBytes: 5_000 };

/** A peer in memory. */
class MemoryRawEnd implements RawEnd {
  readonly #peer: RawPeer;
  readonly #messages: string[] = [];

  constructor(peer: RawPeer) {
    this.#peer = peer;
  }

  get messages(): readonly string[] {
    for (const frame of this.#peer.takeFrames()) {
      if (frame.opcode === "text") this.#messages.push(frame.text);
    }
    return this.#messages;
  }

  send(text: string): void {
    this.#peer.sendFrame({ payload: text });
  }

  ping(): void {
    this.#peer.sendFrame({ opcode: "ping", payload: "p" });
  }

  close(code: number): void {
    this.#peer.sendFrame({ code });
  }

  break(): void {
    this.#peer.sendFrame({ rsv: 7 });
  }

  end(): void {
    this.#peer.end();
  }

  pause(): void {
    this.#peer.pause();
  }

  resume(): void {
    this.#peer.resume();
  }
}

/** Links through memory. Dispose of it. */
export class MemoryWorld implements World, Disposable {
  readonly #clock: FakeClock = new FakeClock();
  readonly #site: Site;
  readonly #handlers: Map<Connection, Watched> = new Map();

  /** Each other one compresses what it is sent. */
  #pairs = 0;

  constructor() {
    // What is thrown is planned.
    this.#site = new Site({ onError: () => {} });
    this.#site.addHandler("/", this.#watching());
    this.#site.addHandler("/compressed", this.#watching(), {
      compression: true,
    });
  }

  get openConnections(): number {
    return this.#site.connections.size;
  }

  async connect(kind: LinkKind): Promise<Link> {
    const handler = this.#watching();
    if (kind === "pair") {
      const { client, server, wire } = await connect(this.#site, {
        handler,
        path: this.#pairs++ % 2 === 0 ? "/" : "/compressed",
        ...WIRE,
      });
      const ends = [this.#end(client), this.#end(server)] as const;
      return link(kind, ends, wire);
    }
    const peer = kind === "raw client"
      ? await RawPeer.connect(this.#site, WIRE)
      : await RawPeer.accept({ handler, ...WIRE });
    const raw = new MemoryRawEnd(peer);
    const end = this.#end(peer.connection);
    return link(
      kind,
      kind === "raw client" ? [raw, end] : [end, raw],
      peer.wire,
    );
  }

  settle(): Promise<void> {
    return settle();
  }

  async pass(ms: number): Promise<void> {
    await this.#clock.advance(ms);
  }

  shutdown(timeoutMs: number): Promise<void> {
    return this.#site.shutdown({ timeoutMs });
  }

  [Symbol.dispose](): void {
    this.#clock[Symbol.dispose]();
  }

  #end(connection: Connection): ConnectionEnd {
    return { connection, handler: this.#handlers.get(connection)! };
  }

  #watching(): typeof Watched {
    const handlers = this.#handlers;
    return class extends Watched {
      constructor(connection: Connection) {
        super(connection);
        handlers.set(connection, this);
      }
    };
  }
}

function link(kind: LinkKind, ends: Link["ends"], wire: Wire): Link {
  return {
    kind,
    ends,
    reset: () => wire.reset(),
    stall: () => wire.stall(),
    flow: () => wire.flow(),
  };
}
