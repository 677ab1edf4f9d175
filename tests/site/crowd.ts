/** A site of its own for messages to many: without a canary that would hear them. */
import {
  type CloseInfo,
  type Connection,
  type HandlerOptions,
  Site,
  type SiteOptions,
} from "../../server.ts";
import { assert, assertEquals } from "../harness.ts";
import { type RawClient, rawUpgrade } from "../harness/raw_client.ts";
import { Echo } from "./served.ts";

/** A site with members on `/crowd`, and what is known of them. */
export interface Crowded {
  readonly site: Site;
  readonly port: number;
  readonly clients: RawClient[];
  /** The other ends of `clients`, in the same order. */
  readonly connections: Connection[];
  /** Close reports so far. */
  readonly infos: CloseInfo[];
  /** Opens one more, on a path. */
  join(path?: string): Promise<{ client: RawClient; connection: Connection }>;
}

/** How to set a crowd up. */
export interface CrowdOptions extends HandlerOptions {
  /** Options of the site. */
  readonly site?: SiteOptions;
  /** Registers more handlers. */
  readonly setup?: (site: Site) => void;
}

/** Runs `body` with some members; afterwards the site must know of nobody. */
export async function crowd(
  count: number,
  options: CrowdOptions,
  body: (crowded: Crowded) => Promise<void>,
): Promise<void> {
  const { site: siteOptions, setup, ...handlerOptions } = options;
  const infos: CloseInfo[] = [];
  class Member extends Echo {
    override close(info: CloseInfo): void {
      infos.push(info);
    }
  }
  const errors: Error[] = [];
  const site = new Site({
    onError: (error) => void errors.push(error),
    ...siteOptions,
  });
  // Who does not read answers no Ping, and is to be given up by its policy alone.
  const settings = { closeTimeoutMs: 200, pingIntervalMs: 0 };
  site.addHandler("/crowd", Member, { ...settings, ...handlerOptions });
  setup?.(site);
  const server = await site.listen({ port: 0, hostname: "127.0.0.1" });
  assert(server.addr.transport === "tcp");
  const { port } = server.addr;
  const clients: RawClient[] = [];
  const connections: Connection[] = [];
  const guests: RawClient[] = [];
  const join = async (path = "/crowd") => {
    const before = new Set(site.connections);
    const client = await rawUpgrade(port, path);
    guests.push(client);
    const connection = [...site.connections].find((one) => !before.has(one));
    assert(connection !== undefined, "the site does not list the connection");
    return { client, connection };
  };
  try {
    for (let n = 0; n < count; n++) {
      const { client, connection } = await join();
      clients.push(client);
      connections.push(connection);
    }
    await body({ site, port, clients, connections, infos, join });
    assertEquals(errors.map(String), [], "the site reported errors");
  } finally {
    await Promise.all(guests.map((client) => client[Symbol.asyncDispose]()));
    await server.shutdown({ timeoutMs: 500 });
  }
  assertEquals([site.connections.size, site.topics.size], [0, 0]);
}

/** Asserts which texts are the next that somebody gets. */
export async function assertTexts(
  client: RawClient,
  texts: readonly string[],
): Promise<void> {
  const got: string[] = [];
  for (let n = 0; n < texts.length; n++) {
    const { payload } = await client.readFrame();
    got.push(new TextDecoder("utf-8", { ignoreBOM: true }).decode(payload));
  }
  assertEquals(got, texts);
}

/**
 * Sends so much to somebody who does not read that the kernel takes no more.
 *
 * @returns How many messages of 64 KiB that were.
 */
export async function stuff(connection: Connection): Promise<number> {
  const piece = new Uint8Array(65_536);
  let sent = 0;
  let quiet = 0;
  // Longer than a kernel waits before it asks once more for room (200 ms).
  while (quiet < 15) {
    if (connection.bufferedAmount < 65_536) {
      quiet = 0;
      connection.send(piece);
      sent++;
    } else {
      quiet++;
    }
    await new Promise((resolve) => setTimeout(resolve, quiet > 0 ? 20 : 0));
  }
  return sent;
}
