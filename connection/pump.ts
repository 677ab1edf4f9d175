/**
 * The order of things on one connection: events from the protocol go to the
 * handler's hooks, one at a time and never overlapping, or to the inbox.
 *
 * A synchronous hook costs a call. A hook that returns a promise stops the pump
 * until the promise settles; what arrives meanwhile waits, and when too much
 * waits reading pauses. Messages that wait to be asked for do not wait for it: it
 * may be the hook that asks.
 *
 * @module
 */

import type { ProtocolEvent } from "../codec.ts";
import { ClosedError, type CloseInfo } from "./close_info.ts";
import type { Hooks } from "./handler.ts";
import { Incoming } from "./incoming.ts";
import { Inbox, type Received, type Waiter } from "./inbox.ts";
import type { Link } from "./link.ts";
import { Owed } from "./owed.ts";
import { readOn, updateReading } from "./reading.ts";

const NO_EVENTS: readonly ProtocolEvent[] = [];

/** What follows when the promise of a hook settles. */
interface Resumption {
  readonly onSettled: () => void;
  readonly onFailed: (error: unknown) => void;
}

/** Delivers what one peer sends. */
export class Pump {
  /** Where events come from. */
  readonly link: Link;

  /** Messages that wait to be asked for; made when the first one does. */
  #inbox: Inbox | undefined;
  #hooks: Hooks | undefined;
  /** Whether messages go to the `message` hook rather than to the inbox. */
  #pushes = false;
  /** Whether a hook's promise is pending. */
  #isBusy = false;
  /** Whether events are being delivered, so that a hook may be on the stack. */
  #isRunning = false;
  /** Whether a hook has failed, or the connection was dropped: no more messages. */
  #isDeaf = false;
  #events: readonly ProtocolEvent[] = NO_EVENTS;
  #next = 0;
  /** Wire bytes that had been received when nothing waited last. */
  #handledBytes = 0;
  #owed: Owed | undefined;
  /** Bound once, and only where a hook is asynchronous. */
  #resumption: Resumption | undefined;

  /** @param link Where events come from. */
  constructor(link: Link) {
    this.link = link;
  }

  /** Whether nothing that was received waits to be handled. */
  get isIdle(): boolean {
    return (!this.#isBusy || this.#isAwaited) &&
      this.#next === this.#events.length &&
      !this.link.protocol.lastEventPending && this.#isConsumed;
  }

  /** Whether a hook is at work, or messages or pieces wait to be taken. */
  get isBehind(): boolean {
    const inbox = this.#inbox;
    return this.#isBusy || this.#incoming !== undefined ||
      inbox !== undefined && inbox.length > 0;
  }

  /**
   * Whether reading should pause, or stay paused.
   *
   * @param isPaused Whether it is paused: then a quarter of the marks counts, so
   * that reading does not stop and go with every message.
   */
  isFull(isPaused: boolean): boolean {
    const inbox = this.#inbox;
    const waiting = this.#events.length - this.#next +
      this.link.protocol.pendingEvents;
    if (waiting === 0 && inbox === undefined) return false;
    const { bytesReceived, settings } = this.link;
    const { receiveHighWaterBytes, receiveHighWaterMessages } = settings;
    const part = isPaused ? 4 : 1;
    const messages = inbox === undefined ? 0 : inbox.length;
    const size = inbox === undefined ? 0 : inbox.size;
    return waiting + messages >= receiveHighWaterMessages / part ||
      size >= receiveHighWaterBytes / part ||
      waiting > 0 &&
        bytesReceived - this.#handledBytes >= receiveHighWaterBytes;
  }

  /**
   * Starts with a handler.
   *
   * @param hooks The handler; its `open` comes first.
   * @param pushes Whether it takes messages by its `message` hook.
   */
  start(hooks: Hooks, pushes: boolean): void {
    this.#hooks = hooks;
    this.#pushes = pushes;
    this.#isRunning = true;
    this.#call(() => hooks.open());
    this.#isRunning = false;
    this.run();
  }

  /** Delivers what can be delivered now. */
  run(): void {
    // What a hook does may lead back here, such as a `send` that drains or a
    // `close` after which nothing has to wait: its turn comes when the hook is
    // done.
    if (this.#isRunning) return;
    this.#isRunning = true;
    let isStuck = false;
    while (this.#mayDeliver) {
      if (this.#next === this.#events.length && !this.#refill()) break;
      const event = this.#events[this.#next]!;
      if (event.type === "message" && this.#pushes) {
        this.#next++;
        if (!this.#isDeaf) this.#pushMessage(event.data);
      } else if (event.type === "message-chunk" && !this.#isChunkWanted) {
        isStuck = true;
        break;
      } else {
        this.#next++;
        this.#deliver(event);
      }
    }
    // Its pieces can still be taken, but not for that must the hook wait.
    const closed = isStuck ? this.#owed!.closed : undefined;
    if (closed !== undefined && !this.#isBusy) this.#callClose(closed);
    this.#isRunning = false;
    this.#account(isStuck);
  }

  /**
   * Acts on the last event, although a hook or the one who takes the messages has
   * not finished with what came before: it may itself wait for it.
   */
  overdue(): void {
    if (this.#inbox !== undefined) this.#inbox.isReleased = true;
    const last = this.link.protocol.takeLastEvent();
    if (last !== undefined) {
      this.#settle(last);
      this.#owe().last = last;
    }
    this.run();
  }

  /** Calls the `drain` hook when its turn comes. */
  drained(): void {
    if (this.#hooks === undefined) return;
    this.#owe().drain = true;
    this.run();
  }

  /** Calls the `close` hook once everything before it has been handled. */
  close(info: CloseInfo): void {
    this.#owe().closed = info;
    this.run();
  }

  /** Delivers no more messages to the handler. */
  deafen(): void {
    this.#isDeaf = true;
  }

  /** Takes the next message, if there is one, and no hook takes them. */
  tryTake(): Received | undefined {
    if (this.#pushes) return undefined;
    const message = (this.#inbox ??= new Inbox()).tryTake();
    if (message !== undefined) readOn(this.link);
    return message;
  }

  /** Waits for the next message, after `tryTake` has found none. */
  wait(waiter: Waiter): void {
    this.#inbox!.wait(waiter);
    // One who waits has finished with what came before: the end may come.
    if (this.#isAwaited) this.#goOnAwaited();
    updateReading(this.link);
  }

  /** Goes on, for somebody wants a piece of the message under way, or none more. */
  onWanted(): void {
    this.#goOnAwaited();
    readOn(this.link);
  }

  #goOnAwaited(): void {
    this.run();
    this.link.endWithPeer();
  }

  /**
   * Notes that whoever has taken messages so far takes no more of them: the end
   * need not wait until he asks again.
   */
  release(): void {
    if (this.#inbox === undefined || this.#inbox.isReleased) return;
    this.#inbox.isReleased = true;
    this.run();
    this.link.flush();
  }

  /** Whether somebody takes messages, and may not have had the time yet. */
  get isTaken(): boolean {
    return this.#inbox !== undefined && this.#inbox.isUsed ||
      this.#incoming !== undefined;
  }

  /** Whether messages may be taken by asking. */
  get pulls(): boolean {
    return !this.#pushes;
  }

  /**
   * Whether the last event may be taken, and answered. After our own Close frame
   * there is nothing to answer, and nothing that the one who takes the messages
   * could still send before.
   */
  get #mayEnd(): boolean {
    return this.#isConsumed || !this.link.isOpen;
  }

  /** Whether the one who takes the messages has finished with them. */
  get #isConsumed(): boolean {
    return this.#pushes || this.#isAwaited ||
      this.#inbox === undefined || !this.#inbox.isUsed ||
      this.#inbox.isReleased;
  }

  /** Whether somebody waits for a message, or for a piece of one. */
  get #isAwaited(): boolean {
    return this.#inbox !== undefined && this.#inbox.isAwaited ||
      this.#incoming !== undefined && this.#incoming.isWanted;
  }

  /** The message in pieces that is under way. */
  get #incoming(): Incoming | undefined {
    return this.#owed === undefined ? undefined : this.#owed.incoming;
  }

  /**
   * Whether events can be delivered: not while a hook is busy that takes messages,
   * unless it waits for the pieces of one.
   */
  get #mayDeliver(): boolean {
    return !this.#isBusy || !this.#pushes || this.#incoming !== undefined;
  }

  /** Whether the next piece can be handed on, or is to be dropped. */
  get #isChunkWanted(): boolean {
    const incoming = this.#incoming!;
    if (incoming.isWanted || incoming.isDiscarded) return true;
    if (incoming.mayBeCutOff && this.isFull(false)) incoming.cutOff();
    return incoming.isCutOff;
  }

  #endInbox(): void {
    this.#inbox ??= new Inbox();
    this.#inbox.end();
  }

  /** Gets more to deliver. */
  #refill(): boolean {
    const { protocol } = this.link;
    if (!this.#isBusy && this.#callOwed()) return this.#refill();
    if (!this.#mayDeliver) return false;
    const isLast = protocol.pendingEvents === 0;
    if (isLast && protocol.lastEventPending && !this.#mayEnd) {
      this.link.ending.keepWaiting();
      return false;
    }
    this.#events = protocol.takeEvents();
    this.#next = 0;
    if (this.#events.length > 0) {
      // Pieces that come to nothing count as well, so it may be the last one.
      this.#settle(this.#events[0]!);
      return true;
    }
    const last = this.#owed?.last;
    if (last !== undefined) {
      this.#owed!.last = undefined;
      this.#events = [last];
      return true;
    }
    const closed = this.#owed?.closed;
    if (closed !== undefined) this.#finish(closed);
    return false;
  }

  /** Calls one hook that had to wait for another; tells whether there was one. */
  #callOwed(): boolean {
    const hooks = this.#hooks;
    const owed = this.#owed;
    if (hooks === undefined || owed === undefined) return false;
    const { control, error } = owed;
    if (owed.drain) {
      owed.drain = false;
      this.#call(() => hooks.drain());
    } else if (control !== undefined) {
      owed.control = undefined;
      this.#deliver(control);
    } else if (error !== undefined) {
      owed.error = undefined;
      this.#tell(error);
    } else {
      return false;
    }
    return true;
  }

  #owe(): Owed {
    return this.#owed ??= new Owed();
  }
  #finish(info: CloseInfo): void {
    this.#endInbox();
    this.#breakOff(info);
    if (!this.#isBusy) this.#callClose(info);
  }

  #callClose(info: CloseInfo): void {
    const hooks = this.#hooks;
    this.#hooks = undefined;
    if (hooks !== undefined) this.#call(() => hooks.close(info));
  }

  /** Lets the link act on the last event, as soon as it has been taken. */
  #settle(event: ProtocolEvent): void {
    if (event.type === "close") this.link.ending.peerClosed();
    else if (event.type === "failed") this.link.ending.peerFailed(event.error);
  }

  #pushMessage(data: string | Uint8Array): void {
    this.link.messagesReceived++;
    try {
      const result = this.#hooks!.message(data);
      if (result !== undefined) this.#await(result);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Begins a message in pieces. */
  #begin(binary: boolean): void {
    const owed = this.#owe();
    // Once one was cut off nothing more is taken.
    if (owed.incoming !== undefined) return;
    const incoming = owed.incoming = new Incoming(this, binary);
    const hooks = this.#hooks;
    if (!this.#pushes) this.#keep(incoming);
    else if (this.#isDeaf || hooks === undefined) incoming.discard();
    else this.#call(() => incoming.handTo(hooks));
  }

  #end(): void {
    const incoming = this.#incoming!;
    if (incoming.isCutOff) return;
    this.link.messagesReceived++;
    this.#owed!.incoming = undefined;
    incoming.end();
  }

  /** Ends a message in pieces that will not be finished. */
  #breakOff(info: CloseInfo): void {
    const incoming = this.#incoming;
    if (incoming === undefined) return;
    this.#owed!.incoming = undefined;
    incoming.fail(new ClosedError(info));
  }

  #deliver(event: ProtocolEvent): void {
    switch (event.type) {
      case "message":
        this.link.messagesReceived++;
        this.#keep(event.data);
        break;
      case "message-begin":
        this.#begin(event.binary);
        break;
      case "message-chunk":
        if (this.#incoming!.isWanted) this.#incoming!.give(event.data);
        break;
      case "message-end":
        this.#end();
        break;
      case "ping":
        if (this.#isBusy) return void (this.#owe().control = event);
        this.#call(() => this.#hooks?.ping(event.payload));
        break;
      case "pong":
        this.link.pings.answer(event.payload);
        if (this.#isBusy) return void (this.#owe().control = event);
        this.#call(() => this.#hooks?.pong(event.payload));
        break;
      case "failed":
        this.#endInbox();
        this.#breakOff(this.link.info!);
        if (this.#isBusy) this.#owe().error = event.error;
        else this.#tell(event.error);
        break;
      case "close":
        this.#endInbox();
        this.#breakOff(this.link.info!);
        break;
    }
  }

  #keep(data: Received): void {
    const { isOpen, protocol, settings } = this.link;
    const inbox = this.#inbox ??= new Inbox();
    // After our Close frame reading does not pause any more, so that the peer's
    // is found; what nobody takes must not pile up until it is there. Once a
    // message is dropped all are: what can be taken has no gap.
    if (!isOpen && protocol.received === undefined) {
      inbox.isCut ||= inbox.length >= settings.receiveHighWaterMessages ||
        inbox.size >= settings.receiveHighWaterBytes;
    }
    if (!inbox.isCut) inbox.push(data);
    else if (data instanceof Incoming) data.cutOff();
  }

  #call(hook: () => void | Promise<void>): void {
    try {
      const result = hook();
      if (result !== undefined) this.#await(result);
    } catch (error) {
      this.#fail(error);
    }
  }

  #await(result: void | Promise<void>): void {
    // Anything but a promise is a mistake of the hook's that does no harm.
    if (typeof (result as Promise<void>)?.then !== "function") return;
    this.#isBusy = true;
    const { onSettled, onFailed } = this.#resumption ??= {
      onSettled: () => this.#resume(),
      onFailed: (error) => this.#resumeFailed(error),
    };
    (result as Promise<void>).then(onSettled, onFailed);
  }

  #resume(): void {
    this.#isBusy = false;
    if (this.#owed !== undefined) {
      this.#owed.isTelling = false;
      if (this.#pushes) this.#incoming?.release();
    }
    this.#goOn();
  }

  #resumeFailed(error: unknown): void {
    this.#isBusy = false;
    this.#isRunning = true;
    this.#fail(error);
    this.#isRunning = false;
    if (!this.#isBusy) this.#owe().isTelling = false;
    this.#goOn();
  }

  #goOn(): void {
    this.link.cork();
    this.run();
    this.link.uncorkSoon();
  }

  #fail(error: unknown): void {
    this.#isDeaf = true;
    const failure = this.link.owner.onHookFailed(error);
    // An `error` hook that fails itself is not told of that.
    if (!this.#owe().isTelling) this.#tell(failure);
  }

  /** Calls the `error` hook. */
  #tell(error: Error): void {
    const hooks = this.#hooks;
    if (hooks === undefined) return;
    const owed = this.#owe();
    owed.isTelling = true;
    this.#call(() => hooks.error(error));
    if (!this.#isBusy) owed.isTelling = false;
  }

  /** Keeps count of what waits in bytes, as far as the chunks tell. */
  #account(isStuck: boolean): void {
    const { bytesReceived, protocol } = this.link;
    const waits = this.#next < this.#events.length ||
      protocol.pendingEvents > 0;
    if (!waits) this.#handledBytes = bytesReceived;
    if (!this.#isBusy && !isStuck || !protocol.lastEventPending) return;
    // A hook may wait for just this: `await connection.close()`.
    if (this.link.isOpen) this.link.ending.keepWaiting();
    else this.overdue();
  }
}
