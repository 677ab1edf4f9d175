/** CI-19: a server that flaps, seen from its side of the sockets. */
import { redial } from "../../client.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import type { RawClient } from "../harness/raw_client.ts";
import { RawServer, upgradeResponse } from "../harness/raw_server.ts";
import { inSomeTry } from "../harness/tries.ts";
import { until } from "../site/served.ts";

const STABLE_MS = 300;

/** Answers Pings for so long; returns the texts that came. */
async function textsOf(raw: RawClient, forMs: number): Promise<string[]> {
  const texts: string[] = [];
  const endMs = performance.now() + forMs;
  while (performance.now() < endMs) {
    const leftMs = Math.max(1, endMs - performance.now());
    const frame = await raw.readFrame(leftMs).catch(() => undefined);
    if (frame === undefined) break;
    const { opcode, payload } = frame;
    if (opcode === 1) texts.push(new TextDecoder().decode(payload));
    if (opcode === 9) raw.sendFrame({ opcode: "pong", mask: false, payload });
  }
  return texts;
}

test("CI-19: a server that flaps is left alone for longer and longer, until it is stable", () =>
  inSomeTry(async () => {
    await using server = await RawServer.listen();
    const attempts: number[] = [];
    const acceptedMs: number[] = [];
    await using durable = redial(`ws://127.0.0.1:${server.port}/`, {
      firstDelayMs: 0,
      minDelayMs: 30,
      delayFactor: 2,
      maxDelayMs: 240,
      jitter: 0,
      stableAfterMs: STABLE_MS,
      dial: ({ number }) => {
        attempts.push(number);
        return {};
      },
    }).connect({ outbox: { maxMessages: 3 } });
    const accept = async (): Promise<RawClient> => {
      const raw = await server.accept();
      acceptedMs.push(performance.now());
      raw.write(upgradeResponse(await raw.readHead()));
      return raw;
    };
    for (let round = 0; round < 6; round++) (await accept()).end();
    await until(() => durable.state === "down", "the loss");
    // Bounded: what is accepted while it is down, and what is not.
    const accepted = ["1", "2", "3", "4", "5"].map((text) =>
      durable.send(text)
    );
    assertEquals(accepted.slice(3), [false, false]);
    assertEquals(durable.pendingMessages, 3);
    const stable = await accept();
    assertEquals(await textsOf(stable, STABLE_MS + 200), ["1", "2", "3"]);
    assertEquals(durable.pendingMessages, 0);
    stable.reset();
    const next = await accept();
    // Nothing that was confirmed is sent again.
    assertEquals(await textsOf(next, 100), []);
    assertEquals(attempts, [1, 2, 3, 4, 5, 6, 7, 1]);
    const waitsMs = acceptedMs.slice(1).map((ms, at) => ms - acceptedMs[at]!);
    for (const [at, leastMs] of [0, 30, 60, 120, 240, 240].entries()) {
      assert(waitsMs[at]! >= leastMs - 5, `${at}: ${waitsMs}`);
    }
    void durable.close();
    next.reset();
    await within(durable.closed, "the end");
  }));
