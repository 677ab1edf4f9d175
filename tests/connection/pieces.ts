/** What the tests of messages in pieces share. */
import type { MessageTransform } from "../../codec.ts";
import {
  callbackHandler,
  ClosedError,
  type ConnectionOptions,
  type HandlerCallbacks,
  messageTransform,
  type StreamedMessage,
} from "../../connection.ts";
import { assert } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import type { FrameOptions } from "../harness/frame.ts";
import { Rig } from "./rig.ts";

/** A rig with callbacks. */
export function handled(
  callbacks: HandlerCallbacks,
  options?: ConnectionOptions,
): Rig {
  const rig = new Rig(options);
  const handler = callbackHandler("test", callbacks);
  rig.connection.handle(new handler(rig.connection));
  return rig;
}

/** Takes all of a message; its chunks joined. */
export async function all(message: StreamedMessage): Promise<string> {
  let text = "";
  for await (const chunk of message) {
    text += typeof chunk === "string" ? chunk : `<${chunk.join()}>`;
  }
  return text;
}

/** What a promise rejects with; fails where it does not. */
async function failure(promise: Promise<unknown>): Promise<unknown> {
  return await within(
    promise.then(
      () => {
        throw new Error("It did not reject");
      },
      (error) => error,
    ),
    "the rejection",
  );
}

/** The `ClosedError` that a promise rejects with. */
export async function closedError(
  promise: Promise<unknown>,
): Promise<ClosedError> {
  const error = await failure(promise);
  assert(error instanceof ClosedError, `${error}`);
  return error;
}

/** A frame that goes on with a message. */
export const more = (
  payload: string | Uint8Array,
  fin = false,
): FrameOptions => ({
  opcode: "continuation",
  payload,
  fin,
});

/**
 * A server's transform for compressed messages, with the largest windows.
 * `loadCompression()` must have been awaited.
 */
export function agreedTransform(): MessageTransform {
  const settings = {
    serverMaxWindowBits: 15,
    clientMaxWindowBits: 15,
    serverNoContextTakeover: false,
    clientNoContextTakeover: false,
    thresholdBytes: 0,
    level: 6,
    memoryLevel: 5,
  };
  return messageTransform("server", settings, settings)!;
}
