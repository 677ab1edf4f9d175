/**
 * The ways into a site: sockets of its own, TLS, and the runtimes' own servers.
 * The tests of this folder run against each that the runtime at hand has. What a
 * way cannot do, or does otherwise, is data here, and no test asks which it is.
 */
import { Buffer } from "node:buffer";
import {
  type CloseInfo,
  type Connection,
  type HostCapabilityName,
  HOSTED_CAPABILITIES,
  Site,
  type SiteOptions,
  UnsupportedError,
} from "../../server.ts";
import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
  test,
} from "../harness.ts";
import { Canary } from "../harness/canary.ts";
import { currentRuntime, type RuntimeName } from "../harness/child.ts";
import {
  type RawClient,
  rawConnect,
  type RawConnectOptions,
  rawUpgrade,
  upgradeRequest,
} from "../harness/raw_client.ts";
import { inSomeTry } from "../harness/tries.ts";
import { certificate } from "../runtime/recorder.ts";
import { Echo } from "../site/served.ts";
import { serveOnBun, serveOnDeno } from "./hosts.ts";

/** What a close report says, as far as it depends on the way. */
type Report = Pick<CloseInfo, "cause" | "code" | "wasClean">;

/** Where a way gives other results than a socket does. */
export interface Expectations {
  /** The report where this side closes with 1000 and the peer echoes it. */
  readonly localClose: Report;
  /** What a peer is sent and what is reported when its text is not UTF-8. */
  readonly invalidText: {
    readonly sent: number | undefined;
    readonly report: Report;
  };
  /** What is reported where the peer never answers a Close frame. */
  readonly silentClose: CloseInfo["cause"];
  /** Whether a `Connection: close` follows a refusal, and the end. */
  readonly endsRefused: boolean;
  /** Frames in which three chunks of `sendStream` travel. */
  readonly streamFrames: number;
}

/** A way in. */
export interface Way {
  readonly name: string;
  /** Where it is to be had. */
  readonly runtimes: readonly RuntimeName[];
  /** What throws an `UnsupportedError`. */
  readonly cannot: ReadonlySet<HostCapabilityName>;
  readonly expects: Expectations;
  /** Makes a site reachable. */
  open(site: Site): Promise<Opened>;
}

/** A site that can be reached. */
export interface Opened {
  readonly target: RawConnectOptions & { readonly port: number };
  /** Closes the way, after the site has shut down. */
  close(): Promise<void>;
}

function lacks(host: "deno" | "bun"): ReadonlySet<HostCapabilityName> {
  const names = Object.keys(HOSTED_CAPABILITIES) as HostCapabilityName[];
  return new Set(names.filter((name) => {
    const support = HOSTED_CAPABILITIES[name][host];
    return support !== "yes" && "throws" in support;
  }));
}

const SOCKET: Expectations = {
  localClose: { cause: "local", code: 1000, wasClean: true },
  invalidText: {
    sent: 1007,
    report: { cause: "protocol-error", code: 1006, wasClean: false },
  },
  silentClose: "close-timeout",
  endsRefused: true,
  streamFrames: 3,
};

const RUNTIMES: readonly RuntimeName[] = ["deno", "bun", "node"];

/** All of them. */
export const WAYS: readonly Way[] = [
  {
    name: "listen",
    runtimes: RUNTIMES,
    cannot: new Set(),
    expects: SOCKET,
    async open(site) {
      const server = await site.listen({ port: 0, hostname: "127.0.0.1" });
      assert(server.addr.transport === "tcp");
      const target = { port: server.addr.port };
      return { target, close: () => server.shutdown() };
    },
  },
  {
    name: "listen with TLS",
    runtimes: RUNTIMES,
    cannot: new Set(),
    expects: SOCKET,
    async open(site) {
      const server = await site.listen({
        port: 0,
        hostname: "127.0.0.1",
        tls: { cert: certificate("leaf.crt"), key: certificate("leaf.key") },
      });
      assert(server.addr.transport === "tcp");
      const target = { port: server.addr.port, ca: certificate("ca.crt") };
      return { target, close: () => server.shutdown() };
    },
  },
  {
    name: "Deno.serve",
    runtimes: ["deno"],
    cannot: lacks("deno"),
    expects: {
      ...SOCKET,
      invalidText: {
        sent: undefined,
        report: { cause: "protocol-error", code: 1006, wasClean: false },
      },
      endsRefused: false,
      streamFrames: 1,
    },
    open(site) {
      const server = serveOnDeno(site.fetch);
      const target = { port: server.port };
      return Promise.resolve({ target, close: () => server.stop() });
    },
  },
  {
    name: "Bun.serve",
    runtimes: ["bun"],
    cannot: lacks("bun"),
    expects: {
      ...SOCKET,
      localClose: { cause: "local", code: 1006, wasClean: false },
      silentClose: "local",
      endsRefused: false,
      streamFrames: 1,
    },
    open(site) {
      const server = serveOnBun(site.fetch, site.websocket);
      const target = { port: server.port };
      return Promise.resolve({ target, close: () => server.stop() });
    },
  },
];

/** A response, taken apart. */
export interface ReceivedResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** A site on one of the ways, with an echo on `/echo`. */
export class Reached {
  readonly site: Site;
  readonly way: Way;
  readonly target: RawConnectOptions;
  readonly #errors: Error[];

  constructor(
    site: Site,
    way: Way,
    target: RawConnectOptions,
    errors: Error[],
  ) {
    this.site = site;
    this.way = way;
    this.target = target;
    this.#errors = errors;
  }

  /** Takes the messages of the errors that the site has reported. */
  takeErrors(): string[] {
    return this.#errors.splice(0).map((error) => error.message);
  }

  /** Opens a WebSocket. */
  upgrade(
    path?: string,
    headers?: Readonly<Record<string, string | undefined>>,
  ): Promise<RawClient> {
    return rawUpgrade(this.target, path, headers);
  }

  /** Opens a WebSocket, and hands over the server's end of it as well. */
  async pair(
    path = "/echo",
  ): Promise<{ client: RawClient; connection: Connection }> {
    const before = new Set(this.site.connections);
    const client = await this.upgrade(path);
    const connection = [...this.site.connections].find((c) => !before.has(c));
    assert(connection !== undefined, "the site does not list the connection");
    return { client, connection };
  }

  /** Asks for a WebSocket, or for something else; returns what is answered. */
  async ask(
    path?: string,
    headers?: Readonly<Record<string, string | undefined>>,
    method = "GET",
  ): Promise<ReceivedResponse> {
    await using client = await rawConnect(this.target);
    const request = upgradeRequest(path, headers);
    client.write(Buffer.from(request.replace(/^GET/, method), "latin1"));
    const head = await client.readHead();
    const [statusLine = "", ...lines] = head.trimEnd().split("\r\n");
    const response = new Headers();
    for (const line of lines) {
      const colon = line.indexOf(":");
      response.append(line.slice(0, colon), line.slice(colon + 1).trim());
    }
    const length = Number(response.get("content-length") ?? 0);
    const body = await client.readBytes(length);
    assertEquals(
      /\bclose\b/i.test(response.get("connection") ?? ""),
      this.way.expects.endsRefused,
      head,
    );
    return {
      status: Number(statusLine.split(" ")[1]),
      headers: response,
      body: Buffer.from(body).toString(),
    };
  }
}

/** How to set a site up. */
export interface WayOptions extends SiteOptions {
  /** Registers handlers beside the echo on `/echo`. */
  readonly setup?: (site: Site) => void;
  /** What the test is about; the ways that cannot do it are tried at that. */
  readonly needs?: HostCapabilityName;
  /** Whether the test ends the site, so that nobody can be served afterwards. */
  readonly endsSite?: boolean;
}

/** What each thing that a way cannot do says when it is asked for. */
const REFUSED: Partial<
  Record<HostCapabilityName, (connection: Connection) => unknown>
> = {
  ping: (connection) => connection.ping(),
  pause: (connection) => connection.pause(),
  terminate: (connection) => connection.terminate(),
  localAddress: (connection) => connection.localAddress,
};

async function assertUnsupported(
  reached: Reached,
  name: HostCapabilityName,
): Promise<void> {
  const { client, connection } = await reached.pair();
  await using _client = client;
  const error = assertThrows(
    () => REFUSED[name]!(connection),
    UnsupportedError,
    "on a hosted connection",
  );
  assertEquals(error.capability, name);
  // It has done no harm.
  assertEquals(connection.readyState, 1);
  client.sendFrame({ payload: "still there" });
  const { payload } = await client.readFrame();
  assertStringIncludes(Buffer.from(payload).toString(), "still there");
}

/** Runs `body` against a site on a way; afterwards everything must be in order. */
async function reach(
  way: Way,
  options: WayOptions,
  body: (reached: Reached) => Promise<void>,
): Promise<void> {
  const { setup, needs: _, endsSite = false, ...siteOptions } = options;
  const errors: Error[] = [];
  const site = new Site({
    onError: (error) => void errors.push(error),
    ...siteOptions,
  });
  site.addHandler("/echo", Echo, { origins: "*" });
  site.addHandler("/canary", Echo);
  setup?.(site);
  const opened = await way.open(site);
  const reached = new Reached(site, way, opened.target, errors);
  try {
    // Where the site ends it would be one more to be waited for.
    await using canary = endsSite
      ? undefined
      : await Canary.open(opened.target, "/canary");
    await body(reached);
    await canary?.assertAlive();
    assertEquals(errors.map(String), [], "the site reported errors");
  } finally {
    await site.shutdown({ timeoutMs: 1_000 });
    await opened.close();
  }
  assertEquals(site.connections.size, 0, "the site lists dead connections");
}

/** Defines a test on each way that the runtime at hand has. */
export function testWays(
  name: string,
  options: WayOptions,
  body: (reached: Reached) => Promise<void>,
): void {
  const { needs } = options;
  for (const way of WAYS) {
    if (!way.runtimes.includes(currentRuntime)) continue;
    if (needs === undefined || !way.cannot.has(needs)) {
      const run = () => reach(way, options, body);
      // So little time may be used up before anybody has asked.
      const isHasty = options.openTimeoutMs !== undefined;
      test(`${name} (${way.name})`, () => isHasty ? inSomeTry(run) : run());
    } else {
      test(`${name} (${way.name}: throws)`, () =>
        reach(way, {}, (reached) => assertUnsupported(reached, needs)));
    }
  }
}
