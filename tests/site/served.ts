/**
 * A site under test: with a canary that must live to the end, and a record of
 * everything that the site reported.
 */
import { Buffer } from "node:buffer";
import {
  type Connection,
  Handler,
  type ListenOptions,
  type Server,
  Site,
  type SiteOptions,
} from "../../server.ts";
import { assert, assertEquals } from "../harness.ts";
import { Canary } from "../harness/canary.ts";
import { closeCode } from "../harness/frame.ts";
import {
  type RawClient,
  rawConnect,
  type RawConnectOptions,
  rawUpgrade,
} from "../harness/raw_client.ts";
import { inSomeTry } from "../harness/tries.ts";

/** Sends back what it gets. */
export class Echo extends Handler {
  override message(data: string | Uint8Array): void {
    this.connection.send(data);
  }
}

/** How to set a site under test up. */
export interface ServeOptions extends SiteOptions {
  /** Registers handlers beside the echo on `/echo`. */
  readonly setup?: (site: Site) => void;
  /** Where to listen; a free port where absent. */
  readonly listen?: ListenOptions;
  /** How the canary connects; on the port, without TLS, where absent. */
  readonly target?: RawConnectOptions;
}

/** A site that listens. */
export class Served {
  readonly site: Site;
  readonly server: Server;
  /** What `onError` was told and nobody has taken yet. */
  readonly #errors: Error[];

  constructor(site: Site, server: Server, errors: Error[]) {
    this.site = site;
    this.server = server;
    this.#errors = errors;
  }

  /** Port that it listens on. */
  get port(): number {
    const { addr } = this.server;
    return addr.transport === "tcp" ? addr.port : 0;
  }

  /** Takes the messages of the errors that the site has reported. */
  takeErrors(): string[] {
    return this.#errors.splice(0).map((error) => error.message);
  }

  /** Sends bytes over a connection of their own, and reads until its end. */
  async exchange(...parts: readonly (Uint8Array | string)[]): Promise<string> {
    await using client = await rawConnect(this.port);
    client.write(...parts);
    return Buffer.from(await client.readToEnd()).toString("latin1");
  }

  /** Opens a WebSocket, and hands over the server's end of it as well. */
  async pair(
    path: string,
  ): Promise<{
    client: Awaited<ReturnType<typeof rawUpgrade>>;
    connection: Connection;
  }> {
    const before = new Set(this.site.connections);
    const client = await rawUpgrade(this.port, path);
    const connection = [...this.site.connections].find((c) => !before.has(c));
    assert(connection !== undefined, "the site does not list the connection");
    return { client, connection };
  }
}

/**
 * Runs `body` against a site with an echo on `/echo`.
 *
 * Afterwards the canary, which was connected before, must still be served, and
 * so must a fresh connection; the site must have reported no error that `body`
 * did not take; shut down, it must list no connection.
 */
export async function serve(
  options: ServeOptions,
  body: (served: Served) => Promise<void>,
): Promise<void> {
  const { setup, listen, target, ...siteOptions } = options;
  const errors: Error[] = [];
  const site = new Site({
    onError: (error) => void errors.push(error),
    ...siteOptions,
  });
  site.addHandler("/echo", Echo, { origins: "*" });
  setup?.(site);
  const server = await site.listen(
    listen ?? { port: 0, hostname: "127.0.0.1" },
  );
  const served = new Served(site, server, errors);
  try {
    await using canary = await Canary.open(target ?? served.port);
    await body(served);
    await canary.assertAlive();
    assertEquals(errors.map(String), [], "the site reported errors");
  } finally {
    await server.shutdown({ timeoutMs: 1_000 });
  }
  assertEquals(site.connections.size, 0, "the site lists dead connections");
}

/**
 * The same for options that leave so little time that a stall of the machine uses it
 * up, before the canary is open or anybody has asked.
 */
export function serveInTime(
  options: ServeOptions,
  body: (served: Served) => Promise<void>,
): Promise<void> {
  return inSomeTry(() => serve(options, body));
}

/** Waits until something that has no event of its own has come to be. */
export async function until(
  condition: () => boolean,
  what: string,
  timeoutMs = 15_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`Waited in vain for ${what}`);
    await pause(5);
  }
}

/** Lets time pass, where it is time that the test is about. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Status of a response. */
export function statusOf(response: string): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(response)?.[1]);
}

/** Asserts one single response that ends the connection, and its status. */
export function assertRefused(response: string, status: number): void {
  assertEquals(statusOf(response), status, response);
  assertEquals(response.split(/HTTP\/1\.1 \d/).length, 2, response);
  const headEnd = response.indexOf("\r\n\r\n");
  const head = response.slice(0, headEnd);
  assert(/^connection: (upgrade, )?close$/im.test(head), response);
  const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1]);
  assertEquals(response.length - headEnd - 4, length, response);
}

/** Reads a frame; returns its payload as text. */
export async function readText(client: RawClient): Promise<string> {
  return new TextDecoder().decode((await client.readFrame()).payload);
}

/** Reads a Close frame; returns its code. */
export async function readClose(client: RawClient): Promise<number> {
  const { opcode, payload } = await client.readFrame();
  assertEquals(opcode, 8);
  return closeCode(payload);
}
