/** One connection of the load: handshake first, then the closed loop. */
import { buildRequest, ResponseHead } from "./handshake.ts";
import type { Network, Target } from "./network.ts";
import { Replies, type ReplyOptions } from "./replies.ts";
import { Sender } from "./sender.ts";

/** What to open. */
export interface LoadConnectionOptions {
  /** How to reach it. */
  readonly network: Network;
  /** Where. */
  readonly target: Target;
  /** Path to ask for. */
  readonly path: string;
  /** What to send and how to read what returns. */
  readonly replies: ReplyOptions;
  /** Told how many messages have returned. Absent: as many are sent. */
  readonly returned?: (messages: number) => void;
}

/** A connection under load. */
export interface LoadConnection {
  /** Whether the handshake is complete. */
  readonly isOpen: boolean;
  /** Messages that have returned. */
  readonly messages: number;
  /** Puts so many more messages in flight. */
  start(inFlight: number): void;
}

/** Connects and asks for an upgrade; `fail` is told of whatever goes wrong. */
export async function openConnection(
  options: LoadConnectionOptions,
  fail: (error: Error) => void,
): Promise<LoadConnection> {
  const { network, target, returned } = options;
  const replies = new Replies(options.replies);
  const head = new ResponseHead();
  let isOpen = false;
  let messages = 0;
  const socket = await network.open(target, {
    data(buffer, length) {
      try {
        if (isOpen) {
          const count = replies.receive(buffer, length);
          messages += count;
          if (returned === undefined) sender.send(count);
          else returned(count);
        } else {
          isOpen = head.receive(buffer.subarray(0, length));
        }
      } catch (error) {
        fail(error instanceof Error ? error : new Error(String(error)));
      }
    },
    drain: () => sender.flush(),
    close: (error) => fail(error ?? new Error("The server hung up")),
  });
  const sender = new Sender(options.replies.pattern, socket.write);
  const host = `${target.hostname}:${target.port}`;
  const request = buildRequest(host, options.path);
  socket.write(request, 0, request.length);
  return {
    get isOpen() {
      return isOpen;
    },
    get messages() {
      return messages;
    },
    start: (inFlight) => sender.send(inFlight),
  };
}
