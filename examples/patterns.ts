/**
 * The patterns that most handlers are made of: consumer, producer, both at once,
 * and registration.
 *
 *     deno run -A examples/patterns.ts
 *     bun run examples/patterns.ts
 *     node examples/patterns.ts
 *
 * @module
 */

import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { type Connection, Site } from "@sockeye/sockeye";

/** Takes messages as they come. The loop ends when the peer leaves. */
async function consumer(connection: Connection) {
  for await (const message of connection) {
    console.log(`consumed ${message}`);
    if (message === "enough") break;
  }
  console.log("consumer ends");
}

/** Sends messages as they are made. `drained` throws when the peer has left. */
async function producer(connection: Connection, signal?: AbortSignal) {
  let count = 0;
  try {
    while (count < 20) {
      connection.send(`product ${++count}`);
      await connection.drained;
      await sleep(100, undefined, { signal });
    }
  } finally {
    const how = signal?.aborted ? "is cancelled" : "ends";
    console.log(`producer ${how} after ${count}`);
  }
}

/** Does both at once. The half that ends first ends the other. */
async function bothSides(connection: Connection) {
  const done = new AbortController();
  const halves = [consumer(connection), producer(connection, done.signal)];
  await Promise.race(halves).catch(() => {});
  done.abort();
  connection.close();
  await Promise.allSettled(halves);
  console.log("both have ended");
}

const registered = new Set<Connection>();

/** Keeps a list of its own of who is there. */
async function registration(connection: Connection) {
  registered.add(connection);
  try {
    for (const each of registered) each.send(`${registered.size} registered`);
    for await (const message of connection) {
      for (const each of registered) each.send(message);
    }
  } finally {
    registered.delete(connection);
    for (const each of registered) each.send(`${registered.size} registered`);
  }
}

const site = new Site();
site.addHandler("/consumer", consumer);
site.addHandler("/producer", (connection) => producer(connection));
site.addHandler("/both", bothSides);
site.addHandler("/registration", registration);

const { PORT = "8080", HOST = "127.0.0.1" } = process.env;
const server = await site.listen({ port: Number(PORT), hostname: HOST });
if (server.addr.transport === "tcp") {
  console.log(`Listening on ws://localhost:${server.addr.port}/`);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => server.shutdown());
}
