/** What the tests of redialling share: a world with a clock moved by hand. */
import type { Connection } from "../../client.ts";
import { Site } from "../../server.ts";
import { FakeClock, MemoryNetwork } from "../../testing.ts";
import { assertEquals } from "../harness.ts";

const PORT = 80;
/** Where the server of a world is. */
export const URL: string = `ws://example.com:${PORT}/`;

/** Time and a network of the test's own, and a server that is there or not. */
export class World implements AsyncDisposable {
  readonly clock: FakeClock = new FakeClock();
  readonly network: MemoryNetwork = new MemoryNetwork();
  readonly site: Site = new Site();
  /** What the server answers instead of opening a connection. */
  refusal: Response | undefined;
  /** The server's ends of connections, in their order. */
  readonly opened: Connection[] = [];
  /** Texts that the server got. */
  readonly received: string[] = [];
  /** When requests came, in milliseconds from the start. */
  readonly requestsMs: number[] = [];
  readonly startMs: number = this.clock.nowMs;
  /** The `x-token` of each request; `null` for none. */
  readonly tokens: (string | null)[] = [];
  #server: Awaited<ReturnType<Site["listen"]>> | undefined;

  constructor() {
    this.site.addHandler("/", {
      upgrade: (request) => {
        this.tokens.push(request.headers.get("x-token"));
        this.requestsMs.push(this.clock.nowMs - this.startMs);
        return this.refusal?.clone();
      },
      open: (connection: Connection) => void this.opened.push(connection),
      message: (_, data) => void this.received.push(String(data)),
    });
  }

  async listen(): Promise<void> {
    this.#server = await this.site.listen({ port: PORT });
  }

  /** Listens no more. */
  async hangUp(): Promise<void> {
    await this.#server?.shutdown({ timeoutMs: 0 });
    this.#server = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const stopped = this.#server?.shutdown({ timeoutMs: 0 });
    await this.clock.advance(20_000);
    await stopped;
    const { pendingTimers } = this.clock;
    this.network[Symbol.dispose]();
    this.clock[Symbol.dispose]();
    assertEquals(pendingTimers, 0, "a timer was left");
  }
}

/** Runs a body in a world of its own. */
export async function inWorld(
  body: (world: World) => Promise<void>,
): Promise<void> {
  await using world = new World();
  await body(world);
}
