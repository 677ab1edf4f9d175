/** A site in the server of the runtime at hand. */
import { type Connection, Site, type SiteOptions } from "../../server.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { currentRuntime } from "../harness/child.ts";
import { type RawClient, rawUpgrade } from "../harness/raw_client.ts";
import { Echo } from "../site/served.ts";
import { serveHost } from "../ways/hosts.ts";

/** A site that is hosted. */
export class HostedSite {
  readonly site: Site;
  readonly port: number;
  /** What `onError` was told. */
  readonly errors: Error[];

  constructor(site: Site, port: number, errors: Error[]) {
    this.site = site;
    this.port = port;
    this.errors = errors;
  }

  /** Opens a WebSocket, and hands over the server's end of it as well. */
  async pair(
    path = "/echo",
  ): Promise<{ client: RawClient; connection: Connection }> {
    const before = new Set(this.site.connections);
    const client = await rawUpgrade(this.port, path);
    const connection = [...this.site.connections].find((c) => !before.has(c));
    assert(connection !== undefined, "the site does not list the connection");
    return { client, connection };
  }
}

/** How to set it up. */
export interface HostedOptions extends SiteOptions {
  readonly setup?: (site: Site) => void;
}

/** Defines a test with a hosted site that echoes on `/echo`. Node has no host. */
export function testHosted(
  name: string,
  options: HostedOptions,
  body: (hosted: HostedSite) => Promise<void>,
  runtimes: readonly string[] = ["deno", "bun"],
): void {
  if (!runtimes.includes(currentRuntime)) return;
  test(name, async () => {
    const { setup, ...siteOptions } = options;
    const errors: Error[] = [];
    const site = new Site({
      onError: (error) => void errors.push(error),
      ...siteOptions,
    });
    site.addHandler("/echo", Echo);
    setup?.(site);
    const server = serveHost(site.fetch, site.websocket);
    try {
      await body(new HostedSite(site, server.port, errors));
    } finally {
      await site.shutdown({ timeoutMs: 500 });
      await server.stop();
    }
    assertEquals(site.connections.size, 0);
  });
}

/** What is expected, by host. */
export function onHost<T>(expected: { readonly deno: T; readonly bun: T }): T {
  return currentRuntime === "deno" ? expected.deno : expected.bun;
}
