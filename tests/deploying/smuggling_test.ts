/**
 * HT-15: nothing is smuggled through a proxy. Whatever a client sends, the site
 * sees one request for each of the client's, none that the proxy refuses, and
 * each answer goes to who asked.
 */
import { Buffer } from "node:buffer";
import type { ConnectionRequest } from "../../connection.ts";
import type { Site } from "../../server.ts";
import { assert, assertEquals, testWhere } from "../harness.ts";
import { rawConnect } from "../harness/raw_client.ts";
import { Echo, pause, serve } from "../site/served.ts";
import { PROXIES, Proxy } from "./proxy.ts";
import { type Attack, ROOT_ATTACKS, UPGRADE_ATTACKS } from "./smuggling.ts";

/** How long an attack may stay unanswered: a proxy may wait for its rest. */
const PATIENCE_MS = 1_000;

/** What came to the site, and how often. */
class Log {
  readonly #counts: Map<string, number> = new Map();

  /** Counts a request; returns its path. */
  add(url: string): string {
    const path = new URL(url).pathname;
    this.#counts.set(path, (this.#counts.get(path) ?? 0) + 1);
    return path;
  }

  /** How often a path was asked for. */
  count(path: string): number {
    return this.#counts.get(path) ?? 0;
  }

  /** Paths that were asked for more than once, or that the proxy refuses. */
  get wrong(): string[] {
    return [...this.#counts]
      .filter(([path, count]) => count > 1 || path.startsWith("/internal"))
      .map(([path, count]) => `${path}: ${count}`);
  }
}

/** Sends an attack; returns what came back. */
async function send(proxy: Proxy, { bytes }: Attack): Promise<string> {
  await using client = await rawConnect(proxy.target);
  client.write(bytes);
  const end = client.readToEnd(PATIENCE_MS).catch(() => client.received);
  return Buffer.from(await end).toString("latin1");
}

/** A client that means well: its requests go over one connection. */
async function bystander(proxy: Proxy, name: number): Promise<void> {
  await using client = await rawConnect(proxy.target);
  for (let i = 0; i < 20; i++) {
    const path = `/mine/${name}/${i}`;
    client.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    const head = await client.readHead();
    const length = /^content-length: (\d+)/im.exec(head)?.[1];
    const body = await client.readBytes(Number(length));
    assertEquals(Buffer.from(body).toString(), `[${path}]`, head);
    await pause(20);
  }
}

for (const kind of PROXIES) {
  testWhere(
    kind.missing,
    `HT-15: nothing is smuggled through ${kind.name}`,
    async () => {
      const log = new Log();
      const opened = new Log();
      class Guarded extends Echo {
        static upgrade(request: ConnectionRequest): Response | void {
          opened.add(request.url);
          if (request.headers.has("x-refuse")) {
            return new Response(null, { status: 401 });
          }
        }
      }
      const root = async (request: Request) => {
        const path = log.add(request.url);
        await request.arrayBuffer().catch(() => {});
        const body = `[${path}]`;
        const headers = { "content-length": String(body.length) };
        return new Response(body, { headers });
      };
      const setup = (site: Site) => site.addHandler("/ws/:id", Guarded);
      await serve({ root, setup }, async ({ port }) => {
        await using proxy = await Proxy.start(kind, port);
        const attacks = [
          ...ROOT_ATTACKS.map((make, i) => ({ path: `/case/${i}`, make })),
          ...UPGRADE_ATTACKS.map((make, i) => ({ path: `/ws/${i}`, make })),
        ];
        const bystanders = Array.from(
          { length: 10 },
          (_, i) => bystander(proxy, i),
        );
        const answers = await Promise.all(
          attacks.map(async ({ path, make }) => {
            const attack = make(path);
            return { path, attack, answer: await send(proxy, attack) };
          }),
        );
        await Promise.all(bystanders);
        for (const { path, attack, answer } of answers) {
          const bodies = [...answer.matchAll(/\[(\/[^\]]*)\]/g)].map((
            [, body],
          ) => body);
          assert(
            bodies.every((body) => body === path) && bodies.length <= 1,
            `${attack.name}: ${answer}`,
          );
          // HAProxy and Caddy open one for some of the others, which is theirs.
          assert(
            !/^HT-6/.test(attack.name) || !answer.startsWith("HTTP/1.1 101"),
            `${attack.name}: ${answer}`,
          );
        }
        assertEquals([log.wrong, opened.wrong], [[], []]);
      });
    },
  );
}
