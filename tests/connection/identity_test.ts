/** Names of connections. */
import { assertEquals, assertMatch, test } from "../harness.ts";
import { nameOf } from "../../connection/identity.ts";
import { Rig } from "./rig.ts";

test("WS16: a connection has a short name of its own, always the same", async () => {
  await using one = new Rig();
  await using other = new Rig();
  const { id } = one.connection;
  assertMatch(id, /^[0-9a-z]{5}-[0-9a-z]{1,6}$/);
  assertEquals(one.connection.id, id);
  assertEquals(other.connection.id === id, false);
  // Of one process, so the same beginning.
  assertEquals(other.connection.id.slice(0, 6), id.slice(0, 6));
});

test("WS16: a hundred thousand names are all different", () => {
  const names = new Set<string>();
  for (let count = 0; count < 100_000; count++) names.add(nameOf({}));
  assertEquals(names.size, 100_000);
});
