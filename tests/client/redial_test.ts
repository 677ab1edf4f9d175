/**
 * The loop of `redial`, on a network in memory, with a clock that is moved by hand
 * (WS27, CI-19).
 */
import {
  ClosedError,
  type Connection,
  dial,
  HandshakeError,
  redial,
  type RedialAttempt,
  type RedialOptions,
} from "../../client.ts";
import { settle } from "../../testing.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
  test,
} from "../harness.ts";
import { seededRandom } from "../harness/random.ts";
import { inWorld, URL, type World } from "./redialing.ts";

/** Attempts of a redialler that never gets through, until it gives up. */
async function attemptsOf(
  world: World,
  options: RedialOptions,
): Promise<{ attempts: RedialAttempt[]; error: unknown }> {
  const attempts: RedialAttempt[] = [];
  const first = redial(URL, {
    ...options,
    dial: (attempt) => {
      attempts.push(attempt);
      return {};
    },
  })[Symbol.asyncIterator]().next();
  const failed = first.then(() => undefined, (error) => error);
  await world.clock.advance(3_600_000);
  return { attempts, error: await failed };
}

test("WS27: waits are random up to 5 s, then 3.1 s and 1.618 times longer up to 90 s", () =>
  inWorld(async (world) => {
    const { attempts, error } = await attemptsOf(world, {
      maxAttempts: 12,
      jitter: 0,
      random: () => 0.5,
    });
    // Whole milliseconds, as a line in the log wants them.
    const delays = attempts.map(({ delayMs }) => delayMs);
    assertEquals(
      delays,
      [0, 2500, 3100, 5016, 8116, 13131, 21246, 34376, 55620, 89994, 9e4, 9e4],
    );
    assertEquals(
      attempts.map(({ number }) => number),
      [
        ...Array(12).keys(),
      ].map((n) => n + 1),
    );
    assert(error instanceof HandshakeError);
    assertEquals(error.reason, "connect-failed");
    assertEquals(attempts[0]!.lastError, undefined);
    assert(attempts[1]!.lastError instanceof HandshakeError);
  }));

test("WS27: every number is an option, and the same seed gives the same waits", () =>
  inWorld(async (world) => {
    const options: RedialOptions = {
      firstDelayMs: 100,
      minDelayMs: 200,
      delayFactor: 2,
      maxDelayMs: 1_000,
      jitter: 0.5,
      maxAttempts: 8,
    };
    const runs = [];
    for (const seed of [1, 1, 2]) {
      const random = seededRandom(seed);
      const { attempts } = await attemptsOf(world, {
        ...options,
        random: () => random.below(1e9) / 1e9,
      });
      runs.push(attempts.map(({ delayMs }) => delayMs));
    }
    assertEquals(runs[0], runs[1]);
    assert(runs[0]!.join() !== runs[2]!.join());
    for (const delays of runs) {
      const most = [0, 100, 200, 400, 800, 1000, 1000, 1000];
      for (const [at, delay] of delays.entries()) {
        assert(delay <= most[at]!, `${delay} over ${most[at]}`);
        if (at > 1) assert(delay >= most[at]! / 2, `${delay} too short`);
      }
    }
  }));

test("WS27: delays of one's own are taken, and it gives up when they end", () =>
  inWorld(async (world) => {
    const { attempts, error } = await attemptsOf(world, {
      delays: () => [5, 0, 7],
    });
    assertEquals(attempts.map(({ delayMs }) => delayMs), [0, 5, 0, 7]);
    assert(error instanceof HandshakeError);
  }));

test("WS27: giveUpAfterMs ends it before a wait that would be in vain", () =>
  inWorld(async (world) => {
    const { attempts } = await attemptsOf(world, {
      delays: () => Array(100).fill(1_000),
      giveUpAfterMs: 3_500,
    });
    assertEquals(attempts.length, 4);
  }));

test("WS27: statuses that may pass are tried again, the others are fatal", () =>
  inWorld(async (world) => {
    await world.listen();
    for (const status of [400, 401, 403, 404, 429, 500, 501, 502, 503, 504]) {
      world.refusal = new Response(null, { status });
      const { attempts, error } = await attemptsOf(world, { maxAttempts: 2 });
      const isRetried = [429, 500, 502, 503, 504].includes(status);
      assertEquals(attempts.length, isRetried ? 2 : 1, `${status}`);
      assertEquals((error as HandshakeError).status, status);
    }
  }));

test("WS27: shouldRetry decides", () =>
  inWorld(async (world) => {
    await world.listen();
    world.refusal = new Response(null, { status: 404 });
    const asked: [number | undefined, number][] = [];
    const { attempts } = await attemptsOf(world, {
      shouldRetry(error, { number }) {
        asked.push([(error as HandshakeError).status, number]);
        return number < 3;
      },
    });
    assertEquals(attempts.length, 3);
    assertEquals(asked, [[404, 1], [404, 2], [404, 3]]);
  }));

test("WS27: Retry-After is waited for, as seconds and as a date, up to a limit", () =>
  inWorld(async (world) => {
    await world.listen();
    const delayFor = async (
      headers: Record<string, string>,
      options: RedialOptions = {},
    ) => {
      world.refusal = new Response(null, { status: 503, headers });
      const { attempts } = await attemptsOf(world, {
        maxAttempts: 2,
        delays: () => [10],
        jitter: 0,
        ...options,
      });
      return attempts[1]!.delayMs;
    };
    assertEquals(await delayFor({ "Retry-After": "20" }), 20_000);
    assertEquals(
      await delayFor({
        "Date": "Wed, 21 Oct 2015 07:28:00 GMT",
        "Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT",
      }),
      30_000,
    );
    assertEquals(await delayFor({ "Retry-After": "soon" }), 10);
    assertEquals(await delayFor({ "Retry-After": "-5" }), 10);
    assertEquals(
      await delayFor({ "Retry-After": "9".repeat(400) }),
      600_000,
    );
    const options = { maxRetryAfterMs: 0 };
    assertEquals(await delayFor({ "Retry-After": "20" }, options), 10);
    const spread = { jitter: 0.5, random: () => 0.5 };
    assertEquals(await delayFor({ "Retry-After": "20" }, spread), 25_000);
  }));

test("CI-19: waits begin anew only after a connection that was stable", () =>
  inWorld(async (world) => {
    await world.listen();
    const attempts: RedialAttempt[] = [];
    const loop = redial(URL, {
      delays: () => [1_000, 2_000, 4_000, 8_000],
      stableAfterMs: 5_000,
      dial: (attempt) => {
        attempts.push(attempt);
        return {};
      },
    })[Symbol.asyncIterator]();
    const steps = [[0, 10], [1_000, 4_999], [2_000, 5_000], [1_000, 10]];
    for (const [delayMs, openForMs] of steps) {
      const next = loop.next();
      await world.clock.advance(delayMs!);
      const { value } = await next;
      await world.clock.advance(openForMs!);
      world.opened.at(-1)!.terminate();
      await settle();
      assertEquals(value.readyState, 3);
    }
    const end = loop.return(undefined as never);
    await world.clock.advance(1_000);
    await end;
    assertEquals(
      attempts.map(({ number, delayMs }) => [number, delayMs]),
      [[1, 0], [2, 1_000], [3, 2_000], [1, 1_000]],
    );
    assert(attempts[1]!.lastError instanceof ClosedError);
  }));

test("WS20: leaving the body closes the connection, and the loop goes on or ends", () =>
  inWorld(async (world) => {
    await world.listen();
    const seen: Connection[] = [];
    const looping = (async () => {
      for await (const connection of redial(URL)) {
        seen.push(connection);
        if (seen.length === 2) break;
      }
    })();
    await world.clock.advance(10_000);
    await looping;
    assertEquals(seen.map(({ readyState }) => readyState), [3, 3]);
    for (const connection of world.opened) {
      const { cause, code, wasClean } = await connection.closed;
      assertEquals([cause, code, wasClean], ["peer", 1000, true]);
    }
    assertEquals(world.opened.length, 2);
  }));

test("AB1: the URL and the options are asked for before each attempt", () =>
  inWorld(async (world) => {
    await world.listen();
    const seen: string[] = [];
    let tokens = 0;
    const looping = (async () => {
      const redialer = redial(
        ({ number }) => Promise.resolve(`${URL}?attempt=${number}`),
        {
          stableAfterMs: 1e6,
          dial: async () => {
            await Promise.resolve();
            return { headers: { "Authorization": `Bearer ${++tokens}` } };
          },
        },
      );
      for await (const { request } of redialer) {
        const { search } = new globalThis.URL(request.url);
        seen.push(`${search} ${request.headers.get("authorization")}`);
        if (seen.length === 3) break;
      }
    })();
    await world.clock.advance(20_000);
    await looping;
    assertEquals(seen, [
      "?attempt=1 Bearer 1",
      "?attempt=2 Bearer 2",
      "?attempt=3 Bearer 3",
    ]);
  }));

test("WS27: what a function of the attempt throws is fatal, unless shouldRetry knows it", () =>
  inWorld(async (world) => {
    for (const isKnown of [false, true]) {
      let asked = 0;
      const first = redial(URL, {
        maxAttempts: 3,
        ...(isKnown && { shouldRetry: () => true }),
        dial: () => {
          asked++;
          throw new Error("no token");
        },
      })[Symbol.asyncIterator]().next();
      const failed = assertRejects(() => first, Error, "no token");
      await world.clock.advance(100_000);
      await failed;
      assertEquals(asked, isKnown ? 3 : 1);
    }
  }));

test("WS27: a signal ends the wait, the attempt, and what it waits for", () =>
  inWorld(async (world) => {
    const never = new Promise<never>(() => {});
    for (const dialOptions of [{}, () => never]) {
      const controller = new AbortController();
      const { signal } = controller;
      const first = redial(URL, { signal, dial: dialOptions })
        [Symbol.asyncIterator]().next();
      const failed = assertRejects(() => first, Error, "enough");
      await settle();
      controller.abort(new Error("enough"));
      await failed;
      assertEquals(world.clock.pendingTimers, 0);
    }
    const signal = AbortSignal.abort(new Error("before"));
    await assertRejects(
      () => redial(URL, { signal })[Symbol.asyncIterator]().next(),
      Error,
      "before",
    );
  }));

test("WS27: a signal closes the connection that the body has", () =>
  inWorld(async (world) => {
    await world.listen();
    const controller = new AbortController();
    const { signal } = controller;
    let bodies = 0;
    const looping = (async () => {
      for await (const connection of redial(URL, { signal })) {
        bodies++;
        for await (const _ of connection);
      }
    })();
    const failed = assertRejects(() => looping, Error, "enough");
    await settle();
    controller.abort(new Error("enough"));
    await failed;
    assertEquals((await world.opened[0]!.closed).code, 1001);
    assertEquals([bodies, world.opened.length], [1, 1]);
  }));

test("options of redial are checked at once", () => {
  const wrong: [unknown, unknown, string][] = [
    [5, {}, "the URL"],
    ["nowhere", {}, "not a URL"],
    [URL, null, "not an object"],
    [URL, { headers: {} }, "headers; did you mean dial.headers?"],
    [URL, { headerz: {} }, "unknown option: headerz"],
    [URL, { dial: 5 }, "dial"],
    [URL, { dial: { header: {} } }, "unknown option: header"],
    [URL, { dial: { headers: [["x"]] } }, "no pair"],
    [URL, { delays: [1] }, "delays"],
    [URL, { shouldRetry: true }, "shouldRetry"],
    [URL, { random: 5 }, "random"],
    [URL, { signal: {} }, "signal"],
    [URL, { firstDelayMs: "5" }, "firstDelayMs"],
  ];
  for (const [url, options, message] of wrong) {
    assertThrows(
      () => redial(url as string, options as RedialOptions),
      TypeError,
      message,
    );
  }
  const outOfRange: [RedialOptions, string][] = [
    [{ minDelayMs: -1 }, "minDelayMs"],
    [{ delayFactor: 0.5 }, "delayFactor"],
    [{ jitter: 1.1 }, "jitter"],
    [{ maxAttempts: 0 }, "maxAttempts"],
    [{ giveUpAfterMs: NaN }, "giveUpAfterMs"],
  ];
  for (const [options, message] of outOfRange) {
    assertThrows(() => redial(URL, options), RangeError, message);
  }
});

test("dial options are those of dial", async () => {
  const options = { dial: () => ({ unknown: 1 }) } as RedialOptions;
  const loop = redial(URL, options)[Symbol.asyncIterator]();
  await assertRejects(() => loop.next(), TypeError, "unknown option: unknown");
  await assertRejects(() => dial(URL, { unknown: 1 } as object), TypeError);
});
