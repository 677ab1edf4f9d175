/**
 * Taking messages by asking for them: whole, in pieces, or in a loop.
 *
 * Nothing here is an asynchronous function or a generator: a message that is there
 * already costs one promise instead of four.
 *
 * @module
 */

import type { Message } from "../codec.ts";
import { ClosedError, type CloseInfo, isOrdinary } from "./close_info.ts";
import type { Received } from "./inbox.ts";
import { Incoming, streamOf } from "./incoming.ts";
import type { Pump } from "./pump.ts";
import type { StreamedMessage } from "./streamed_message.ts";

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** Takes the next message. Rejects as `receive` does. */
export function takeMessage(pump: Pump): Promise<Message> {
  const message = pump.tryTake();
  return message === undefined
    ? wait(pump, toWhole)
    : Promise.resolve(toWhole(message));
}

/** Takes the next message in pieces. Rejects as `receiveStream` does. */
export function takeStream(pump: Pump): Promise<StreamedMessage> {
  if (pump.pulls) pump.link.streamMessages();
  const message = pump.tryTake();
  return message === undefined
    ? wait(pump, toStream)
    : Promise.resolve(toStream(message, pump));
}

/** Makes what a loop goes through; whoever leaves it may still take messages. */
export function messagesOf(pump: Pump): AsyncIterator<Message> {
  return {
    next() {
      const message = pump.tryTake();
      return message === undefined
        ? wait(pump, toResult, endOfLoop)
        : Promise.resolve(toResult(message));
    },
    return() {
      pump.release();
      return Promise.resolve(DONE);
    },
  };
}

/**
 * Waits for the next message, after `tryTake` has found none.
 *
 * @param toTaken Makes of a message what was asked for.
 * @param atEnd Tells what stands for the end, if not only an error does.
 */
function wait<Taken>(
  pump: Pump,
  toTaken: (message: Received, pump: Pump) => Taken | Promise<Taken>,
  atEnd?: (info: CloseInfo) => Taken | undefined,
): Promise<Taken> {
  if (!pump.pulls) return Promise.reject(takenByHook());
  return new Promise((resolve, reject) =>
    pump.wait((message) => {
      if (message !== undefined) return resolve(toTaken(message, pump));
      const info = pump.link.info!;
      const end = atEnd?.(info);
      if (end !== undefined) resolve(end);
      else reject(new ClosedError(info));
    })
  );
}

function toWhole(message: Received): Message | Promise<Message> {
  return message instanceof Incoming ? message.whole() : message;
}

function toStream(message: Received, pump: Pump): StreamedMessage {
  return streamOf(
    message instanceof Incoming ? message : Incoming.of(pump, message),
  );
}

function toResult(
  message: Received,
): IteratorResult<Message> | Promise<IteratorResult<Message>> {
  return message instanceof Incoming
    ? message.whole().then(yielded, endOrThrow)
    : yielded(message);
}

function yielded(value: Message): IteratorResult<Message> {
  return { done: false, value };
}

function endOfLoop(info: CloseInfo): IteratorResult<Message> | undefined {
  return isOrdinary(info) ? DONE : undefined;
}

/** A loop ends with an ordinary close, also where that cut a message off. */
function endOrThrow(error: unknown): IteratorResult<Message> {
  if (error instanceof ClosedError && isOrdinary(error.info)) return DONE;
  throw error;
}

function takenByHook(): TypeError {
  return new TypeError(
    "Cannot receive: the handler takes messages by a hook",
  );
}
