/**
 * Which handler is for which path.
 *
 * @module
 */

import { isToken } from "../codec.ts";
import type {
  Address,
  ConnectionOptions,
  ConnectionRequest,
  ConnectionSettings,
  HandlerConstructor,
  HandlerFunction,
} from "../connection.ts";
import {
  checkKeys,
  CONNECTION_OPTION_NAMES,
  connectionSettings,
} from "../connection.ts";
import { checkOriginRules, type OriginRules } from "./origin.ts";
import {
  type RouteCallbacks,
  type RouteHandler,
  routeHandler,
} from "./route_callbacks.ts";
import {
  overflowSettings,
  SLOW_PEER_OPTION_NAMES,
  type SlowPeerOptions,
} from "./slow_peers.ts";

/** What a handler's `upgrade` is told beside the request. */
export interface UpgradeInfo {
  /** Address of the client. */
  readonly remoteAddress: Address;
  /** Whether the client came through TLS. */
  readonly secure: boolean;
  /** What the parts of the path pattern matched. */
  readonly params: Readonly<Record<string, string>>;
  /** Subprotocols that the client offers, in its order of preference. */
  readonly subprotocols: readonly string[];
}

/** How to accept a request. */
export interface UpgradeAcceptance<Data = unknown> {
  /** Subprotocol to agree on, one of those offered. */
  readonly subprotocol?: string;
  /** More headers for the 101 response, such as `Set-Cookie`. */
  readonly headers?: HeadersInit;
  /** Becomes `connection.data`. */
  readonly data?: Data;
}

/** What `upgrade` decides: nothing accepts, a `Response` refuses. */
export type UpgradeDecision<Data = unknown> =
  | void
  | UpgradeAcceptance<Data>
  | Response;

/** A class that extends {@linkcode Handler}. */
export interface HandlerClass<Data = unknown> extends HandlerConstructor<Data> {
  /**
   * Decides about a request, before the connection is open.
   *
   * Returns nothing to accept, an {@linkcode UpgradeAcceptance} to accept with, or
   * a `Response` to refuse with, which may also be thrown. Anything else that is
   * thrown is answered with a 500 that tells the peer nothing.
   */
  upgrade?(
    request: ConnectionRequest,
    info: UpgradeInfo,
  ): UpgradeDecision<Data> | Promise<UpgradeDecision<Data>>;
}

/** How to register a handler. */
export interface HandlerOptions extends ConnectionOptions, SlowPeerOptions {
  /**
   * Whether a handler that is registered on the path is replaced. Without it, it
   * is an error.
   *
   * @default {false}
   */
  readonly replace?: boolean;
  /** Origins that may connect beside the site's own host; the site's where absent. */
  readonly origins?: OriginRules;
  /**
   * Subprotocols, in order of preference. The first that the client offers is
   * agreed on, unless `upgrade` names one.
   */
  readonly subprotocols?: readonly string[];
}

/** A handler with its path. */
export interface Route extends RouteHandler {
  /** Path or pattern. */
  readonly path: string;
  /** Limits and times of its connections. */
  readonly settings: ConnectionSettings;
  /** Who may connect. */
  readonly origins: OriginRules;
  /** Subprotocols in order of preference. */
  readonly subprotocols: readonly string[];
}

/** A route that a path led to. */
export interface RouteMatch {
  /** The route. */
  readonly route: Route;
  /** What the parts of the pattern matched, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
}

const OPTION_NAMES = new Set([
  "replace",
  "origins",
  "subprotocols",
  ...SLOW_PEER_OPTION_NAMES,
  ...CONNECTION_OPTION_NAMES,
]);

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({});

/** Characters that make a path a pattern of `URLPattern`'s. */
const PATTERN_SYNTAX = /[:*?+(){}\\]/;

/** The handlers of a site by their paths. */
export class Routes {
  readonly #exact: Map<string, Route> = new Map();
  readonly #patterns: Map<string, { pattern: URLPattern; route: Route }> =
    new Map();

  /**
   * Registers a handler.
   *
   * @param defaults What the site's options say.
   * @throws {TypeError} If the path does not begin with `/`, has a handler
   * already, or an argument is of the wrong kind.
   */
  add(
    path: string,
    handler: HandlerClass | HandlerFunction | RouteCallbacks,
    options: HandlerOptions,
    defaults: HandlerOptions & { readonly origins: OriginRules },
  ): void {
    checkPath(path);
    const form = routeHandler(handler);
    checkKeys("add the handler", options, OPTION_NAMES);
    checkSubprotocols(options.subprotocols);
    if (options.origins !== undefined) {
      checkOriginRules("add the handler", options.origins);
    }
    const { replace = false } = options;
    if (typeof replace !== "boolean") {
      throw new TypeError("Cannot add the handler: replace is not a boolean");
    }
    if (!replace && this.has(path)) {
      throw new TypeError(`Cannot add the handler: the path has one: ${path}`);
    }
    const route: Route = {
      ...form,
      path,
      settings: routeSettings(path, { ...defaults, ...options }),
      origins: options.origins ?? defaults.origins,
      subprotocols: [...options.subprotocols ?? []],
    };
    if (PATTERN_SYNTAX.test(path)) {
      const pattern = new URLPattern({ pathname: path });
      this.#patterns.set(path, { pattern, route });
    } else {
      this.#exact.set(path, route);
    }
  }

  /** Removes a handler; tells whether there was one. */
  delete(path: string): boolean {
    return this.#exact.delete(path) || this.#patterns.delete(path);
  }

  /** Paths and patterns, those without parameters first. */
  get paths(): readonly string[] {
    return [...this.#exact.keys(), ...this.#patterns.keys()];
  }

  /** Whether a handler is registered on exactly this path or pattern. */
  has(path: string): boolean {
    return this.#exact.has(path) || this.#patterns.has(path);
  }

  /** Largest limit on messages that a handler has, in bytes; 0 without handlers. */
  get maxMessageBytes(): number {
    let most = 0;
    for (const { settings } of this.#exact.values()) {
      most = Math.max(most, settings.maxMessageBytes);
    }
    for (const { route } of this.#patterns.values()) {
      most = Math.max(most, route.settings.maxMessageBytes);
    }
    return most;
  }

  /**
   * Finds the handler for a request.
   *
   * @param target Request target, as sent.
   * @returns The match; `undefined` where there is none; `"invalid"` where the
   * path is not well-formed.
   */
  match(target: string): RouteMatch | "invalid" | undefined {
    const path = pathOf(target);
    if (path === undefined) return undefined;
    const route = this.#exact.get(path);
    if (route !== undefined) return { route, params: NO_PARAMS };
    // The URL parser settles dots and percent-encoding as a browser would.
    const url = URL.parse(`http://localhost${path}`);
    if (url === null) return "invalid";
    const settled = this.#exact.get(url.pathname);
    if (settled !== undefined) return { route: settled, params: NO_PARAMS };
    for (const { pattern, route } of this.#patterns.values()) {
      const match = pattern.exec({ pathname: url.pathname });
      if (match === null) continue;
      const params = decodeGroups(match.pathname.groups);
      return params === undefined ? "invalid" : { route, params };
    }
    return undefined;
  }
}

/** What the connections of a handler share; those with one path, the object. */
function routeSettings(
  path: string,
  options: HandlerOptions,
): ConnectionSettings {
  const settings = connectionSettings("add the handler", options);
  const { sendMaxBytes } = settings;
  const overflow = overflowSettings("add the handler", options, sendMaxBytes);
  return { ...settings, path, overflow };
}

/** Scheme and authority of a target in absolute form. */
const ABSOLUTE = /^[a-z][0-9a-z+.-]*:\/\/[^/?#]*/i;

/** Path of a request target; `undefined` for the forms that have none. */
function pathOf(target: string): string | undefined {
  const query = target.indexOf("?");
  const path = query < 0 ? target : target.slice(0, query);
  if (path.startsWith("/")) return path;
  // RFC 9112, section 3.2.2: "a server MUST accept the absolute-form in requests
  // even though most HTTP/1.1 clients will only send the absolute-form to a proxy."
  const rest = path.replace(ABSOLUTE, "");
  if (rest === path) return undefined;
  return rest === "" ? "/" : rest;
}

function checkPath(path: unknown): void {
  if (typeof path !== "string" || !path.startsWith("/")) {
    throw new TypeError(
      `Cannot add the handler: the path must begin with "/": ${String(path)}`,
    );
  }
}

function checkSubprotocols(subprotocols: unknown): void {
  if (subprotocols === undefined) return;
  if (!Array.isArray(subprotocols) || !subprotocols.every(isTokenText)) {
    throw new TypeError(
      "Cannot add the handler: subprotocols is no token list",
    );
  }
}

function isTokenText(value: unknown): boolean {
  return typeof value === "string" && isToken(value);
}

function decodeGroups(
  groups: Record<string, string | undefined>,
): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  try {
    for (const [name, value] of Object.entries(groups)) {
      if (value !== undefined) params[name] = decodeURIComponent(value);
    }
  } catch {
    return undefined;
  }
  return params;
}
