/**
 * The dialer: outgoing connections.
 *
 * @example Ask, and print what comes
 * ```ts
 * import { dial, Site } from "@sockeye/sockeye";
 *
 * const site = new Site();
 * site.addHandler("/hello", async (connection) => {
 *   connection.send(`Hello ${await connection.receive()}!`);
 * });
 * await using server = await site.listen({ port: 0, hostname: "127.0.0.1" });
 * if (server.addr.transport !== "tcp") throw new Error("not reached");
 *
 * const connection = await dial(`ws://127.0.0.1:${server.addr.port}/hello`);
 * connection.send("Sockeye");
 * for await (const message of connection) console.log(message);
 * ```
 *
 * @module
 */

import {
  type Connection,
  isCompressionLoaded,
  loadCompression,
  tickerFor,
} from "./connection.ts";
import { parseTarget } from "./client/ask.ts";
import { Dialling } from "./client/dialling.ts";
import { type DialOptions, takeDialOptions } from "./client/options.ts";
import { Patience } from "./client/patience.ts";
import { Redialer } from "./client/redial.ts";
import {
  type RedialOptions,
  type RedialUrl,
  takeRedialOptions,
} from "./client/redial_options.ts";
import { loadRuntime, type Runtime } from "./runtime/transport.ts";

export type { BackoffOptions } from "./client/backoff.ts";
export { isRetryable } from "./client/retryable.ts";
export type { AttemptListener, RedialVerdict } from "./client/attempts.ts";
export type { DurableConnection } from "./client/durable_connection.ts";
export type {
  DurableEnd,
  DurableLoss,
  DurableOptions,
} from "./client/durable_options.ts";
export type { OutboxOptions } from "./client/outbox.ts";
export type { Redialer } from "./client/redial.ts";
export type {
  RedialAttempt,
  RedialOptions,
  RedialUrl,
} from "./client/redial_options.ts";
export type { Authenticate, DialChallenge } from "./client/authenticate.ts";
export { digest } from "./client/digest.ts";
export { basic, type Login } from "./client/login.ts";
export {
  type Challenge,
  HandshakeError,
  type HandshakeErrorReason,
  type HeaderFields,
  HeaderList,
} from "./codec.ts";
export {
  type BroadcastCount,
  type BroadcastOptions,
  type ByteStream,
  byteStream,
  type ByteStreamOptions,
  type CloseCause,
  ClosedError,
  type CloseInfo,
  type CompressionOptions,
  type Connection,
  type ConnectionOptions,
  type ConnectionRequest,
  type ConnectionResponse,
  type ConnectionSite,
  type ConnectionStats,
  type FrameListener,
  frameLogger,
  type FrameLoggerOptions,
  type FrameTrace,
  Handler,
  type HandlerCallbacks,
  type HandlerConstructor,
  type Hooks,
  type MessageChunks,
  type PublishOptions,
  type Sendable,
  type SendOptions,
  type StreamedBinary,
  type StreamedMessage,
  type StreamedText,
} from "./connection.ts";
export type {
  ConnectTo,
  DialAttempt,
  DialOptions,
  DialRequest,
} from "./client/options.ts";
export {
  type Environment,
  proxyFromEnvironment,
} from "./client/environment.ts";
export type { Proxy, ProxyOptions } from "./client/proxy.ts";
export type { Address, ConnectTls, LocalAddress } from "./runtime/transport.ts";

/**
 * Opens a connection.
 *
 * It settles on every path: the server refuses, says nothing, sends garbage, or
 * goes away. Messages that arrive with the server's response wait to be taken, or
 * go to the handler.
 *
 * @param url Where to: `ws:` or `wss:`; `http:` and `https:` are taken as such.
 * User information is sent as `Authorization: Basic`.
 * @param options How.
 * @returns The open connection.
 * @throws {TypeError} If an argument is of the wrong kind, at once.
 * @throws What the handler's constructor throws; the connection is then dropped.
 * @throws {HandshakeError} If the connection cannot be opened. Its `reason` says
 * why, and `status`, `headers` and `body` what the server answered.
 * @throws The signal's reason, when `signal` aborts.
 * @throws What `beforeConnect` and `authenticate` throw.
 *
 * @example A refusal
 * ```ts
 * import { dial, HandshakeError, Site } from "@sockeye/sockeye";
 * import { strictEqual } from "node:assert";
 *
 * await using server = await new Site().listen({ port: 0, hostname: "127.0.0.1" });
 * if (server.addr.transport !== "tcp") throw new Error("not reached");
 * try {
 *   await dial(`ws://127.0.0.1:${server.addr.port}/nothing-here`);
 * } catch (error) {
 *   if (!(error instanceof HandshakeError)) throw error;
 *   strictEqual(error.reason, "bad-status");
 *   strictEqual(error.status, 404);
 * }
 * ```
 */
export async function dial<Data = unknown>(
  url: string | URL,
  options: DialOptions<Data> = {},
): Promise<Connection<Data>> {
  const target = parseTarget(url);
  options = takeDialOptions(options);
  const dialling = new Dialling(target, options);
  const runtime = await loadRuntime();
  if (dialling.compresses && !isCompressionLoaded()) await loadCompression();
  return await withPatience(
    runtime,
    options,
    (signal) => dialling.run(runtime, signal),
  );
}

/**
 * Dials again and again: connections to one place, one after the other.
 *
 * After a loss, and after a failure that may pass, it waits: first at random up to
 * 5 seconds, then 3.1 seconds, then 1.618 times longer each time, up to 90 seconds,
 * or as long as the server asks for in `Retry-After`. It begins anew only after a
 * connection that was stable.
 *
 * @param url Where to, or a function that is asked before each attempt.
 * @param options How.
 * @returns What to loop over.
 * @throws {TypeError} If an argument is of the wrong kind.
 * @throws {RangeError} If a number is out of range.
 *
 * @example A reader that comes back
 * ```ts
 * import { ClosedError, redial, Site } from "@sockeye/sockeye";
 *
 * const site = new Site();
 * let count = 0;
 * site.addHandler("/news", (connection) => {
 *   connection.send(`news ${++count}`);
 *   if (count === 1) connection.terminate();
 * });
 * await using server = await site.listen({ port: 0, hostname: "127.0.0.1" });
 * if (server.addr.transport !== "tcp") throw new Error("not reached");
 * const url = `ws://127.0.0.1:${server.addr.port}/news`;
 *
 * for await (const connection of redial(url, { firstDelayMs: 10 })) {
 *   try {
 *     for await (const message of connection) console.log(message);
 *   } catch (error) {
 *     if (error instanceof ClosedError) continue; // lost: dial again
 *     throw error;
 *   }
 *   break; // the server said goodbye
 * }
 * ```
 */
export function redial<Data = unknown>(
  url: RedialUrl,
  options: RedialOptions<Data> = {},
): Redialer<Data> {
  const taken = takeRedialOptions(url, options);
  const place = url instanceof URL ? new URL(url) : url;
  return new Redialer<Data>(dial, place, taken);
}

/** Runs a task with a signal that aborts on the caller's, and in time. */
async function withPatience<T>(
  runtime: Runtime,
  options: Pick<DialOptions, "signal" | "openTimeoutMs">,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal, openTimeoutMs = 10_000 } = options;
  signal?.throwIfAborted();
  const ticker = tickerFor([Math.max(openTimeoutMs, 1)], runtime);
  const patience = new Patience(ticker, openTimeoutMs, signal);
  try {
    return await task(patience.signal);
  } finally {
    patience.end();
  }
}
