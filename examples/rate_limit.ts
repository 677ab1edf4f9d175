/**
 * Two ways to keep a client to a rate: make it wait, or send it away.
 *
 *     deno run -A examples/rate_limit.ts
 *     bun run examples/rate_limit.ts
 *     node examples/rate_limit.ts
 *
 * @module
 */

import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { Handler, Site } from "@sockeye/sockeye";

const MESSAGES_PER_SECOND = 20;
const BURST_MESSAGES = 10;

/** A bucket of tokens: each message takes one, and time puts them back. */
class Bucket {
  #tokens = BURST_MESSAGES;
  #atMs = performance.now();

  /** Takes a token; returns how long it takes until it is there, in milliseconds. */
  take(): number {
    const nowMs = performance.now();
    const grown = (nowMs - this.#atMs) / 1_000 * MESSAGES_PER_SECOND;
    this.#atMs = nowMs;
    this.#tokens = Math.min(BURST_MESSAGES, this.#tokens + grown) - 1;
    return Math.max(0, -this.#tokens) / MESSAGES_PER_SECOND * 1_000;
  }
}

/**
 * Makes it wait. The next message comes only when this hook has ended; meanwhile
 * reading pauses, and the network slows the client down. Nothing is lost.
 */
class Patient extends Handler {
  readonly #bucket = new Bucket();

  override async message(data: string | Uint8Array) {
    await sleep(this.#bucket.take());
    this.connection.send(data);
  }
}

/** Sends it away with 1008, "policy violation". */
class Strict extends Handler {
  readonly #bucket = new Bucket();

  override message(data: string | Uint8Array) {
    if (this.#bucket.take() === 0) this.connection.send(data);
    else this.connection.close(1008, "too many messages");
  }
}

const site = new Site();
site.addHandler("/patient", Patient);
site.addHandler("/strict", Strict);

const { PORT = "8080", HOST = "127.0.0.1" } = process.env;
const server = await site.listen({ port: Number(PORT), hostname: HOST });
if (server.addr.transport === "tcp") {
  console.log(`Listening on ws://localhost:${server.addr.port}/patient`);
  console.log(`      and on ws://localhost:${server.addr.port}/strict`);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => server.shutdown());
}
