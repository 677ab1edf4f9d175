/** Receivers of either role, and what they are given and tell. */
import type { ProtocolEvent } from "../../../codec/event.ts";
import type { Role } from "../../../codec/frame.ts";
import type { MessageOptions } from "../../../codec/message_rules.ts";
import { Receiver } from "../../../codec/receiver.ts";
import { Sender } from "../../../codec/sender.ts";
import { plainDecoding } from "../../../codec/text_decoding.ts";

/** The sides that a receiver can be of. */
export const ROLES: readonly Role[] = ["server", "client"];

/** A receiver, and who answers for it. */
export interface Subject {
  readonly receiver: Receiver;
  readonly sender: Sender;
}

/** Makes a receiver that takes messages of up to 1 MiB. */
export function subject(
  role: Role,
  options: Partial<MessageOptions> = {},
): Subject {
  const sender = new Sender(role, options.transform);
  const receiver = new Receiver(role, {
    maxMessageBytes: 1_048_576,
    maxFragments: 16_384,
    decoding: plainDecoding,
    cheapArrayBytes: 0,
    transform: undefined,
    ...options,
  }, sender);
  return { receiver, sender };
}

/** Takes all events, the last one with them. */
export function takeAll(receiver: Receiver): ProtocolEvent[] {
  const events = [...receiver.takeEvents()];
  if (receiver.last !== undefined) events.push(receiver.last);
  receiver.last = undefined;
  return events;
}

/** What `bytes` lead to in one chunk; failures as `["failed", reason]`. */
export function outcome(
  role: Role,
  bytes: Uint8Array,
  options: Partial<MessageOptions> = {},
): unknown[] {
  const { receiver } = subject(role, options);
  receiver.receive(bytes.slice());
  return takeAll(receiver).map((event) =>
    event.type === "failed" ? ["failed", event.error.reason] : event
  );
}

/** The outcome of a broken rule. */
export function failed(reason: string): unknown[] {
  return [["failed", reason]];
}

/** The event of a whole message. */
export function message(data: string | Uint8Array): ProtocolEvent {
  return { type: "message", data };
}
