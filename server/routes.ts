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
  checkType,
  CONNECTION_OPTION_NAMES,
  connectionSettings,
  loadCompression,
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
import type { RefusalAfterOpen } from "./refuse_after_open.ts";

/** What an `upgrade` is told beside the request. */
export interface UpgradeInfo {
  /** Address of the client, as trusted proxies tell it where the site has any. */
  readonly remoteAddress: Address;
  /** Whether the client came through TLS, to a trusted proxy or to the site. */
  readonly secure: boolean;
  /** The query of the request's URL. */
  readonly query: URLSearchParams;
  /** Cookies by name, as {@linkcode parseCookies} reads them. */
  readonly cookies: ReadonlyMap<string, string>;
  /** The `data` that the site's `upgrade` has accepted with. */
  readonly data: unknown;
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
  readonly headers?: NonNullable<ResponseInit["headers"]>;
  /** Becomes `connection.data`. */
  readonly data?: Data;
}

/**
 * What `upgrade` decides: nothing accepts, a `Response` refuses, and so does what
 * {@linkcode refuseAfterOpen} returns.
 */
export type UpgradeDecision<Data = unknown> =
  | void
  | UpgradeAcceptance<Data>
  | RefusalAfterOpen
  | Response;

/** Decides about a request, before the connection is open. */
export type UpgradeFunction<Data = unknown> = (
  request: ConnectionRequest,
  info: UpgradeInfo,
) => UpgradeDecision<Data> | Promise<UpgradeDecision<Data>>;

/** A class that extends {@linkcode Handler}. */
export interface HandlerClass<Data = unknown> extends HandlerConstructor<Data> {
  /**
   * Decides about a request, before the connection is open.
   *
   * Returns nothing to accept, an {@linkcode UpgradeAcceptance} to accept with, or
   * a `Response` or {@linkcode refuseAfterOpen} to refuse with, which may also be
   * thrown. Anything else that is thrown is answered with a 500 that tells the peer
   * nothing.
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
   * agreed on, unless `upgrade` names one. The site's where absent.
   */
  readonly subprotocols?: readonly string[];
  /**
   * Whether a client must agree on a subprotocol. One that offers none, or none of
   * ours, is then refused with 400. The site's where absent.
   *
   * @default {false}
   */
  readonly subprotocolRequired?: boolean;
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
  /** Whether one of them must be agreed on. */
  readonly subprotocolRequired: boolean;
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
  "subprotocolRequired",
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
    defaults: HandlerOptions & {
      readonly origins: OriginRules;
      readonly upgrade?: UpgradeFunction;
    },
  ): void {
    checkPath(path);
    const form = routeHandler(handler);
    checkKeys("add the handler", options, OPTION_NAMES);
    checkSubprotocols("add the handler", options);
    if (options.origins !== undefined) {
      checkOriginRules("add the handler", options.origins);
    }
    const { replace = false } = options;
    checkType("add the handler", "replace", replace, "boolean");
    if (!replace && this.has(path)) {
      throw new TypeError(`Cannot add the handler: the path has one: ${path}`);
    }
    const subprotocols = options.subprotocols ?? defaults.subprotocols ?? [];
    const subprotocolRequired = options.subprotocolRequired ??
      defaults.subprotocolRequired ?? false;
    const upgrade = defaults.upgrade ?? form.handlerClass?.upgrade;
    const mayAgree = subprotocols.length > 0 || upgrade !== undefined;
    if (subprotocolRequired && !mayAgree) {
      throw new TypeError(
        "Cannot add the handler: a subprotocol is required, and none is known",
      );
    }
    const route: Route = {
      ...form,
      path,
      settings: routeSettings(path, { ...defaults, ...options }),
      origins: options.origins ?? defaults.origins,
      subprotocols: [...subprotocols],
      subprotocolRequired,
    };
    // Whoever connects to a site that listens before it is there goes without.
    if (route.settings.compression) loadCompression().catch(() => {});
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

/**
 * Refuses subprotocols that cannot have been meant.
 *
 * @param what What they are for, for the message.
 * @param options Options as given, possibly among others.
 * @throws {TypeError} If one is of the wrong kind.
 */
export function checkSubprotocols(
  what: string,
  { subprotocols, subprotocolRequired }: HandlerOptions,
): void {
  if (
    subprotocols !== undefined &&
    (!Array.isArray(subprotocols) || !subprotocols.every(isTokenText))
  ) {
    throw new TypeError(`Cannot ${what}: subprotocols is no token list`);
  }
  if (!["undefined", "boolean"].includes(typeof subprotocolRequired)) {
    throw new TypeError(`Cannot ${what}: subprotocolRequired is no boolean`);
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
