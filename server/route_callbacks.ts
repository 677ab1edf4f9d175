/**
 * What a site takes for a handler: a class, a function, or an object of callbacks.
 *
 * @module
 */

import {
  callbackHandler,
  type ConnectionRequest,
  type HandlerCallbacks,
  type HandlerFunction,
  isHandlerClass,
} from "../connection.ts";
import type { HandlerClass, UpgradeDecision, UpgradeInfo } from "./routes.ts";

/** Callbacks that handle the connections of a path. */
export interface RouteCallbacks<Data = unknown> extends HandlerCallbacks<Data> {
  /** As {@linkcode HandlerClass.upgrade}. */
  upgrade?(
    request: ConnectionRequest,
    info: UpgradeInfo,
  ): UpgradeDecision<Data> | Promise<UpgradeDecision<Data>>;
}

/** A handler in one of the two forms that connections are opened with. */
export interface RouteHandler {
  /** The class, or `undefined` for a function. */
  readonly handlerClass: HandlerClass | undefined;
  /** The function, or `undefined` for a class. */
  readonly handlerFunction: HandlerFunction | undefined;
}

/**
 * Tells the forms of a handler apart, and makes a class of callbacks.
 *
 * @throws {TypeError} If it has none of them.
 */
export function routeHandler(
  handler: HandlerClass | HandlerFunction | RouteCallbacks,
): RouteHandler {
  if (isHandlerClass(handler)) {
    return { handlerClass: handler, handlerFunction: undefined };
  }
  if (typeof handler === "function") {
    return { handlerClass: undefined, handlerFunction: handler };
  }
  const what = "add the handler";
  const handlerClass: HandlerClass = callbackHandler(what, handler, [
    "upgrade",
  ]);
  if (handler.upgrade !== undefined) {
    handlerClass.upgrade = (request, info) => handler.upgrade!(request, info);
  }
  return { handlerClass, handlerFunction: undefined };
}
