/**
 * Calling the hooks of a handler, and what that may leave to do: to wait for the
 * promise of one, and with it for the calls of others, or to tell that it failed.
 *
 * @module
 */

import type { ProtocolEvent } from "../codec.ts";
import type { CloseInfo } from "./close_info.ts";
import type { Hooks } from "./handler.ts";
import type { Incoming } from "./incoming.ts";
import type { Link } from "./link.ts";

/** A Ping, or a Pong. */
type ControlEvent = Extract<
  ProtocolEvent,
  { readonly type: "ping" | "pong" }
>;

/** Calls that are due, and have to wait until another hook has ended. */
class Owed {
  /** Whether it is that of `drain`. */
  drain = false;
  /** The latest Ping or Pong to be told of. */
  control: ControlEvent | undefined;
  /** How the peer failed, which is to be told. */
  error: Error | undefined;
  /** How the connection ended, which is to be told after everything else. */
  closed: CloseInfo | undefined;
  /** Whether the `error` hook is under way, which is not told of itself. */
  isTelling = false;
}

/** What hooks have left to do. */
class Aftermath {
  /** Whether a hook's promise is pending. */
  isBusy = false;
  /** Whether a hook has failed, or the connection was dropped: no more messages. */
  isDeaf = false;
  owed: Owed | undefined;
  // Bound once, for the promises of all hooks.
  readonly onSettled: () => void;
  readonly onRejected: (error: unknown) => void;

  constructor(onSettled: () => void, onRejected: (error: unknown) => void) {
    this.onSettled = onSettled;
    this.onRejected = onRejected;
  }
}

/**
 * Calls the hooks of one handler, none while the promise of another is pending: of
 * what is not a message, that which has to be told meanwhile is owed.
 *
 * It is a base class rather than a part, which would be one more object for each
 * connection.
 */
export abstract class HookCaller {
  /** The link of the connection that is handled. */
  readonly link: Link;

  /** The handler, until its `close` has been called. */
  #hooks: Hooks | undefined;
  /** Made for the first hook that leaves something: synchronous ones do not. */
  #aftermath: Aftermath | undefined;

  /** @param link The link of the connection that is handled. */
  constructor(link: Link) {
    this.link = link;
  }

  /** The promise of a hook has been fulfilled. */
  protected abstract onSettled(): void;
  /** The promise of a hook has been rejected, which is to be handled by `fail`. */
  protected abstract onRejected(error: unknown): void;

  /** Whether there is a handler to be told. */
  protected get isHandled(): boolean {
    return this.#hooks !== undefined;
  }

  /** Whether a hook's promise is pending. */
  protected get isBusy(): boolean {
    return this.#aftermath !== undefined && this.#aftermath.isBusy;
  }

  /** Whether the handler gets no more messages. */
  protected get isDeaf(): boolean {
    return this.#aftermath !== undefined && this.#aftermath.isDeaf;
  }

  /** Delivers no more messages to the handler. */
  deafen(): void {
    this.#toAftermath().isDeaf = true;
  }

  /** Takes a handler, and calls its `open`. */
  protected callOpen(hooks: Hooks): void {
    this.#hooks = hooks;
    this.#call((hooks) => hooks.open());
  }

  /** Calls the `message` hook. */
  protected callMessage(data: string | Uint8Array): void {
    // As `#call`, without a closure for each message.
    try {
      const result = this.#hooks!.message(data);
      if (result !== undefined) this.#await(result);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Calls the `stream` hook; a message that nobody will read is discarded. */
  protected callStream(message: Incoming): void {
    if (this.isDeaf || !this.isHandled) message.discard();
    else this.#call((hooks) => message.handTo(hooks));
  }

  /** Calls the `ping` or `pong` hook, now or when its turn comes. */
  protected callControl(event: ControlEvent): void {
    if (this.isBusy) return void (this.#owe().control = event);
    const { type, payload } = event;
    this.#call((hooks) =>
      type === "ping" ? hooks.ping(payload) : hooks.pong(payload)
    );
  }

  /** Calls the `error` hook, now or when its turn comes. */
  protected callError(error: Error): void {
    if (!this.isHandled) return;
    const owed = this.#owe();
    if (this.isBusy) return void (owed.error = error);
    owed.isTelling = true;
    this.#call((hooks) => hooks.error(error));
    if (!this.isBusy) owed.isTelling = false;
  }

  /** Has the `drain` hook called when its turn comes. */
  protected oweDrain(): void {
    this.#owe().drain = true;
  }

  /** Leaves the `close` hook to be called, when everything has been delivered. */
  protected oweClose(info: CloseInfo): void {
    this.#owe().closed = info;
  }

  /** How the connection ended, if the `close` hook is due or was called. */
  protected get closed(): CloseInfo | undefined {
    return this.#aftermath?.owed?.closed;
  }

  /** Calls one hook that had to wait for another; tells whether there was one. */
  protected callOwed(): boolean {
    const owed = this.#aftermath?.owed;
    if (owed === undefined || this.isBusy) return false;
    const { control, error } = owed;
    if (owed.drain) {
      owed.drain = false;
      this.#call((hooks) => hooks.drain());
    } else if (control !== undefined) {
      owed.control = undefined;
      this.callControl(control);
    } else if (error !== undefined) {
      owed.error = undefined;
      this.callError(error);
    } else {
      return false;
    }
    return true;
  }

  /** Calls the `close` hook, if it is due and no other is at work: the last call. */
  protected callClose(): void {
    const info = this.closed;
    if (info === undefined || this.isBusy) return;
    const hooks = this.#hooks;
    this.#hooks = undefined;
    this.#call((hooks) => hooks.close(info), hooks);
  }

  /** Handles what a hook threw: it gets no more messages, and is told of it. */
  protected fail(error: unknown): void {
    this.deafen();
    const failure = this.link.owner.onHookFailed(error);
    const owed = this.#owe();
    // An `error` hook that fails itself is not told of that.
    if (owed.isTelling) owed.isTelling = false;
    else this.callError(failure);
  }

  #call(
    hook: (hooks: Hooks) => void | Promise<void>,
    hooks: Hooks | undefined = this.#hooks,
  ): void {
    if (hooks === undefined) return;
    try {
      const result = hook(hooks);
      if (result !== undefined) this.#await(result);
    } catch (error) {
      this.fail(error);
    }
  }

  #await(result: void | Promise<void>): void {
    // Anything but a promise is a mistake of the hook's that does no harm.
    if (typeof (result as Promise<void>)?.then !== "function") return;
    const aftermath = this.#toAftermath();
    aftermath.isBusy = true;
    (result as Promise<void>).then(aftermath.onSettled, aftermath.onRejected);
  }

  #owe(): Owed {
    return this.#toAftermath().owed ??= new Owed();
  }

  #toAftermath(): Aftermath {
    return this.#aftermath ??= new Aftermath(
      () => {
        const aftermath = this.#aftermath!;
        aftermath.isBusy = false;
        if (aftermath.owed !== undefined) aftermath.owed.isTelling = false;
        this.onSettled();
      },
      (error) => {
        this.#aftermath!.isBusy = false;
        this.onRejected(error);
      },
    );
  }
}
