/** CI-18: servers that speak HTTP/2 and nothing else. */
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { dial, type DialOptions, HandshakeError } from "../../client.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  test,
} from "../harness.ts";
import { concat } from "../harness/bytes.ts";
import { within } from "../harness/deadline.ts";
import { certificate } from "../runtime/recorder.ts";
import { refusal } from "./dialing.ts";

const pair = { cert: certificate("leaf.crt"), key: certificate("leaf.key") };
const ca = certificate("ca.crt");

/** A frame (RFC 9113, section 4.1) on stream 0. */
function frame(type: number, payload: readonly number[] = []): Uint8Array {
  return Uint8Array.of(0, 0, payload.length, type, 0, 0, 0, 0, 0, ...payload);
}
const SETTINGS = frame(4);
/** GOAWAY with PROTOCOL_ERROR, as HTTP/1.1 is answered. */
const GOAWAY = frame(7, [0, 0, 0, 0, 0, 0, 0, 1]);
const PUSH_PROMISE = frame(5, [0, 0, 0, 2, 0x88]);
const HEADERS_1XX = frame(1, [0x48, 3, 0x31, 0x30, 0x33]);

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve());
  });
  return (server.address() as AddressInfo).port;
}

function failure(url: string, options: DialOptions): Promise<HandshakeError> {
  const failed = assertRejects(() => dial(url, options), HandshakeError);
  return within(failed, "the end of dial()");
}

test("CI-18: a server that sends HTTP/2 frames first is a clean error", async () => {
  const parts = [
    [SETTINGS],
    [SETTINGS, GOAWAY],
    [SETTINGS, PUSH_PROMISE, HEADERS_1XX, HEADERS_1XX],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", SETTINGS],
  ];
  for (const part of parts) {
    for (const ending of ["end", "reset", "go on"] as const) {
      const error = await refusal((raw) => {
        raw.write(concat(...part));
        if (ending === "go on") raw.write("\r\n\r\n".repeat(5_000));
        else raw[ending]();
      });
      assertMatch(error.reason, /^(malformed-response|closed-early)$/);
      assertEquals(error.status, undefined);
    }
  }
});

test("CI-18: node:http2 without TLS answers no upgrade", async () => {
  const server = createHttp2Server();
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => {});
  });
  server.on("sessionError", () => {});
  const port = await listening(server as unknown as Server);
  const error = await failure(`ws://127.0.0.1:${port}/`, {
    openTimeoutMs: 3_000,
  });
  assertMatch(
    error.reason,
    /^(malformed-response|closed-early|bad-status|open-timeout)$/,
  );
  for (const session of sessions) session.destroy();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

test("CI-18: a TLS server that knows h2 alone, with ALPN and without", async () => {
  const sockets = new Set<TLSSocket>();
  const server = createTlsServer(
    { ...pair, ALPNProtocols: ["h2"] },
    (socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.once("data", () => socket.end(concat(SETTINGS, GOAWAY)));
    },
  );
  server.on("tlsClientError", () => {});
  const url = `wss://127.0.0.1:${await listening(server)}/`;
  const silent = await failure(url, { tls: { ca } });
  assertMatch(silent.reason, /^(malformed-response|closed-early)$/);
  // RFC 7301, section 3.2: without a protocol in common there is no connection;
  // where a server leaves that out, what it says is nonsense all the same.
  const offered = await failure(url, {
    tls: { ca, alpnProtocols: ["http/1.1"] },
  });
  assertMatch(
    offered.reason,
    /^(tls-failed|malformed-response|closed-early)$/,
  );
  assert(offered.status === undefined);
  for (const socket of sockets) socket.destroy();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});
