/**
 * Compression with others: Python, `ws`, Bun's own WebSockets and Node's. That it was
 * agreed on is asserted on both ends, as far as theirs can tell, and that it is done
 * by the bytes that went over the wire.
 */
import { dial, type DialOptions } from "../../client.ts";
import {
  type CompressionOptions,
  type Connection,
  type ConnectionStats,
  Handler,
} from "../../connection.ts";
import { Site } from "../../server.ts";
import {
  assert,
  assertEquals,
  assertStringIncludes,
  testWhere,
} from "../harness.ts";
import {
  checkoutPath,
  Child,
  pythonPath,
  type RuntimeName,
  runtimePath,
  scriptArguments,
} from "../harness/child.ts";
import { within } from "../harness/deadline.ts";
import { certificate } from "../runtime/recorder.ts";
import { TLS_FILES } from "./peers.ts";

/** A program on the other side. */
interface DeflatePeer {
  readonly name: string;
  readonly missing: string | undefined;
  /** Whether it is asked to serve, to dial, or both. */
  readonly modes: readonly ("server" | "client")[];
  /** Whether its server can tell what was agreed on. */
  readonly tells: boolean;
  /** Whether it compresses what it sends. Node's client only inflates. */
  readonly compresses: boolean;
  start(mode: readonly string[]): Child;
}

function python(options: Record<string, unknown>): DeflatePeer {
  const script = checkoutPath("tests/interop/peers/deflate_peer.py");
  const json = JSON.stringify(options);
  return {
    name: `Python websockets ${json}`,
    missing: pythonPath === undefined ? "python3-websockets" : undefined,
    modes: ["server", "client"],
    tells: true,
    compresses: true,
    start: (mode) => new Child(pythonPath ?? "", [script, ...mode, json]),
  };
}

function script(
  runtime: RuntimeName,
  kind: "ws" | "native",
  modes: DeflatePeer["modes"],
  options: unknown = true,
): DeflatePeer {
  const path = runtimePath(runtime);
  const json = JSON.stringify(options);
  const args = scriptArguments(runtime, "tests/interop/peers/deflate_peer.mjs");
  return {
    name: `${kind} on ${runtime} ${json}`,
    missing: path === undefined ? runtime : undefined,
    modes,
    tells: kind === "ws",
    compresses: runtime !== "node" || kind === "ws",
    start: (mode) => new Child(path ?? "", [...args, kind, ...mode, json]),
  };
}

const BOTH = ["server", "client"] as const;
const PEERS: readonly DeflatePeer[] = [
  python({}),
  python({ server_max_window_bits: 9, client_max_window_bits: 10 }),
  python({
    server_no_context_takeover: true,
    client_no_context_takeover: true,
  }),
  script("node", "ws", BOTH),
  script("node", "ws", BOTH, {
    serverMaxWindowBits: 10,
    clientMaxWindowBits: 9,
    threshold: 0,
  }),
  script("node", "ws", BOTH, {
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
  }),
  script("node", "native", ["client"]),
  script("bun", "native", BOTH),
  script("bun", "native", ["server"], {
    compress: "dedicated",
    decompress: "dedicated",
  }),
];

/** Our side's wishes, from the defaults to the smallest. */
const WISHES: readonly CompressionOptions[] = [
  {},
  { serverMaxWindowBits: 9, clientMaxWindowBits: 9, thresholdBytes: 1 },
  { serverNoContextTakeover: true, clientNoContextTakeover: true },
];

/** Texts that resemble each other, short and long. */
const TEXTS = Array.from(
  { length: 40 },
  (_, index) => `{"index":${index},"of":"many"}`.repeat(1 + index ** 2),
);
const TEXT_BYTES = TEXTS.reduce((sum, { length }) => sum + length, 0);

/** Asserts that both directions were compressed, or ours alone. */
function assertCompressed(
  { payloadBytesSent, payloadBytesReceived }: ConnectionStats,
  { compresses }: DeflatePeer,
): void {
  const isLess = (bytes: number) => bytes < TEXT_BYTES / 5;
  assert(
    isLess(payloadBytesSent),
    `${payloadBytesSent} of ${TEXT_BYTES} bytes`,
  );
  assertEquals(
    isLess(payloadBytesReceived),
    compresses,
    `${payloadBytesReceived} of ${TEXT_BYTES} bytes`,
  );
}

async function isDialled(
  peer: DeflatePeer,
  child: Child,
  compression: CompressionOptions,
): Promise<void> {
  const closed = Promise.withResolvers<Connection>();
  class Echo extends Handler {
    override message(data: string | Uint8Array): void {
      this.connection.send(data);
    }
    override close(): void {
      closed.resolve(this.connection);
    }
  }
  const site = new Site({ compression });
  site.addHandler("/", Echo);
  await using server = await site.listen({ port: 0, hostname: "127.0.0.1" });
  if (server.addr.transport !== "tcp") throw new Error("Not on TCP");
  child.say(`ws://127.0.0.1:${server.addr.port}/`);
  const told = await child.json<{ extensions: string; echoes: boolean }>();
  assertStringIncludes(told.extensions, "permessage-deflate");
  assert(told.echoes, "an echo differs");
  const { extensions, stats } = await within(closed.promise, "the end");
  assertEquals(extensions[0]?.name, "permessage-deflate");
  assertCompressed(stats, peer);
}

async function dials(
  peer: DeflatePeer,
  url: string,
  options: DialOptions,
): Promise<void> {
  await using connection = await dial(url, options);
  assertEquals(connection.extensions[0]?.name, "permessage-deflate");
  if (peer.tells) {
    connection.send("extensions");
    const told = await within(connection.receive(), "an answer");
    assertStringIncludes(String(told), "permessage-deflate");
  }
  for (const text of TEXTS) {
    connection.send(text);
    const echo = await within(connection.receive(), "an echo");
    assert(echo === text, "an echo differs");
  }
  assertCompressed(connection.stats, peer);
}

for (const peer of PEERS) {
  if (peer.modes.includes("client")) {
    testWhere(
      peer.missing,
      `PM-10: ${peer.name} compresses with our site`,
      async () => {
        await using child = peer.start(["client"]);
        for (const wishes of WISHES) await isDialled(peer, child, wishes);
      },
    );
  }
  if (peer.modes.includes("server")) {
    testWhere(
      peer.missing,
      `PM-10: our dialer compresses with ${peer.name}`,
      async () => {
        await using child = peer.start(["server"]);
        const { port } = await child.json<{ port: number }>();
        for (const wishes of [{}, ...WISHES.slice(2)]) {
          const url = `ws://127.0.0.1:${port}/`;
          await dials(peer, url, { compression: wishes });
        }
      },
    );
    testWhere(
      peer.missing,
      `PM-10: our dialer compresses with ${peer.name} over TLS`,
      async () => {
        await using child = peer.start(["server", ...TLS_FILES]);
        const { port } = await child.json<{ port: number }>();
        const tls = { ca: certificate("ca.crt") };
        await dials(peer, `wss://127.0.0.1:${port}/`, { tls });
      },
    );
  }
}
