/**
 * The program's own timers and dates, as far as they follow a fake clock.
 *
 * @module
 */

import type { FakeTimer, FakeTimers } from "./timers.ts";

type Callback = (...args: unknown[]) => void;

/** What `setTimeout` returns where timers are objects (Bun, Node). */
class FakeTimeout {
  readonly #id: number;

  constructor(id: number) {
    this.#id = id;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  [Symbol.toPrimitive](): number {
    return this.#id;
  }

  [Symbol.dispose](): void {
    globalThis.clearTimeout(this.#id);
  }
}

/** Whether timers are numbers here, as the web has them. */
function areNumbers(): boolean {
  const timer: unknown = setTimeout(() => {}, 0);
  clearTimeout(timer as number);
  return typeof timer === "number";
}

function timerFunctions(timers: FakeTimers): Record<string, unknown> {
  const isNumber = areNumbers();
  const timersById = new Map<number, FakeTimer>();
  let lastId = 0;
  const hold = (timer: FakeTimer): number | FakeTimeout => {
    timersById.set(++lastId, timer);
    return isNumber ? lastId : new FakeTimeout(lastId);
  };
  const clear = (handle: unknown): void => {
    const id = Number(handle);
    timers.clearTimeout(timersById.get(id));
    timersById.delete(id);
  };
  return {
    setTimeout: (callback: Callback, delayMs = 0, ...args: unknown[]) =>
      hold(timers.setTimeout(() => callback(...args), delayMs)),
    setInterval: (callback: Callback, delayMs = 0, ...args: unknown[]) =>
      hold(timers.setInterval(() => callback(...args), delayMs)),
    clearTimeout: clear,
    clearInterval: clear,
  };
}

/** `Date`, whose present is a fake clock's. */
function fakeDate(timers: FakeTimers): DateConstructor {
  const startMs = Date.now() - timers.timeMs;
  const now = () => startMs + timers.timeMs;
  return new Proxy(Date, {
    construct(target, args, newTarget) {
      return Reflect.construct(
        target,
        args.length === 0 ? [now()] : args,
        newTarget,
      );
    },
    apply: (target) => new target(now()).toString(),
    get: (target, name) => name === "now" ? now : Reflect.get(target, name),
  });
}

/** Replaces properties; returns what puts the ones before back. */
function replace(target: object, values: Record<string, unknown>): () => void {
  const before = Object.keys(values).map((name) =>
    [name, Object.getOwnPropertyDescriptor(target, name)] as const
  );
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(target, name, {
      value,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
  return () => {
    for (const [name, descriptor] of before) {
      if (descriptor === undefined) Reflect.deleteProperty(target, name);
      else Object.defineProperty(target, name, descriptor);
    }
  };
}

/**
 * Makes `setTimeout`, `setInterval`, `Date` and `performance.now` follow a clock.
 *
 * @param timers The clock.
 * @returns What puts the real ones back.
 */
export function replaceGlobals(timers: FakeTimers): () => void {
  const restores = [
    replace(globalThis, { ...timerFunctions(timers), Date: fakeDate(timers) }),
    replace(performance, { now: () => timers.timeMs }),
  ];
  return () => restores.forEach((restore) => restore());
}
