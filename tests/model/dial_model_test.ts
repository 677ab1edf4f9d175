/**
 * CI-1 to CI-5 and CI-9 at random: whatever a server or a proxy answers, cut where
 * it may be, and whenever the caller gives up: `dial` settles, opens nothing that it
 * must not open, and leaves no socket.
 */
import process from "node:process";
import { type Connection, dial, HandshakeError } from "../../client.ts";
import { DIAL_FAILURES } from "../../codec/handshake_error.ts";
import { assert, assertEquals, testWhere } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { type Arbitrary, type FastCheck, fastCheck } from "./fast_check.ts";
import {
  type Answer,
  EARLY,
  type Head,
  ScriptedServer,
  type Way,
} from "./scripted_server.ts";

/** One attempt, and what it meets. */
interface Scene {
  readonly way: Way;
  /** The last one is given to every connection that comes after it. */
  readonly answers: readonly Answer[];
  readonly maxRedirects: number;
  /** After how many turns of the event loop the caller gives up; -1 for never. */
  readonly abortTurns: number;
}

/** Largest count of interim responses, see `ResponseHeadReader`. */
const MAX_INTERIM = 8;

const UPGRADES: readonly Head[] = [
  ...[
    {},
    { Server: "x", "Set-Cookie": "a=b" },
    { Upgrade: "WebSocket", Connection: "keep-alive, upgrade" },
    { "Content-Length": "0" },
  ].map((headers) => ({ kind: "upgrade", isRight: true, headers }) as const),
  ...[
    { Upgrade: undefined },
    { Connection: "close" },
    { "Sec-WebSocket-Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" },
    { "Sec-WebSocket-Protocol": "chat" },
    { "Sec-WebSocket-Extensions": "permessage-deflate" },
    { "Bad Name": "x" },
    { "Folded": "a\r\n b" },
  ].map((headers) => ({ kind: "upgrade", isRight: false, headers }) as const),
];

const TEXTS = [
  "HTTP/1.1 200 OK\r\n\r\n<html>",
  "HTTP/1.1 204 No\r\n\r\n",
  "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nno",
  "HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
  "HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\nnonsense",
  `HTTP/1.1 503 No\r\nContent-Length: 9999999999\r\n\r\n${"x".repeat(99_999)}`,
  "HTTP/1.0 101 Old\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
  "HTTP/2 101 New\r\n\r\n",
  `HTTP/1.1 101 ${"x".repeat(20_000)}\r\n\r\n`,
  `HTTP/1.1 101 x\r\n${"a: b\r\n".repeat(200)}\r\n`,
  "\r\n\r\n",
  "SSH-2.0-OpenSSH_9.2\r\n",
];

/** All of them lead to the server again. */
const LOCATIONS: readonly [location: string, isRight: boolean][] = [
  ["/", true],
  ["", true],
  ["?again", true],
  ["/#part", false],
  ["http://HOST/there", true],
  ["//user:password@HOST/", false],
  ["ws://HOST/#part", false],
  ["http://[", false],
  ["ftp://HOST/", false],
];

/** What a proxy may say that is no tunnel. */
const NO_TUNNELS = [
  "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\n\r\n",
  "HTTP/1.1 502 No\r\n\r\n",
  "HTTP/1.1 301 No\r\nLocation: http://127.0.0.1/\r\n\r\n",
  "HTTP/1.1 200 OK\r\n\r\nearly",
  "HTTP/1.1 101 OK\r\n\r\n",
  "\x05\xff",
  "\x05\x02",
  "\x04\x00",
];

function isRight(head: Head): boolean {
  return "isRight" in head && head.isRight;
}

function answers(fc: FastCheck): Arbitrary<Answer> {
  // What is right comes often: only behind it there is more to find.
  const right = fc.constantFrom(...UPGRADES.filter(isRight));
  const heads: Arbitrary<Head>[] = [
    right,
    right,
    fc.constantFrom(...UPGRADES),
    fc.constantFrom(...TEXTS).map((text) => ({ kind: "text", text })),
    fc.constantFrom(...LOCATIONS).map(([location, isRight]) => ({
      kind: "redirect",
      location,
      isRight,
    })),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => ({
      kind: "bytes",
      bytes,
    })),
  ];
  const few = fc.constantFrom(0, 0, 0, 1, MAX_INTERIM, MAX_INTERIM + 1);
  return fc.record<Record<keyof Answer, unknown>>({
    tunnel: fc.oneof<unknown>(
      fc.constantFrom(new Uint8Array(), new Uint8Array()),
      fc.constantFrom(...NO_TUNNELS).map((text) =>
        Uint8Array.from(text, (character) => character.charCodeAt(0))
      ),
      // None that begins as SOCKS 5 does: it could be right.
      fc.uint8Array({ maxLength: 50 }).map((bytes) =>
        bytes[0] === 5 ? bytes.subarray(1) : bytes
      ),
    ),
    interim: few,
    head: fc.oneof(...heads),
    percent: fc.oneof(
      fc.constantFrom(100),
      fc.constantFrom(100),
      fc.integer({ min: 0, max: 99 }),
    ),
    early: fc.constantFrom(...Object.keys(EARLY)),
    cuts: fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 6 }),
    ending: fc.constantFrom("end", "reset", "stay", "stay"),
  }) as Arbitrary<Answer>;
}

function scenes(fc: FastCheck): Arbitrary<Scene> {
  return fc.record<Record<keyof Scene, unknown>>({
    way: fc.constantFrom("direct", "direct", "http", "socks5"),
    answers: fc.array(answers(fc), { minLength: 1, maxLength: 3 }),
    maxRedirects: fc.integer({ min: 0, max: 2 }),
    abortTurns: fc.oneof(
      fc.constantFrom(-1, -1),
      fc.integer({ min: 0, max: 12 }),
    ),
  }) as Arbitrary<Scene>;
}

/** Whether it may open, and whether it must. */
function expectationOf(scene: Scene): "open" | "failure" | "either" {
  const { way, answers, maxRedirects, abortTurns } = scene;
  let isSure = abortTurns < 0;
  for (let hop = 0; hop <= maxRedirects; hop++) {
    const answer = answers[Math.min(hop, answers.length - 1)]!;
    const { head, interim, percent, tunnel, ending } = answer;
    if (way !== "direct" && tunnel.length > 0) return "failure";
    if (interim > MAX_INTERIM || percent < 100) return "failure";
    if (!isRight(head)) return "failure";
    // A reset may overtake what was sent before it.
    if (ending === "reset") isSure = false;
    if (head.kind === "upgrade") return isSure ? "open" : "either";
  }
  return "failure";
}

async function play(scene: Scene): Promise<void> {
  const { way, answers, maxRedirects, abortTurns } = scene;
  const expected = expectationOf(scene);
  await using server = await ScriptedServer.listen(way, answers);
  const at = `127.0.0.1:${server.port}`;
  const controller = new AbortController();
  const gaveUp = new Error("gave up");
  const dialing = dial(`ws://${at}/`, {
    maxRedirects,
    compression: false,
    signal: controller.signal,
    // What must open has the time that it needs.
    openTimeoutMs: expected === "failure" ? 60 : 10_000,
    ...(way !== "direct" && { proxy: `${way}://${at}` }),
  });
  const outcome = dialing.catch((error: unknown) => error);
  if (abortTurns >= 0) {
    await turns(abortTurns);
    controller.abort(gaveUp);
  }
  const settled = await within(outcome, "the end of dial()");
  if (settled instanceof Error) {
    assert(expected !== "open", `${settled}`);
    checkError(settled, gaveUp);
  } else {
    assert(expected !== "failure", "it opened");
    const connection = settled as Connection;
    connection.terminate();
    await within(connection.closed, "the end of the connection");
  }
  await server.allLeft();
}

function checkError(error: Error, gaveUp: Error): void {
  if (error === gaveUp) return;
  assert(error instanceof HandshakeError, `${error}`);
  assert(Object.hasOwn(DIAL_FAILURES, error.reason), error.reason);
  assert(error.message.length > 0 && !error.message.includes("\n"));
  assertEquals(error.status === undefined, error.headers === undefined);
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
  }
}

testWhere(
  fastCheck === undefined ? "fast-check" : undefined,
  "CI-1: dial settles, opens nothing wrong and leaves nothing, whatever it is answered and when it is given up",
  async () => {
    const fc = fastCheck!;
    const { SOCKEYE_SEED, SOCKEYE_PATH, SOCKEYE_RUNS } = process.env;
    let deadlineMs = performance.now() + 4_000;
    const property = fc.asyncProperty(scenes(fc), async (scene) => {
      // Not fast-check's own limit, which leaves the run that is under way alone.
      if (SOCKEYE_RUNS === undefined && performance.now() > deadlineMs) return;
      try {
        await play(scene);
      } catch (error) {
        // There must be time to find a shorter one.
        deadlineMs = performance.now() + 4_000;
        throw error;
      }
    });
    await fc.assert(property, {
      numRuns: Number(SOCKEYE_RUNS ?? 200),
      ...(SOCKEYE_SEED !== undefined && { seed: Number(SOCKEYE_SEED) }),
      ...(SOCKEYE_PATH !== undefined && { path: SOCKEYE_PATH }),
    });
  },
);
