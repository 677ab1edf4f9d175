/** RFC 8305: the order of addresses, and the race between them. */
import {
  ATTEMPT_DELAY_MS,
  type Endpoint,
  interleave,
  race,
} from "../../runtime/eyeballs.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";

function endpoints(...addresses: string[]): Endpoint[] {
  return addresses.map((address) => ({
    address,
    family: address.includes(":") ? 6 : 4,
  }));
}

/** A network of which the test says what happens, and a clock that it turns. */
class World {
  /** Addresses in the order of the attempts. */
  readonly started: string[] = [];
  readonly cancelled: string[] = [];
  readonly #ends = new Map<string, PromiseWithResolvers<string>>();
  #timer: { task: () => void; leftMs: number } | undefined;

  race(addresses: string[], signal?: AbortSignal): Promise<string> {
    return race(endpoints(...addresses), ({ address }) => {
      this.started.push(address);
      const end = Promise.withResolvers<string>();
      this.#ends.set(address, end);
      return {
        connected: end.promise,
        cancel: () => this.cancelled.push(address),
      };
    }, {
      delayMs: ATTEMPT_DELAY_MS,
      signal,
      schedule: (task, leftMs) => {
        assert(this.#timer === undefined, "two timers at once");
        const timer = this.#timer = { task, leftMs };
        return () => {
          if (this.#timer === timer) this.#timer = undefined;
        };
      },
    });
  }

  get isWaiting(): boolean {
    return this.#timer !== undefined;
  }

  /** Lets time pass. */
  pass(ms: number): void {
    const timer = this.#timer;
    if (timer === undefined || (timer.leftMs -= ms) > 0) return;
    this.#timer = undefined;
    timer.task();
  }

  connect(address: string): void {
    this.#ends.get(address)!.resolve(address);
  }

  async fail(address: string, code = "ECONNREFUSED"): Promise<void> {
    this.#ends.get(address)!.reject(
      Object.assign(new Error(`${code} ${address}`), { code }),
    );
    for (let i = 0; i < 5; i++) await Promise.resolve();
  }
}

test("happy eyeballs: families alternate, from that of the first address", () => {
  const ordered = (...addresses: string[]) =>
    interleave(endpoints(...addresses)).map(({ address }) => address);
  assertEquals(ordered("::1", "::2", "::3", "1.1.1.1", "1.1.1.2"), [
    ...["::1", "1.1.1.1", "::2", "1.1.1.2", "::3"],
  ]);
  assertEquals(ordered("1.1.1.1", "::1", "::2"), ["1.1.1.1", "::1", "::2"]);
  assertEquals(ordered("::1", "::1", "1.1.1.1", "::1"), ["::1", "1.1.1.1"]);
  assertEquals(ordered("1.1.1.1"), ["1.1.1.1"]);
  assertEquals(ordered(), []);
});

test("happy eyeballs: the next attempt begins after 250 ms, and the one before goes on", async () => {
  const world = new World();
  const racing = world.race(["a", "b", "c"]);
  assertEquals(world.started, ["a"]);
  world.pass(249);
  assertEquals(world.started, ["a"]);
  world.pass(1);
  assertEquals(world.started, ["a", "b"]);
  world.pass(250);
  assertEquals(world.started, ["a", "b", "c"]);
  assert(!world.isWaiting, "a timer for nothing");
  assertEquals(world.cancelled, []);
  world.connect("a");
  assertEquals(await racing, "a");
  assertEquals(world.cancelled, ["b", "c"]);
});

test("happy eyeballs: the first to connect wins, and nothing begins after it", async () => {
  const world = new World();
  const racing = world.race(["a", "b", "c"]);
  world.pass(250);
  world.connect("b");
  assertEquals(await racing, "b");
  assertEquals(world.cancelled, ["a"]);
  assert(!world.isWaiting, "a timer left behind");
  // Too late, and nobody's business.
  world.connect("a");
  assertEquals(world.started, ["a", "b"]);
});

test("happy eyeballs: after a failure the next attempt begins at once", async () => {
  const world = new World();
  const racing = world.race(["a", "b", "c"]);
  await world.fail("a");
  assertEquals(world.started, ["a", "b"]);
  // The delay counts from the latest attempt.
  world.pass(249);
  assertEquals(world.started, ["a", "b"]);
  world.pass(1);
  assertEquals(world.started, ["a", "b", "c"]);
  await world.fail("c");
  world.connect("b");
  assertEquals(await racing, "b");
  assertEquals(world.cancelled, []);
});

test("happy eyeballs: when all fail the error has every one", async () => {
  const world = new World();
  const racing = world.race(["a", "b", "c"]);
  const failed = assertRejects(() => racing, AggregateError);
  world.pass(250);
  await world.fail("b", "ETIMEDOUT");
  await world.fail("a");
  await world.fail("c");
  const error = await failed as AggregateError & { code?: string };
  assertEquals(
    error.message,
    "ETIMEDOUT b; ECONNREFUSED a; ECONNREFUSED c",
  );
  assertEquals([error.errors.length, error.code], [3, "ETIMEDOUT"]);
  assert(!world.isWaiting, "a timer left behind");
});

test("happy eyeballs: of one address the error is its own", async () => {
  const world = new World();
  const racing = world.race(["a"]);
  const failed = assertRejects(() => racing, Error, "ECONNREFUSED a");
  await world.fail("a");
  assert(!(await failed instanceof AggregateError));
});

test("happy eyeballs: an abort cancels what has begun, and rejects with its reason", async () => {
  const world = new World();
  const controller = new AbortController();
  const racing = world.race(["a", "b", "c"], controller.signal);
  const failed = assertRejects(() => racing, RangeError, "enough");
  world.pass(250);
  controller.abort(new RangeError("enough"));
  await failed;
  assertEquals(world.cancelled, ["a", "b"]);
  assert(!world.isWaiting, "a timer left behind");

  const early = new World();
  await assertRejects(
    () => early.race(["a"], AbortSignal.abort(new RangeError("before"))),
    RangeError,
    "before",
  );
  assertEquals(early.started, []);
});

test("happy eyeballs: by default it is setTimeout that waits", async () => {
  const started: string[] = [];
  const won = await race(endpoints("a", "b"), ({ address }) => {
    started.push(address);
    return {
      connected: address === "b" ? Promise.resolve(address) : new Promise(
        () => {},
      ),
      cancel: () => {},
    };
  }, { delayMs: 10 });
  assertEquals([won, started], ["b", ["a", "b"]]);
});
