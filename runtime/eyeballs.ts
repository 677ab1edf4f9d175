/**
 * Which of a name's addresses to connect to: "Happy Eyeballs", RFC 8305. Attempts
 * begin one after the other, none waits for the one before to fail, and the
 * first that succeeds wins.
 *
 * @module
 */

/** An address that a name resolved to. */
export interface Endpoint {
  /** IP address, without brackets. */
  readonly address: string;
  /** 4 or 6. */
  readonly family: number;
}

/** A connection on its way to one address. */
export interface Attempt<T> {
  /** Settles when it is connected, or cannot be. */
  readonly connected: Promise<T>;
  /** Drops it, connected or not. */
  cancel(): void;
}

/** How {@linkcode race} goes about it. */
export interface RaceOptions {
  /** Milliseconds from one attempt to the next, unless one fails earlier. */
  readonly delayMs: number;
  /** Gives up when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Runs a task later, and returns what prevents it; `setTimeout` by default. */
  readonly schedule?: (task: () => void, delayMs: number) => () => void;
}

/**
 * RFC 8305, section 5: "a recommended value for the Connection Attempt Delay is
 * 250 milliseconds".
 */
export const ATTEMPT_DELAY_MS = 250;

/**
 * Orders addresses so that the families alternate, each in the order it had. RFC
 * 8305, section 4: "If the first address is in one family, the next one should be
 * an address in the other". An address that is there twice is kept once.
 *
 * @param endpoints As the resolver sorted them (RFC 6724).
 */
export function interleave(endpoints: readonly Endpoint[]): Endpoint[] {
  const unique = [...new Map(endpoints.map((end) => [end.address, end]))]
    .map(([, end]) => end);
  const first = unique.filter(({ family }) => family === unique[0]!.family);
  const other = unique.filter(({ family }) => family !== unique[0]!.family);
  const ordered: Endpoint[] = [];
  for (let i = 0; i < Math.max(first.length, other.length); i++) {
    ordered.push(...first.slice(i, i + 1), ...other.slice(i, i + 1));
  }
  return ordered;
}

/**
 * Connects to the address that answers first.
 *
 * @param endpoints In the order to try them; at least one.
 * @param attempt Begins to connect to one. It does not throw.
 * @param options How.
 * @returns What the first attempt to succeed gave; the others are cancelled.
 * @throws The only attempt's error; an {@linkcode AggregateError} of all of them,
 * with the `code` of the first; or the signal's reason.
 */
export function race<T>(
  endpoints: readonly Endpoint[],
  attempt: (endpoint: Endpoint) => Attempt<T>,
  options: RaceOptions,
): Promise<T> {
  return new Promise((resolve, reject) => {
    new Race(endpoints, attempt, options, resolve, reject).begin();
  });
}

class Race<T> {
  readonly #endpoints: readonly Endpoint[];
  readonly #attempt: (endpoint: Endpoint) => Attempt<T>;
  readonly #options: RaceOptions;
  readonly #resolve: (value: T) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #running = new Set<Attempt<T>>();
  readonly #errors: unknown[] = [];
  #started = 0;
  #isOver = false;
  #cancelNext: (() => void) | undefined;
  readonly #abort = (): void => {
    this.#end();
    this.#reject(this.#options.signal?.reason);
  };

  constructor(
    endpoints: readonly Endpoint[],
    attempt: (endpoint: Endpoint) => Attempt<T>,
    options: RaceOptions,
    resolve: (value: T) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#endpoints = endpoints;
    this.#attempt = attempt;
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  begin(): void {
    const { signal } = this.#options;
    signal?.addEventListener("abort", this.#abort);
    if (signal?.aborted) this.#abort();
    else this.#startNext();
  }

  #startNext(): void {
    this.#cancelNext?.();
    this.#cancelNext = undefined;
    const endpoint = this.#endpoints[this.#started++];
    if (endpoint === undefined) return;
    const attempt = this.#attempt(endpoint);
    this.#running.add(attempt);
    attempt.connected.then(
      (value) => this.#win(attempt, value),
      (error: unknown) => this.#lose(attempt, error),
    );
    if (this.#started === this.#endpoints.length) return;
    const { schedule = later, delayMs } = this.#options;
    this.#cancelNext = schedule(() => this.#startNext(), delayMs);
  }

  #win(attempt: Attempt<T>, value: T): void {
    // Cancelled in the moment that it connected.
    if (this.#isOver) return;
    this.#running.delete(attempt);
    this.#end();
    this.#resolve(value);
  }

  #lose(attempt: Attempt<T>, error: unknown): void {
    if (this.#isOver) return;
    this.#running.delete(attempt);
    this.#errors.push(error);
    // What has failed need not be waited for.
    this.#startNext();
    if (this.#running.size > 0) return;
    this.#end();
    this.#reject(joined(this.#errors));
  }

  /**
   * RFC 8305, section 5: "Once one of the connection attempts succeeds (generally
   * when the TCP handshake completes), all other connections attempts that have
   * not yet succeeded SHOULD be canceled."
   */
  #end(): void {
    this.#isOver = true;
    this.#options.signal?.removeEventListener("abort", this.#abort);
    this.#cancelNext?.();
    for (const attempt of this.#running) attempt.cancel();
  }
}

function later(task: () => void, delayMs: number): () => void {
  const timer = setTimeout(task, delayMs);
  return () => clearTimeout(timer);
}

/** All that went wrong, as one error. */
function joined(errors: readonly unknown[]): unknown {
  if (errors.length === 1) return errors[0];
  const message = errors.map((error) =>
    error instanceof Error ? error.message : String(error)
  ).join("; ");
  const { code } = errors[0] as { code?: unknown };
  return Object.assign(new AggregateError(errors, message), { code });
}
