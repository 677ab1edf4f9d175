/** Hooks that throw or reject, and what is told of it (HD-1). */
import { assert, assertEquals, test } from "../harness.ts";
import { type Behaviour, close, Rig, settle } from "./rig.ts";

const FAILING: (keyof Behaviour)[] = ["open", "message", "ping", "pong"];

test("HD-1: a hook that throws or rejects closes with 1011, told and reported once", async () => {
  for (const name of FAILING) {
    for (const isAsync of [false, true]) {
      const failure = new Error(`from ${name}`);
      await using rig = Rig.spied({
        [name]: () => {
          if (isAsync) return Promise.reject(failure);
          throw failure;
        },
      });
      rig.send({ opcode: "ping" }, { opcode: "pong" }, "a", "b");
      await settle();
      assert(rig.sent.includes("close 1011"), rig.sent.join());
      rig.send(close(1011));
      rig.far.end();
      const info = await rig.closed();
      await settle();
      assertEquals(info.error, failure);
      assertEquals(info.cause, "local");
      assertEquals(
        rig.reported,
        name === "ping" || name === "pong"
          ? rig.reported.slice(0, 1)
          : [failure],
      );
      const { calls } = rig.spy;
      assertEquals(
        calls.filter((call) => call === `error from ${name}`).length,
        1,
      );
      assertEquals(calls.at(-1), "close local");
      assert(!calls.includes("message b"), calls.join());
      assertEquals(rig.spy.overlaps, []);
    }
  }
});

test("HD-1: close that throws is reported, and nothing follows it", async () => {
  for (const isAsync of [false, true]) {
    const failure = new Error("from close");
    await using rig = Rig.spied({
      close: () => {
        if (isAsync) return Promise.reject(failure);
        throw failure;
      },
    });
    rig.send(close());
    rig.far.end();
    await rig.closed();
    await settle();
    assertEquals(rig.reported, [failure]);
    assertEquals(rig.spy.calls, ["open", "close peer"]);
  }
});

test("HD-1: an error hook that fails is reported, not told of itself", async () => {
  for (const isAsync of [false, true]) {
    const second = new Error("from error");
    await using rig = Rig.spied({
      message: () => {
        throw new Error("first");
      },
      error: () => {
        if (isAsync) return Promise.reject(second);
        throw second;
      },
    });
    rig.send("a");
    await settle();
    rig.send(close(1011));
    rig.far.end();
    await rig.closed();
    await settle();
    assertEquals(rig.reported.length, 2);
    assertEquals(rig.spy.calls, [
      "open",
      "message a",
      "error first",
      "close local",
    ]);
  }
});
