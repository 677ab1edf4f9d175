/**
 * A server that flaps, over real sockets: 50 clients, some seconds (LC-9, CI-19;
 * a scaled form of 200 clients and 2 minutes, with all waits in proportion).
 */
import { type DurableConnection, redial } from "../../client.ts";
import { type Server, Site } from "../../server.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { freePort } from "../harness/free_port.ts";
import { seededRandom } from "../harness/random.ts";
import { pause, until } from "../site/served.ts";

const CLIENTS = 50;
const SECOND = 1_000;

/** A site that counts what comes, listening now and then. */
class Flapping {
  readonly received: string[] = [];
  /** When connections came, in milliseconds. */
  readonly openedMs: number[] = [];
  readonly site: Site = new Site({ onError: () => {} });
  readonly port: number;
  #server: Server | undefined;

  constructor(port: number) {
    this.port = port;
    this.site.addHandler("/", {
      open: () => void this.openedMs.push(performance.now()),
      message: (_, data) => void this.received.push(String(data)),
    });
  }

  async up(): Promise<void> {
    const hostname = "127.0.0.1";
    this.#server = await this.site.listen({ port: this.port, hostname });
  }

  /** Ends, with everybody dropped or told to come again. */
  async down(isKind: boolean): Promise<void> {
    if (!isKind) { for (const peer of this.site.connections) peer.terminate(); }
    await this.#server?.shutdown({ timeoutMs: 200, code: 1012 });
  }
}

/** Most of them in any 30 ms, which are to these waits as 100 ms to the defaults. */
function mostAtOnce(timesMs: readonly number[]): number {
  return Math.max(
    ...timesMs.map((start) =>
      timesMs.filter((time) => time >= start && time < start + 30).length
    ),
  );
}

for (const unconfirmed of ["drop", "resend"] as const) {
  test(`LC-9: a server flaps: clients spread, the outbox holds (${unconfirmed})`, async () => {
    const random = seededRandom(9);
    const flapping = new Flapping(await freePort());
    await flapping.up();
    const accepted: string[] = [];
    const inDoubt = new Set<string>();
    const delays: { number: number; delayMs: number }[] = [];
    const clients: DurableConnection[] = Array.from(
      { length: CLIENTS },
      () =>
        redial(`ws://127.0.0.1:${flapping.port}/`, {
          firstDelayMs: 0.6 * SECOND,
          minDelayMs: 0.9 * SECOND,
          maxDelayMs: 2 * SECOND,
          stableAfterMs: 30 * SECOND,
          random: () => random.below(1e9) / 1e9,
        }).connect({
          outbox: { unconfirmed },
          message: () => {},
          connecting: (attempt) => void delays.push(attempt),
          down(loss) {
            for (const data of loss.inDoubt) inDoubt.add(String(data));
          },
        }),
    );
    let isOver = false;
    const sending = (async () => {
      for (let n = 0; !isOver; n++) {
        for (const [at, client] of clients.entries()) {
          const text = `${at} ${n}`;
          if (client.send(text)) accepted.push(text);
        }
        await pause(20);
      }
    })();
    for (const isKind of [false, true, false]) {
      await until(
        () => flapping.openedMs.length >= CLIENTS,
        "all clients",
        30 * SECOND,
      );
      flapping.openedMs.length = 0;
      await flapping.down(isKind);
      await flapping.up();
    }
    await until(
      () => flapping.openedMs.length >= CLIENTS,
      "all clients, at last",
      30 * SECOND,
    );
    isOver = true;
    await sending;
    await until(
      () => clients.every(({ pendingMessages }) => pendingMessages === 0),
      "an empty outbox",
      30 * SECOND,
    );
    const ends = await within(
      Promise.all(clients.map((client) => client.close())),
      "the clients' end",
    );
    await flapping.down(true);
    assertEquals(ends.map(({ cause }) => cause), Array(CLIENTS).fill("closed"));

    // No stampede: they lose the server together, and choose times apart. (When
    // they arrive says more of how busy the machine is.)
    const delaysOf = (number: number) =>
      delays.filter((a) => a.number === number).map(({ delayMs }) => delayMs);
    for (const number of [2, 3, 4]) {
      const most = mostAtOnce(delaysOf(number));
      assert(most < CLIENTS * 0.4, `attempt ${number}: ${most} at once`);
    }
    // Waits grow: no connection was stable.
    const longest = (number: number) => Math.max(...delaysOf(number));
    const least = 0.9 * SECOND;
    assert(longest(3) <= least && longest(4) > least, "no growth");

    const counts = new Map<string, number>();
    for (const text of flapping.received) {
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    const twice = [...counts].filter(([, count]) => count > 1)
      .map(([text]) => text);
    const lost = accepted.filter((text) => !counts.has(text));
    // Only what `down` was told of may be either.
    const isKnown = (text: string) => inDoubt.has(text);
    if (unconfirmed === "drop") assertEquals(twice, []);
    else assertEquals(lost, []);
    assertEquals([...twice, ...lost].filter((text) => !isKnown(text)), []);
    assert(accepted.length > 20 * CLIENTS, `${accepted.length} sent`);
  });
}
