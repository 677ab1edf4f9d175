/** What keepalive costs a crowd (KA-3). */
import process from "node:process";
import {
  connectionSettings,
  connectionTicker,
  SocketConnection,
} from "../../connection.ts";
import {
  type Address,
  loadRuntime,
  type Transport,
  type TransportSink,
} from "../../runtime/transport.ts";
import { FakeClock } from "../../testing.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { frame } from "../harness/frame.ts";

const CROWD = 19_000;
const ADDRESS: Address = { transport: "tcp", hostname: "127.0.0.1", port: 1 };

/** A peer that answers Pings, and says nothing else. */
class Answering implements Transport {
  readonly remoteAddress = ADDRESS;
  readonly localAddress = ADDRESS;
  readonly secure = false;
  readonly givesChunks = false;
  readonly bufferedBytes = 0;
  writtenBytes = 0;
  sink!: TransportSink;
  readonly #pinged: () => void;

  constructor(pinged: () => void) {
    this.#pinged = pinged;
  }

  start(sink: TransportSink): void {
    this.sink = sink;
  }

  write(chunk: Uint8Array): boolean {
    this.writtenBytes += chunk.length;
    assertEquals([chunk[0], chunk[1]], [0x89, 4]);
    this.#pinged();
    const payload = chunk.slice(2);
    queueMicrotask(() =>
      this.sink.data(frame({ opcode: "pong", payload, mask: true }))
    );
    return true;
  }

  pause(): void {}

  resume(): void {}

  end(): void {}

  destroy(): void {
    queueMicrotask(() => this.sink.close());
  }
}

const NOBODY = {
  reportError: () => {},
  onClosing: () => {},
  onClosed: () => {},
};

test("KA-3: 19,000 connections share one timer, and their Pings spread", async () => {
  using clock = new FakeClock();
  const runtime = await loadRuntime();
  const settings = connectionSettings("test", {});
  let pings = 0;
  const connections = Array.from({ length: CROWD }, () => {
    const transport = new Answering(() => void pings++);
    const connection = new SocketConnection({
      role: "server",
      transport,
      settings,
      ticker: connectionTicker(settings, runtime),
      request: { method: "GET", url: "ws://test/", headers: new Headers() },
      params: {},
      subprotocol: "",
      extensions: [],
      transform: undefined,
      owner: NOBODY,
    });
    transport.start(connection.link);
    return connection;
  });
  assertEquals(clock.pendingTimers, 1);

  // Nothing is due yet, so that this is what the timer costs by itself. Measured: 0.15
  // to 0.4 % of a core (AMD EPYC) on Deno, Bun and Node alike. In the seconds in which
  // a fifth of all is pinged, and answers, everything together takes 4 to 10 %.
  const before = process.cpuUsage();
  await clock.advance(10_000);
  const { user, system } = process.cpuUsage(before);
  const share = (user + system) / 1_000 / 10_000;
  assert(
    share < 0.05,
    `the timer takes ${(share * 100).toFixed(2)} % of a CPU`,
  );
  assertEquals([pings, clock.pendingTimers], [0, 1]);

  const perSecond: number[] = [];
  for (let second = 10; second < 70; second++) {
    const soFar = pings;
    await clock.advance(1_000);
    perSecond.push(pings - soFar);
  }
  // All were opened in the same moment. Their first Pings spread over the last
  // quarter of the interval, their next ones over more.
  const rounds = [perSecond.slice(0, 12), perSecond.slice(12, 32)];
  for (const round of rounds) {
    const sum = round.reduce((a, b) => a + b, 0);
    assertEquals(sum, CROWD);
    const most = Math.max(...round);
    assert(most < CROWD / 4, `${most} Pings in one second`);
  }
  const busy = perSecond.slice(12, 32).filter((count) => count > CROWD / 100);
  assert(busy.length >= 8, `${busy.length} of 20 seconds`);
  assert(connections.every(({ readyState }) => readyState === 1));
  for (const connection of connections) connection.terminate();
});
