/**
 * The shapes of the web platform: {@linkcode WebSocket} and
 * {@linkcode WebSocketStream}, on `dial`. Code that was written for browsers runs on
 * them, the same on every runtime, and can have headers, TLS settings and the other
 * options of `dial`.
 *
 * @example A socket with a header
 * ```ts ignore
 * import { WebSocket } from "@sockeye/sockeye/websocket";
 *
 * const socket = new WebSocket("wss://example.com/", {
 *   protocols: ["chat"],
 *   headers: { authorization: "Bearer 1234" },
 * });
 * socket.onmessage = (event) => console.log(event.data);
 * ```
 *
 * @module
 */

export type { BinaryType } from "./websocket/channel.ts";
export {
  type EventHandler,
  FailureEvent,
  type FailureEventInit,
} from "./websocket/events.ts";
export type { WebSocketOptions } from "./websocket/target.ts";
export { WebSocket, type WebSocketEventMap } from "./websocket/web_socket.ts";
export {
  type WebSocketCloseInfo,
  WebSocketError,
} from "./websocket/web_socket_error.ts";
export {
  type WebSocketOpenInfo,
  WebSocketStream,
  type WebSocketStreamOptions,
} from "./websocket/web_socket_stream.ts";
export type { Message } from "./codec.ts";
