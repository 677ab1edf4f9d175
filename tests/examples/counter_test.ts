/** `examples/counter.ts` and `clock.ts`: the same for all who look. */
import type { Connection } from "../../client.ts";
import { assert, assertEquals, test } from "../harness.ts";
import {
  closed,
  Example,
  receiveJson,
  receiveText,
  receiveTexts,
} from "./example.ts";

interface Event {
  readonly type: "users" | "value";
  readonly count?: number;
  readonly value?: number;
}

/** Collects what the counter tells until it has told a number of values. */
async function watch(connection: Connection, values: number): Promise<{
  values: (number | undefined)[];
  users: (number | undefined)[];
}> {
  const seen = {
    values: [] as (number | undefined)[],
    users: [] as (number | undefined)[],
  };
  while (seen.values.length < values) {
    const event = await receiveJson<Event>(connection);
    if (event.type === "value") seen.values.push(event.value);
    else seen.users.push(event.count);
  }
  return seen;
}

test("A6: counter.ts shows one serial order of values to all", async () => {
  await using example = await Example.run("counter");
  const connections = await Promise.all(
    Array.from({ length: 5 }, () => example.dial("/counter")),
  );
  // All are in before the first one acts.
  for (const connection of connections) {
    assertEquals(await receiveJson<Event>(connection), {
      type: "value",
      value: 0,
    });
    while ((await receiveJson<Event>(connection)).count !== 5);
  }
  const rounds = 20;
  const seen = connections.map((connection) =>
    watch(connection, rounds * connections.length)
  );
  for (let round = 0; round < rounds; round++) {
    for (const [index, connection] of connections.entries()) {
      connection.send(index % 2 === 0 ? "plus" : "minus");
    }
  }
  const orders = (await Promise.all(seen)).map(({ values }) => values);
  for (const order of orders) assertEquals(order, orders[0]);
  assertEquals(orders[0]!.at(-1), rounds);
  let before = 0;
  for (const value of orders[0]!) {
    assertEquals(Math.abs(value! - before), 1);
    before = value!;
  }
  const [first, ...others] = connections;
  for (const [index, connection] of others.entries()) {
    await connection.close();
    const { count } = await receiveJson<Event>(first!);
    assertEquals(count, others.length - index);
  }
  first!.send("times");
  assertEquals((await closed(first!)).code, 1008);
});

test("A6: clock.ts tells all the same time, each second, and at once", async () => {
  await using example = await Example.run("clock");
  await using one = await example.dial("/clock");
  await using other = await example.dial("/clock");
  const times = async (connection: Connection): Promise<string[]> => {
    const first = await receiveText(connection);
    assertEquals(new Date(first).toISOString(), first);
    return await receiveTexts(connection, 4);
  };
  const [ones, others] = await Promise.all([times(one), times(other)]);
  // Who came first may have been told before the other was there.
  const start = ones.indexOf(others[0]!);
  assert(start >= 0, `${ones} and ${others}`);
  assertEquals(ones.slice(start), others.slice(0, ones.length - start));
  // One that was late may be followed by the next at once.
  const passedMs = Date.parse(ones[3]!) - Date.parse(ones[0]!);
  assert(passedMs > 500, `three seconds took ${passedMs} ms`);
});
