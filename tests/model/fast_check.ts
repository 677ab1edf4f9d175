/**
 * As much of fast-check as is used here. It is loaded by a variable, for the files
 * of a checkout whose packages are not installed have to load, too.
 */

/** One step of a run: what it needs, and what it does to the model and the thing. */
export interface Command<Model, Real> {
  check(model: Readonly<Model>): boolean;
  run(model: Model, real: Real): Promise<void>;
  toString(): string;
}

/** A source of random values that can be made simpler. */
export interface Arbitrary<T> {
  map<U>(to: (value: T) => U): Arbitrary<U>;
}

interface Parameters {
  readonly numRuns?: number;
  readonly seed?: number;
  readonly path?: string;
}

/** What `import "fast-check"` gives. */
export interface FastCheck {
  assert(property: unknown, parameters: Parameters): Promise<void>;
  array<T>(
    arbitrary: Arbitrary<T>,
    constraints: { minLength?: number; maxLength: number },
  ): Arbitrary<T[]>;
  asyncProperty<T>(
    arbitrary: Arbitrary<T>,
    body: (value: T) => Promise<void>,
  ): unknown;
  asyncModelRun<Model, Real>(
    setup: () => { model: Model; real: Real },
    commands: Iterable<Command<Model, Real>>,
  ): Promise<void>;
  commands<Model, Real>(
    commands: readonly Arbitrary<Command<Model, Real>>[],
    constraints: {
      maxCommands?: number;
      size?: string;
      replayPath?: string;
    },
  ): Arbitrary<Iterable<Command<Model, Real>>>;
  constantFrom<T>(...values: readonly T[]): Arbitrary<T>;
  integer(constraints: { min: number; max: number }): Arbitrary<number>;
  tuple<A, B>(a: Arbitrary<A>, b: Arbitrary<B>): Arbitrary<[A, B]>;
  tuple<A, B, C>(
    a: Arbitrary<A>,
    b: Arbitrary<B>,
    c: Arbitrary<C>,
  ): Arbitrary<[A, B, C]>;
  oneof<T>(...arbitraries: readonly Arbitrary<T>[]): Arbitrary<T>;
  uint8Array(constraints: { maxLength: number }): Arbitrary<Uint8Array>;
  record<T extends Record<string, unknown>>(
    model: { [Name in keyof T]: Arbitrary<T[Name]> },
  ): Arbitrary<T>;
}

async function load(): Promise<FastCheck | undefined> {
  const specifier = "fast-check";
  try {
    return await import(specifier) as FastCheck;
  } catch {
    return undefined;
  }
}

/** fast-check; `undefined` where it is not installed. */
export const fastCheck: FastCheck | undefined = await load();
