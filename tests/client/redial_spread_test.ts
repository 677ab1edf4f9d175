/**
 * 5,000 clients that lose one server at the same moment, with the defaults, on a
 * network in memory (LC-9).
 */
import { type DurableConnection, redial } from "../../client.ts";
import { settle } from "../../testing.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { seededRandom } from "../harness/random.ts";
import { inWorld, URL, type World } from "./redialing.ts";

const CLIENTS = 5_000;
/** How many of them stay for a second outage. */
const STAYING = 1_000;

/** Most of them within any 100 ms. */
function mostAtOnce(timesMs: readonly number[]): number {
  const times = timesMs.toSorted((one, other) => one - other);
  let most = 0;
  for (let first = 0, last = 0; last < times.length; last++) {
    while (times[first]! <= times[last]! - 100) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

/** Lets the server go, and come back; tells when attempts began meanwhile. */
async function restart(world: World, attemptsMs: number[]): Promise<void> {
  for (const peer of world.site.connections) peer.terminate();
  await settle();
  await world.hangUp();
  attemptsMs.length = 0;
  await world.clock.advance(2_000);
  await world.listen();
  await world.clock.advance(20_000);
}

test("LC-9: 5,000 clients come back from a restart, under 20 % in any 100 ms", () =>
  inWorld(async (world) => {
    const random = seededRandom(9);
    const attemptsMs: number[] = [];
    await world.listen();
    const clients: DurableConnection[] = Array.from(
      { length: CLIENTS },
      () =>
        redial(URL, { random: () => random.below(1e9) / 1e9 }).connect({
          connecting: () => void attemptsMs.push(world.clock.nowMs),
        }),
    );
    for (const count of [CLIENTS, STAYING]) {
      await Promise.all(clients.splice(count).map((client) => client.close()));
      await world.clock.advance(count === CLIENTS ? 15_000 : 1_000);
      assertEquals(world.site.connections.size, count);
      await restart(world, attemptsMs);
      const most = mostAtOnce(attemptsMs);
      assert(most < count / 5, `${most} of ${count} at once`);
      // Two seconds of the first wait went to nobody.
      assert(attemptsMs.length > count, "some failed");
      assertEquals(world.site.connections.size, count);
    }
    await Promise.all(clients.map((client) => client.close()));
  }));
