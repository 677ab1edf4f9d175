/**
 * One message out of many chunks.
 *
 * @module
 */

import type { Message } from "../codec.ts";
import type { Connection } from "../connection.ts";
import { ClosedError } from "./close_info.ts";
import type { Link } from "./link.ts";
import { type Sendable, toMessage } from "./sendable.ts";
import type { SendQueue } from "./send_queue.ts";

/** A connection, as seen by what it sends in fragments. */
export interface StreamTarget extends Connection {
  /** Where fragments go. */
  readonly link: Link;
  /** Where their message has its turn. */
  readonly queue: SendQueue;
}

/**
 * Refuses what cannot be a source of chunks, before anything is sent.
 *
 * @param chunks What `sendStream` was given.
 * @throws {TypeError} If it is not iterable.
 */
export function checkIterable(chunks: unknown): void {
  const { [Symbol.asyncIterator]: asyncIterator, [Symbol.iterator]: iterator } =
    Object(chunks);
  if (typeof (asyncIterator ?? iterator) === "function") return;
  throw new TypeError("Cannot send: the chunks are not iterable");
}

/**
 * Sends chunks as the fragments of one message (RFC 6455, section 5.4).
 *
 * Each chunk is held back until the next one is there, because the last fragment
 * has to say that it is the last.
 *
 * @throws What `sendStream` throws.
 */
export async function sendFragments(
  connection: StreamTarget,
  chunks: AsyncIterable<Sendable> | Iterable<Sendable>,
  compress: boolean,
): Promise<void> {
  const { link } = connection;
  const send = sender(connection, compress);
  let held: Message | undefined;
  try {
    for await (const chunk of untilClosed(connection, chunks)) {
      const fragment: Message = joinSurrogates(held, toMessage(chunk));
      if (held !== undefined) await send(wellFormed(held), false);
      held = fragment;
    }
    if (held !== undefined) await send(held, true);
  } catch (error) {
    if (link.isOpen) {
      link.ending.startClose(1011, "a message was not finished", "local");
    }
    throw error;
  }
}

/**
 * Yields chunks. Throws when the connection is gone, although the next chunk may
 * never come: the source may be one that waits for the world.
 */
async function* untilClosed(
  connection: StreamTarget,
  chunks: AsyncIterable<Sendable> | Iterable<Sendable>,
): AsyncGenerator<Sendable> {
  const iterator = Symbol.asyncIterator in chunks
    ? chunks[Symbol.asyncIterator]()
    : each(chunks);
  let isWaiting = true;
  let isOver = false;
  const take = (): Promise<IteratorResult<Sendable>> =>
    new Promise((resolve, reject) => {
      const { info, isClosed } = connection.link;
      if (isClosed) return reject(new ClosedError(info!));
      connection.queue.interrupt = reject;
      iterator.next().then(resolve, (error) => {
        isOver = true;
        reject(error);
      });
    });
  try {
    for (let next = await take(); !next.done; next = await take()) {
      isWaiting = false;
      yield next.value;
      isWaiting = true;
    }
    isOver = true;
  } finally {
    connection.queue.interrupt = undefined;
    const left = isOver ? undefined : iterator.return?.();
    // A generator that still waits for its own source cannot be waited for.
    left?.catch(() => {});
    if (!isWaiting) await left;
  }
}

async function* each(chunks: Iterable<Sendable>): AsyncGenerator<Sendable> {
  yield* chunks;
}

/** Makes what sends the fragments of one message. */
function sender(
  connection: StreamTarget,
  compress: boolean,
): (fragment: Message, fin: boolean) => Promise<void> {
  const { link } = connection;
  return async (fragment, fin) => {
    if (!link.isOpen) throw new ClosedError(await connection.closed);
    const sentBefore = link.dataFramesSent;
    const mayGoOn = link.sendFragment(fragment, fin, compress);
    if (fin) return;
    connection.queue.openFragments += link.dataFramesSent - sentBefore;
    if (!mayGoOn) await connection.drained;
  };
}

/** Leading half of a character above U+FFFF, at the end of a text. */
const OPEN_SURROGATE = /[\ud800-\udbff]$/;

/** Gives a chunk the half of a character that the chunk before it left open. */
function joinSurrogates(before: Message | undefined, chunk: Message): Message {
  if (typeof before !== "string" || typeof chunk !== "string") return chunk;
  const half = OPEN_SURROGATE.exec(before);
  return half === null ? chunk : half[0] + chunk;
}

function wellFormed(fragment: Message): Message {
  return typeof fragment === "string"
    ? fragment.replace(OPEN_SURROGATE, "")
    : fragment;
}
