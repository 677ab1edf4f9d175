/**
 * A server that flaps for two minutes, with 200 clients that redial with the
 * defaults, over real sockets (LC-9, CI-19, B-8). `redial_flapping_test.ts` is the
 * same at a small scale; this one takes about four minutes, and is run by hand:
 *
 *     deno run -A --v8-flags=--expose-gc tests/client/redial_flapping_long.ts
 *     bun run tests/client/redial_flapping_long.ts
 *     node --expose-gc tests/client/redial_flapping_long.ts
 *
 * Half of the clients have `unconfirmed: "drop"`, half `"resend"`. What must hold:
 * fewer than 20 % of the clients try in any 100 ms, waits grow, messages come in
 * order, what is lost or comes twice was told as in doubt, and afterwards no timer,
 * file descriptor or heap is left. It exits with 1 where one of these does not.
 */
import { readdirSync } from "node:fs";
import process from "node:process";
import { type DurableConnection, redial } from "../../client.ts";
import { currentClock, useClock } from "../../connection/clock.ts";
import { type Server, Site } from "../../server.ts";
import { pause } from "../site/served.ts";

const CLIENTS = 200;
const SECONDS = Number(process.argv[2] ?? 120);
const hostname = "127.0.0.1";

/** Timers of the library that are set. */
const timers = new Set<unknown>();
const real = currentClock();
useClock({
  nowMs: () => real.nowMs(),
  setTimeout(callback, delayMs, unref) {
    const timer = real.setTimeout(
      () => {
        timers.delete(timer);
        callback();
      },
      delayMs,
      unref,
    );
    timers.add(timer);
    return timer;
  },
  clearTimeout(timer) {
    timers.delete(timer);
    real.clearTimeout(timer);
  },
});

const { Bun: bun, gc } = globalThis as unknown as {
  Bun?: { gc(isForced: boolean): void };
  gc?: () => void;
};

/** What the process holds. */
function holdings() {
  if (bun === undefined) gc?.();
  else bun.gc(true);
  const { heapUsed, rss } = process.memoryUsage();
  const mebibytes = (bytes: number) => Math.round(bytes / 2 ** 20 * 10) / 10;
  return {
    heapMiB: mebibytes(heapUsed),
    rssMiB: mebibytes(rss),
    timers: timers.size,
    // One of them is the folder that is read.
    fds: readdirSync("/proc/self/fd").length,
  };
}

/** What one client has sent, and the server got of it, by numbers from 0. */
class Tally {
  accepted = 0;
  received = 0;
  /** Numbers left out so far. */
  readonly lost: Set<number> = new Set();
  readonly twice: number[] = [];
  readonly inDoubt: Set<number> = new Set();
  late = 0;

  /** Notes that nothing more comes. */
  end(): void {
    for (let n = this.received; n < this.accepted; n++) this.lost.add(n);
  }

  arrive(number: number): void {
    if (number >= this.received) {
      for (let n = this.received; n < number; n++) this.lost.add(n);
      this.received = number + 1;
    } else if (this.lost.delete(number)) this.late++;
    else this.twice.push(number);
  }

  get unexplained(): number {
    const isKnown = (number: number) => this.inDoubt.has(number);
    return [...this.twice, ...this.lost].filter((n) => !isKnown(n)).length;
  }
}

const tallies = Array.from({ length: CLIENTS }, () => new Tally());
let opened = 0;
const site = new Site({ onError: () => {} });
site.addHandler("/", {
  open: () => void opened++,
  message(_, data) {
    const [at = "", number = ""] = String(data).split(" ");
    tallies[Number(at)]!.arrive(Number(number));
  },
});

/** Most of the clients that try within 100 ms, the very first attempts left out. */
class Spread {
  most = 0;
  readonly #times: number[] = [];
  #first = 0;

  note(): void {
    const now = performance.now();
    this.#times.push(now);
    while (this.#times[this.#first]! <= now - 100) this.#first++;
    this.most = Math.max(this.most, this.#times.length - this.#first);
  }
}

async function main(): Promise<void> {
  const before = holdings();
  let server: Server = await site.listen({ port: 0, hostname });
  const { port } = server.addr as { port: number };
  const spread = new Spread();
  /** Waits before attempts, by their number less 1. */
  const waitsMs: number[][] = [];
  const clients: DurableConnection[] = tallies.map((tally, at) =>
    redial(`ws://${hostname}:${port}/`).connect({
      outbox: { unconfirmed: at % 2 === 0 ? "drop" : "resend" },
      message: () => {},
      connecting({ number, delayMs, lastError }) {
        if (lastError !== undefined) spread.note();
        (waitsMs[number - 1] ??= []).push(Math.round(delayMs));
      },
      down({ inDoubt }) {
        for (const data of inDoubt) {
          tally.inDoubt.add(Number(String(data).split(" ")[1]));
        }
      },
    })
  );
  let isOver = false;
  const sending = (async () => {
    while (!isOver) {
      for (const [at, client] of clients.entries()) {
        const tally = tallies[at]!;
        if (client.send(`${at} ${tally.accepted}`)) tally.accepted++;
      }
      await pause(200);
    }
  })();

  console.log("before", before);
  const endMs = performance.now() + SECONDS * 1_000;
  for (let outage = 1; performance.now() < endMs; outage++) {
    await pause(8_000);
    console.log(`up ${outage}: opened ${opened}`, holdings());
    opened = 0;
    // With everybody dropped, or told to come again.
    if (outage % 2 === 1) {
      for (const peer of site.connections) peer.terminate();
    }
    await server.shutdown({ timeoutMs: 200, code: 1012 });
    await pause(2_000);
    server = await site.listen({ port, hostname });
  }
  isOver = true;
  await sending;
  const patienceMs = performance.now() + 100_000;
  const isPending = () => clients.some((client) => client.pendingMessages > 0);
  while (isPending() && performance.now() < patienceMs) await pause(100);
  console.log("all sent", holdings());
  const ends = await Promise.all(clients.map((client) => client.close()));
  clients.length = 0;
  await server.shutdown({ timeoutMs: 500 });
  await pause(1_000);
  const after = holdings();
  console.log("after", after);

  for (const tally of tallies) tally.end();
  const sum = (count: (tally: Tally, at: number) => number) =>
    tallies.reduce((total, tally, at) => total + count(tally, at), 0);
  const isDrop = (at: number) => at % 2 === 0;
  const result = {
    attempts: waitsMs.flat().length,
    mostIn100Ms: spread.most,
    longestWaitsMs: waitsMs.map((all) => Math.max(...all)).join(" "),
    accepted: sum(({ accepted }) => accepted),
    inDoubt: sum(({ inDoubt }) => inDoubt.size),
    lostByDrop: sum((tally, at) => isDrop(at) ? tally.lost.size : 0),
    lostByResend: sum((tally, at) => isDrop(at) ? 0 : tally.lost.size),
    twiceByDrop: sum((tally, at) => isDrop(at) ? tally.twice.length : 0),
    twiceByResend: sum((tally, at) => isDrop(at) ? 0 : tally.twice.length),
    outOfOrder: sum(({ late }) => late),
    unexplained: sum(({ unexplained }) => unexplained),
    unsent: ends.flatMap(({ unsent }) => unsent).length,
  };
  console.log(result);
  const holds = {
    "the spread": result.mostIn100Ms < CLIENTS * 0.2,
    // A few waits say little: each is shortened at random.
    "the growth": waitsMs.length > 4 &&
      waitsMs.slice(2).filter((all) => all.length >= 20).every((
        all,
        at,
        most,
      ) => at === 0 || Math.max(...all) > Math.max(...most[at - 1]!)),
    "the outbox": result.twiceByDrop + result.lostByResend +
        result.outOfOrder + result.unexplained +
        result.unsent === 0,
    "no timers": after.timers <= before.timers,
    // The runtime keeps some of its own, such as for names.
    "no descriptors": after.fds <= before.fds + 8,
    "no heap": after.heapMiB <= before.heapMiB + 8,
  };
  console.log(holds);
  if (Object.values(holds).includes(false)) process.exitCode = 1;
}

await main();
