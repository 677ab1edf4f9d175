import { Pings } from "../../connection/pings.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
  test,
} from "../harness.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

test("a Pong answers its Ping and those before it (RFC 6455, section 5.5.3)", async () => {
  const pings = new Pings();
  const settled: string[] = [];
  for (const name of ["a", "b", "c"]) {
    void pings.start(bytes(name.charCodeAt(0))).then(() => settled.push(name));
  }
  pings.answer(bytes(0x62));
  await Promise.resolve();
  assertEquals(settled, ["a", "b"]);
  assert(pings.latencyMs !== undefined && pings.latencyMs >= 0);
  pings.answer(bytes(0x63));
  await Promise.resolve();
  assertEquals(settled, ["a", "b", "c"]);
});

test("a Pong that nobody asked for answers nothing", () => {
  const pings = new Pings();
  pings.answer(bytes());
  void pings.start(bytes(1, 2));
  for (const payload of [bytes(), bytes(1), bytes(1, 2, 3), bytes(2, 1)]) {
    pings.answer(payload);
  }
  assertEquals(pings.latencyMs, undefined);
  pings.end(new Error("over"));
});

test("a payload that is under way is refused, and may be used again after it", async () => {
  const pings = new Pings();
  const first = pings.start(bytes(1));
  assertThrows(() => pings.start(bytes(1)), Error, "under way");
  pings.answer(bytes(1));
  await first;
  const second = pings.start(bytes(1));
  pings.answer(bytes(1));
  await second;
});

test("end() rejects all that are under way", async () => {
  const pings = new Pings();
  const both = [pings.start(bytes(1)), pings.start(bytes(2))];
  pings.end(new Error("over"));
  for (const one of both) await assertRejects(() => one, Error, "over");
  pings.end(new Error("twice"));
});

test("payloads of our own are four random bytes", () => {
  const made = new Set(Array.from({ length: 50 }, () => `${Pings.payload()}`));
  assertEquals(Pings.payload().length, 4);
  assert(made.size >= 49);
});
