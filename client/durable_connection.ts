/**
 * One object for many connections.
 *
 * @module
 */

import type { Message } from "../codec.ts";
import {
  ClosedError,
  type Connection,
  mayCompress,
  type Sendable,
  type SendOptions,
  toMessage,
} from "../connection.ts";
import type { Attempts, RedialVerdict } from "./attempts.ts";
import type { DurableEnd, DurableOptions } from "./durable_options.ts";
import { Feed, messagesOf, release } from "./feed.ts";
import { callHook, HookFailure } from "./hook_failure.ts";
import { HookLimit } from "./hook_limit.ts";
import { Outbox } from "./outbox.ts";

/** Makes the attempts of one object, which end when the signal aborts. */
export type MakeAttempts<Data> = (signal: AbortSignal) => Attempts<Data>;

/**
 * Stays the same while connections come and go.
 *
 * As an async iterable it yields the messages of one connection after the other,
 * and ends after `close`. When there is an error behind its end, as when it gives
 * up, it throws that.
 *
 * @typeParam Data Type of `connection.data`.
 */
export class DurableConnection<Data = unknown>
  implements AsyncIterable<Message>, AsyncDisposable {
  readonly #options: DurableOptions<Data>;
  readonly #outbox: Outbox | undefined;
  readonly #stop: AbortController = new AbortController();
  readonly #closed: PromiseWithResolvers<DurableEnd> = Promise.withResolvers();
  readonly #attempts: Attempts<Data>;
  readonly #feed: Feed = new Feed();
  readonly #hookLimit: HookLimit = new HookLimit();
  #state: "connecting" | "open" | "down" | "closed" = "connecting";
  #connection: Connection<Data> | undefined;
  #end: DurableEnd | undefined;
  #isClosing = false;
  /** Messages in doubt that no hook is told of. */
  #inDoubt: readonly Message[] = [];

  /**
   * Use `redial(url).connect()`.
   *
   * @param makeAttempts Makes what opens connections.
   * @param signal Ends it all, at once.
   * @param options Hooks, and the outbox; checked.
   */
  constructor(
    makeAttempts: MakeAttempts<Data>,
    signal: AbortSignal | undefined,
    options: DurableOptions<Data>,
  ) {
    this.#options = options;
    this.#outbox = options.outbox && new Outbox(options.outbox);
    const abort = () => {
      void this.#connection?.close(1001);
      this.#limitHooks();
    };
    signal?.addEventListener("abort", abort);
    this.#attempts = makeAttempts(this.#stop.signal);
    void this.#run(signal).then((end) => {
      signal?.removeEventListener("abort", abort);
      this.#finish(end);
    });
  }

  /**
   * What it does: an attempt is under way (`connecting`), it is `open`, it waits
   * for the next attempt (`down`), or it is over (`closed`).
   */
  get state(): "connecting" | "open" | "down" | "closed" {
    return this.#state;
  }

  /**
   * The connection, while it is open. With an outbox do not use its `sendStream`:
   * messages that wait behind one would pass for confirmed too early.
   */
  get connection(): Connection<Data> | undefined {
    return this.#state === "open" ? this.#connection : undefined;
  }

  /** Milliseconds until the next attempt, while it waits for one. */
  get nextAttemptInMs(): number | undefined {
    return this.#attempts.wait?.leftMs;
  }

  /** Messages in the outbox, those included whose arrival is not confirmed. */
  get pendingMessages(): number {
    return this.#outbox?.length ?? 0;
  }

  /** Bytes of the messages in the outbox. */
  get pendingBytes(): number {
    return this.#outbox?.bytes ?? 0;
  }

  /** Settles when it is over. Never rejects. */
  get closed(): Promise<DurableEnd> {
    return this.#closed.promise;
  }

  /**
   * Sends one message, or keeps it for the next connection where there is an
   * outbox. Messages leave in call order, across connections.
   *
   * @param data Message. The outbox copies bytes; without it leave them unchanged,
   * as for `connection.send`.
   * @param options How to send it.
   * @returns Whether it was accepted: `false` when the outbox is full, there is
   * none and no open connection, or it is over.
   * @throws {TypeError} If `data` is neither a string nor bytes, or an option is
   * unknown or of the wrong kind.
   */
  send(data: Sendable, options?: SendOptions): boolean {
    const message = toMessage(data);
    // What is wrong must not wait in the outbox until it is found.
    mayCompress(options);
    if (this.#isClosing || this.#end !== undefined) return false;
    if (this.#outbox !== undefined) return this.#outbox.add(message, options);
    const { connection } = this;
    if (connection === undefined || connection.readyState !== 1) return false;
    connection.send(message, options);
    return true;
  }

  /**
   * Takes back, in order, what the outbox has accepted and not handed to a
   * connection yet, such as what nobody wants to read any more after so long.
   */
  takeUnsent(): Message[] {
    return this.#outbox?.takeAll() ?? [];
  }

  /**
   * Cuts a wait short: the next attempt begins now. For one who knows better, such
   * as that the network is back. A server's `Retry-After` is cut short as well.
   * Waits and attempts are counted on.
   *
   * @returns Whether there was a wait.
   */
  retryNow(): boolean {
    const { wait } = this.#attempts;
    wait?.cut();
    return wait !== undefined;
  }

  /**
   * Ends it. An open connection is sent what waits, as far as `sendMaxBytes` lets
   * it, then the closing handshake is done; a wait, or an attempt, is given up. A
   * hook that is under way is waited for. Idempotent.
   *
   * @param code Close code, as for `connection.close`.
   * @param reason At most 123 bytes of UTF-8.
   * @returns {@linkcode DurableConnection.closed}.
   * @throws {TypeError | RangeError} As `connection.close`, while one is open.
   */
  close(code?: number, reason?: string): Promise<DurableEnd> {
    if (this.#isClosing || this.#end !== undefined) return this.closed;
    const { connection } = this;
    if (connection !== undefined) this.#outbox?.flush();
    void this.#connection?.close(code, reason);
    this.#isClosing = true;
    this.#stop.abort();
    this.#limitHooks();
    return this.closed;
  }

  /**
   * Yields messages. One at a time: two loops would share them. What came on a
   * connection that was lost can still be taken; of those that came and went while
   * nobody asked, only the latest can.
   *
   * @throws {TypeError} If the `message` hook takes the messages.
   */
  [Symbol.asyncIterator](): AsyncGenerator<Message, void> {
    if (this.#options.message !== undefined) {
      throw new TypeError(
        "Cannot iterate: the message hook takes the messages",
      );
    }
    return this.#feed.messages();
  }

  /** Closes it, and waits until it is over. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #run(
    signal: AbortSignal | undefined,
  ): Promise<Omit<DurableEnd, "unsent" | "inDoubt">> {
    let isStopped = false;
    const hooks = this.#options;
    // No hook is called before its owner holds the object.
    await undefined;
    try {
      for (;;) {
        const connection = await this.#attempts.next({
          waiting: (...told) => callHook(() => hooks.waiting?.(...told)),
          connecting: (attempt) => {
            this.#state = "connecting";
            return callHook(() => hooks.connecting?.(attempt));
          },
          connectFailed: async (error, attempt) => {
            this.#state = "down";
            const verdict = await callHook(() =>
              hooks.connectFailed?.(error, attempt)
            );
            isStopped = verdict === "stop";
            return verdict;
          },
        });
        this.#connection = connection;
        // It may have aborted while nobody held the connection.
        if (signal?.aborted) void connection.close(1001);
        const verdict = await callHook(() =>
          this.#hookLimit.apply(this.#serve(connection))
        );
        if (this.#connection === connection) await this.#detach(connection);
        if (this.#isClosing) return { cause: "closed" };
        if (verdict === "stop") return { cause: "stopped" };
      }
    } catch (error) {
      if (error instanceof HookFailure) {
        return { cause: "failed", error: error.cause };
      }
      if (this.#isClosing) return { cause: "closed" };
      if (isStopped) return { cause: "stopped", error };
      return { cause: signal?.aborted ? "aborted" : "gave-up", error };
    }
  }

  /** Goes through the life of one connection. */
  async #serve(connection: Connection<Data>): Promise<RedialVerdict> {
    // It may have been closed while the attempt was about to end.
    if (this.#isClosing) void connection.close();
    try {
      await this.#open(connection);
      if (this.#options.message !== undefined) {
        for await (const message of messagesOf(connection)) {
          if (this.#end !== undefined) return;
          await this.#options.message(message);
        }
      }
    } catch (error) {
      // That the connection went away meanwhile, or goes, is no failure of a hook's.
      if (!(error instanceof ClosedError && connection.readyState !== 1)) {
        await connection.close(1011, "internal error");
        await this.#detach(connection);
        throw error;
      }
    }
    const info = await connection.closed;
    // The hook took too long.
    if (this.#end !== undefined) return;
    this.#state = "down";
    this.#connection = undefined;
    this.#attempts.ended(info);
    const inDoubt = this.#outbox?.detach(info) ?? [];
    return await this.#options.down?.({ info, inDoubt });
  }

  async #open(connection: Connection<Data>): Promise<void> {
    await this.#options.open?.(connection);
    if (this.#options.message === undefined) release(connection);
    if (connection.readyState === 1) {
      this.#state = "open";
      this.#outbox?.attach(connection as Connection);
    }
    this.#feed.goOn(connection as Connection);
  }

  /** Keeps what is in doubt of a connection that no hook will be told of. */
  async #detach(connection: Connection<Data>): Promise<void> {
    const info = await connection.closed;
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#inDoubt = this.#outbox?.detach(info) ?? [];
  }

  /**
   * Waits for hooks only so long from now on, or from the end of the connection: one
   * may itself wait for the end.
   */
  #limitHooks(): void {
    const gone = this.#connection?.closed ?? Promise.resolve();
    void gone.then(() => this.#hookLimit.begin());
  }

  #finish(end: Omit<DurableEnd, "unsent" | "inDoubt">): void {
    this.#state = "closed";
    this.#connection = undefined;
    this.#hookLimit.end();
    const unsent = this.#outbox?.takeAll() ?? [];
    this.#end = { ...end, unsent, inDoubt: this.#inDoubt };
    this.#closed.resolve(this.#end);
    this.#feed.end(end.error);
  }
}
