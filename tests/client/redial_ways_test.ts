/**
 * Redialling with each option of `dial`, over sockets: each attempt begins anew,
 * and asks for everything again (B-8, AB1, WS27).
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import {
  type Connection,
  type DialOptions,
  HandshakeError,
  isRetryable,
  redial,
  type RedialOptions,
} from "../../client.ts";
import { type Server, Site } from "../../server.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { frame } from "../harness/frame.ts";
import type { RawClient } from "../harness/raw_client.ts";
import { headerOf, RawServer, upgradeResponse } from "../harness/raw_server.ts";
import { certificate } from "../runtime/recorder.ts";
import { AskingServer } from "./asking_server.ts";
import { Relay } from "./relay.ts";

const ca = certificate("ca.crt");
const pair = { cert: certificate("leaf.crt"), key: certificate("leaf.key") };
const ROUNDS = 3;

/** Hardly any wait, and no end to it. */
const SOON: RedialOptions = { delays: () => Array<number>(1_000).fill(5) };

/** Redials until so many connections were open; each is dropped at once. */
async function openTimes(
  url: string,
  options: RedialOptions,
  each: (connection: Connection) => void | Promise<void> = () => {},
): Promise<void> {
  let count = 0;
  const looping = (async () => {
    for await (const connection of redial(url, { ...SOON, ...options })) {
      await each(connection);
      // Not every server answers a Close frame.
      connection.terminate();
      if (++count === ROUNDS) break;
    }
  })();
  await within(looping, `${ROUNDS} connections, had ${count}`, 20_000);
}

async function listen(
  options: Parameters<Site["listen"]>[0] = { port: 0, hostname: "127.0.0.1" },
): Promise<[Server, number]> {
  const site = new Site();
  site.addHandler("/", async (connection) => {
    connection.send(connection.request.headers.get("authorization") ?? "");
    await connection.closed;
  });
  const server = await site.listen(options);
  const { addr } = server;
  return [server, addr.transport === "tcp" ? addr.port : 0];
}

/** An `Authorization` that is another one each time. */
class Tokens {
  count = 0;
  next(): DialOptions {
    return { headers: { Authorization: `Bearer ${++this.count}` } };
  }
}

test("B-8, WS23: redial begins at the first URL again, with all that a redirect dropped", async () => {
  await using first = await RawServer.listen();
  await using second = await RawServer.listen();
  const tokens = new Tokens();
  const looping = openTimes(`ws://127.0.0.1:${first.port}/`, {
    dial: () => ({ ...tokens.next(), maxRedirects: 1 }),
  });
  for (let round = 1; round <= ROUNDS; round++) {
    const asked = await first.accept();
    const head = await asked.readHead();
    assertEquals(headerOf(head, "Authorization"), `Bearer ${round}`);
    asked.write(
      `HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:${second.port}/\r\n\r\n`,
    );
    const opened = await second.accept();
    const redirected = await opened.readHead();
    assertEquals(headerOf(redirected, "Authorization"), undefined);
    opened.write(upgradeResponse(redirected));
    opened.write(frame({ opcode: "close" }));
    opened.end();
  }
  await looping;
});

for (const scheme of ["http", "socks5", "https"]) {
  test(`B-8, WS24: redial asks for a proxy at each attempt, and outlives one that is gone (${scheme}:)`, async () => {
    const [server, port] = await listen();
    await using _ = server;
    const isSecure = scheme === "https";
    await using relay = await Relay.listen({
      port,
      ...(isSecure && { tls: pair }),
      user: "me:secret",
    });
    const tokens = new Tokens();
    const proxies = ["127.0.0.1:1", `me:secret@127.0.0.1:${relay.port}`];
    const failures: unknown[] = [];
    let asked = 0;
    const seen: unknown[] = [];
    await openTimes("ws://name.test/", {
      dial: ({ lastError }) => {
        if (lastError instanceof HandshakeError) {
          failures.push(lastError.reason);
        }
        const url = `${scheme}://${proxies[asked++ % 2]}`;
        const proxy = isSecure ? { url, tls: { ca } } : url;
        return { ...tokens.next(), proxy };
      },
    }, async (connection) => void seen.push(await connection.receive()));
    assertEquals(seen, ["Bearer 2", "Bearer 4", "Bearer 6"]);
    assertEquals(failures, Array(ROUNDS).fill("proxy-failed"));
    assertEquals(relay.targets, Array(ROUNDS).fill("name.test:80"));
  });
}

test("B-8, WS24: a proxy that does not know us is fatal, one that is busy is not", async () => {
  for (const [status, isFatal] of [[407, true], [503, false]] as const) {
    await using proxy = await RawServer.listen();
    const reasons: unknown[] = [];
    const failing = (async () => {
      const loop = redial("ws://name.test/", {
        ...SOON,
        maxAttempts: ROUNDS,
        shouldRetry: (error) => {
          reasons.push((error as HandshakeError).status);
          return isRetryable(error);
        },
        dial: { proxy: `http://127.0.0.1:${proxy.port}` },
      });
      for await (const _ of loop) { /* Never. */ }
    })().catch((error: unknown) => error);
    for (let round = 0; round < (isFatal ? 1 : ROUNDS); round++) {
      const raw = await proxy.accept();
      await raw.readHead();
      raw.write(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
    }
    const error = await within(failing, "the end of redial()");
    assert(error instanceof HandshakeError);
    assertEquals([error.reason, error.status], ["proxy-failed", status]);
    assertEquals(reasons, Array(isFatal ? 1 : ROUNDS).fill(status));
  }
});

test("AB1, B-8: beforeConnect is asked at each attempt of redial, also after it failed", async () => {
  const [server, port] = await listen();
  await using _ = server;
  const tokens = new Tokens();
  const asked: string[] = [];
  const seen: unknown[] = [];
  await openTimes(`ws://127.0.0.1:${port}/`, {
    shouldRetry: () => true,
    dial: {
      headers: { Authorization: "stale" },
      async beforeConnect({ url, signal }) {
        asked.push(url);
        assertEquals(signal.aborted, false);
        await Promise.resolve();
        const revision = tokens.next();
        if (tokens.count % 2 === 1) throw new Error("no token");
        return revision as { headers: Record<string, string> };
      },
    },
  }, async (connection) => void seen.push(await connection.receive()));
  assertEquals(seen, ["Bearer 2", "Bearer 4", "Bearer 6"]);
  assertEquals(asked, Array(2 * ROUNDS).fill(`ws://127.0.0.1:${port}/`));
});

test("B-8, WS25: redial comes back to a Unix socket that was gone", async () => {
  const folder = mkdtempSync(`${tmpdir()}/sockeye-redial-`);
  const path = `${folder}/socket`;
  let server: Server | undefined;
  try {
    const tokens = new Tokens();
    const failures: unknown[] = [];
    const seen: unknown[] = [];
    await openTimes("ws://name.test/", {
      dial: async ({ lastError }) => {
        if (lastError instanceof HandshakeError) {
          failures.push(lastError.reason);
        }
        const options = tokens.next();
        if (tokens.count % 2 === 0) [server] = await listen({ path });
        return { ...options, path };
      },
    }, async (connection) => {
      seen.push(await connection.receive());
      assertEquals(connection.remoteAddress.transport, "unix");
      await server?.shutdown({ timeoutMs: 0 });
    });
    assertEquals(seen, ["Bearer 2", "Bearer 4", "Bearer 6"]);
    assertEquals(failures, Array(ROUNDS).fill("connect-failed"));
  } finally {
    await server?.shutdown({ timeoutMs: 0 });
    rmSync(folder, { recursive: true, force: true });
  }
});

test("B-8, TW16: redial shows its certificate at each attempt, a new one when it is asked", async () => {
  await using server = await AskingServer.listen(true);
  let attempts = 0;
  const failures: unknown[] = [];
  await openTimes(server.url, {
    dial: ({ lastError }) => {
      if (lastError instanceof HandshakeError) failures.push(lastError.reason);
      // Each other time the certificate is not at hand.
      return { tls: { ca, ...(++attempts % 2 === 0 && pair) } };
    },
  });
  assertEquals(attempts, 2 * ROUNDS);
  assertEquals(server.shown, Array(ROUNDS).fill(true));
  assertEquals(failures.length, ROUNDS);
  for (const reason of failures) {
    assert(/tls-failed|closed-early/.test(String(reason)), `${reason}`);
  }
});

/** Sends that much of a response and a message, and ends. */
async function breakOff(raw: RawClient, size: number): Promise<void> {
  const head = await raw.readHead();
  const bytes = new TextEncoder().encode(upgradeResponse(head));
  const all = [...bytes, ...frame({ payload: "whole" })];
  raw.write(Uint8Array.from(all.slice(0, size)));
  raw.end();
}

test("CI-13: a durable connection hears of each attempt once, wherever it breaks off", async () => {
  await using server = await RawServer.listen();
  const { length } = upgradeResponse("");
  const sizes = Array.from({ length: length + 8 }, (_, size) => size);
  const heard: string[] = [];
  const durable = redial(`ws://127.0.0.1:${server.port}/`, {
    delays: () => Array<number>(1_000).fill(0),
  }).connect({
    connectFailed(error) {
      heard.push((error as HandshakeError).reason);
    },
    down: ({ info }) => void heard.push(info.cause),
  });
  for (const size of sizes) await breakOff(await server.accept(), size);
  const last = await server.accept();
  await last.readHead();
  assertEquals(heard.length, sizes.length);
  assertEquals(heard, [
    ...Array(length).fill("closed-early"),
    ...Array(8).fill("transport-error"),
  ]);
  void durable.close();
  last.reset();
  await within(durable.closed, "the end");
});
