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
import type { CloseInfo } from "./close_info.ts";
import type { Hooks } from "./handler.ts";
import { HookCaller } from "./hook_caller.ts";
import { Inbox, type Received, type Waiter } from "./inbox.ts";
import type { Intake } from "./link_owner.ts";
import { Pieces, type PieceSource } from "./pieces.ts";
import { readOn, updateReading } from "./reading.ts";

const NO_EVENTS: readonly ProtocolEvent[] = [];

/** Delivers what one peer sends. */
export class Pump extends HookCaller implements Intake, PieceSource {
  /** Whether messages go to the `message` hook rather than to the inbox. */
  #pushes = false;
  /** Whether events are being delivered, so that a hook may be on the stack. */
  #isRunning = false;
  #events: readonly ProtocolEvent[] = NO_EVENTS;
  #next = 0;
  /** Wire bytes that had been received when nothing waited last. */
  #handledBytes = 0;
  /** The last event, where it was acted on before its turn. */
  #last: ProtocolEvent | undefined;

  /** Messages that wait to be asked for; made when the first one does. */
  #inbox: Inbox | undefined;
  /** Made when the first message in pieces begins. */
  #pieces: Pieces | undefined;

  // What the link asks.

  get isIdle(): boolean {
    return (!this.isBusy || this.#isAwaited) &&
      this.#next === this.#events.length &&
      !this.link.protocol.lastEventPending && this.#isConsumed;
  }

  get isBehind(): boolean {
    return this.isBusy || this.#isInPieces ||
      this.#inbox !== undefined && this.#inbox.length > 0;
  }

  get isTaken(): boolean {
    return this.#isInPieces ||
      this.#inbox !== undefined && this.#inbox.isUsed;
  }

  isFull(isPaused: boolean): boolean {
    const inbox = this.#inbox;
    const waiting = this.#events.length - this.#next +
      this.link.protocol.pendingEvents;
    if (waiting === 0 && inbox === undefined) return false;
    const { bytesReceived, settings } = this.link;
    const { receiveHighWaterBytes, receiveHighWaterMessages } = settings;
    // Where it is paused a quarter of the marks counts, so that reading does not
    // stop and go with every message.
    const part = isPaused ? 4 : 1;
    const messages = inbox === undefined ? 0 : inbox.length;
    const size = inbox === undefined ? 0 : inbox.size;
    return waiting + messages >= receiveHighWaterMessages / part ||
      size >= receiveHighWaterBytes / part ||
      waiting > 0 &&
        bytesReceived - this.#handledBytes >= receiveHighWaterBytes;
  }

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
        if (this.isDeaf) continue;
        this.link.messagesReceived++;
        this.callMessage(event.data);
      } else if (event.type === "message-chunk" && !this.#pieces!.mayPass) {
        isStuck = true;
        break;
      } else {
        this.#next++;
        this.#deliver(event);
      }
    }
    // Its pieces can still be taken, but not for that must the hook wait.
    if (isStuck) this.callClose();
    this.#isRunning = false;
    this.#account(isStuck);
  }

  overdue(): void {
    if (this.#inbox !== undefined) this.#inbox.isReleased = true;
    const last = this.link.protocol.takeLastEvent();
    if (last !== undefined) {
      this.#settle(last);
      this.#last = last;
    }
    this.run();
  }

  // What the connection says.

  /**
   * Starts with a handler.
   *
   * @param hooks The handler; its `open` comes first.
   * @param pushes Whether it takes messages by its `message` hook.
   */
  start(hooks: Hooks, pushes: boolean): void {
    this.#pushes = pushes;
    this.#isRunning = true;
    this.callOpen(hooks);
    this.#isRunning = false;
    this.run();
  }

  /** Calls the `drain` hook when its turn comes. */
  drained(): void {
    if (!this.isHandled) return;
    this.oweDrain();
    this.run();
  }

  /** Calls the `close` hook once everything before it has been handled. */
  close(info: CloseInfo): void {
    this.oweClose(info);
    this.run();
  }

  // What those ask for who take messages.

  /** Whether messages may be taken by asking. */
  get pulls(): boolean {
    return !this.#pushes;
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

  onWanted(): void {
    this.#goOnAwaited();
    readOn(this.link);
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

  #goOnAwaited(): void {
    this.run();
    this.link.endWithPeer();
  }

  // What follows when the promise of a hook has settled.

  protected override onSettled(): void {
    if (this.#pushes) this.#pieces?.release();
    this.#goOn();
  }

  protected override onRejected(error: unknown): void {
    this.#isRunning = true;
    this.fail(error);
    this.#isRunning = false;
    this.#goOn();
  }

  #goOn(): void {
    this.link.cork();
    this.run();
    this.link.uncorkSoon();
  }

  /** Whether a message in pieces is under way. */
  get #isInPieces(): boolean {
    return this.#pieces !== undefined && this.#pieces.isUnderWay;
  }

  /** Whether somebody waits for a message, or for a piece of one. */
  get #isAwaited(): boolean {
    return this.#inbox !== undefined && this.#inbox.isAwaited ||
      this.#pieces !== undefined && this.#pieces.isAwaited;
  }

  /** Whether the one who takes the messages has finished with them. */
  get #isConsumed(): boolean {
    return this.#pushes || this.#isAwaited ||
      this.#inbox === undefined || this.#inbox.isConsumed;
  }

  /**
   * Whether events can be delivered: not while a hook is busy that takes messages,
   * unless it waits for the pieces of one.
   */
  get #mayDeliver(): boolean {
    return !this.isBusy || !this.#pushes || this.#isInPieces;
  }

  /**
   * Whether the last event may be taken, and answered. After our own Close frame
   * there is nothing to answer, and nothing that the one who takes the messages
   * could still send before.
   */
  get #mayEnd(): boolean {
    return this.#isConsumed || !this.link.isOpen;
  }

  /** Gets more to deliver. */
  #refill(): boolean {
    const { protocol } = this.link;
    while (this.callOwed());
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
    if (this.#last !== undefined) {
      this.#events = [this.#last];
      this.#last = undefined;
      return true;
    }
    if (this.closed !== undefined) {
      this.#finishMessages(this.closed);
      this.callClose();
    }
    return false;
  }

  /** Lets the link act on the last event, as soon as it has been taken. */
  #settle(event: ProtocolEvent): void {
    if (event.type === "close") this.link.ending.peerClosed();
    else if (event.type === "failed") this.link.ending.peerFailed(event.error);
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
        this.#pieces!.pass(event.data);
        break;
      case "message-end":
        if (this.#pieces!.end()) this.link.messagesReceived++;
        break;
      case "pong":
        this.link.pings.answer(event.payload);
        this.callControl(event);
        break;
      case "ping":
        this.callControl(event);
        break;
      case "failed":
        this.#finishMessages(this.link.info!);
        this.callError(event.error);
        break;
      case "close":
        this.#finishMessages(this.link.info!);
        break;
    }
  }

  #keep(message: Received): void {
    (this.#inbox ??= new Inbox()).keep(message, this.link);
  }

  /** Begins a message in pieces. */
  #begin(binary: boolean): void {
    const incoming = (this.#pieces ??= new Pieces(this)).begin(binary);
    if (incoming === undefined) return;
    if (this.#pushes) this.callStream(incoming);
    else this.#keep(incoming);
  }

  /** Tells those who take messages that there are no more. */
  #finishMessages(info: CloseInfo): void {
    (this.#inbox ??= new Inbox()).end();
    this.#pieces?.breakOff(info);
  }

  /** Keeps count of what waits in bytes, as far as the chunks tell. */
  #account(isStuck: boolean): void {
    const { bytesReceived, protocol } = this.link;
    const waits = this.#next < this.#events.length ||
      protocol.pendingEvents > 0;
    if (!waits) this.#handledBytes = bytesReceived;
    if (!this.isBusy && !isStuck || !protocol.lastEventPending) return;
    // A hook may wait for just this: `await connection.close()`.
    if (this.link.isOpen) this.link.ending.keepWaiting();
    else this.overdue();
  }
}
