/** What the tests of a durable connection share. */
import {
  type DurableConnection,
  type DurableOptions,
  redial,
  type RedialOptions,
} from "../../client.ts";
import { settle } from "../../testing.ts";
import { URL, type World } from "./redialing.ts";

export const STEADY: RedialOptions = {
  delays: () => Array(1_000).fill(1_000),
  stableAfterMs: 0,
};

/** Keeps a connection while the body runs. */
export async function kept(
  world: World,
  options: DurableOptions,
  body: (durable: DurableConnection) => Promise<void>,
): Promise<void> {
  const durable = redial(URL, STEADY).connect(options);
  await settle();
  try {
    await body(durable);
  } finally {
    const closed = durable.close();
    await world.clock.advance(20_000);
    await closed;
  }
}
