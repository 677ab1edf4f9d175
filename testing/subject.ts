/**
 * What a test connects to: a site, or a handler on a site of its own.
 *
 * @module
 */

import type { Handler, HandlerFunction } from "../connection.ts";
import { isHandlerClass } from "../connection.ts";
import {
  loadRuntime,
  type Transport,
  useRuntime,
} from "../runtime/transport.ts";
import {
  type HandlerClass,
  type HandlerOptions,
  type RouteCallbacks,
  type Server,
  Site,
} from "../server.ts";
import { type Caller, Network } from "./network.ts";
import { checkWire, type WireOptions } from "./wire.ts";

/** What can be connected to: a site, or a handler, which gets a site of its own. */
export type Target<Data = unknown> =
  | Site
  | HandlerClass<Data>
  | HandlerFunction<Data>
  | RouteCallbacks<Data>;

/** How a target is reached. */
export interface TargetOptions extends WireOptions {
  /**
   * Path and query.
   *
   * @default {"/"}
   */
  readonly path?: string;
  /**
   * Whether it passes for TLS.
   *
   * @default {false}
   */
  readonly secure?: boolean;
  /**
   * IP address of the client, as the server sees it.
   *
   * @default {"127.0.0.1"}
   */
  readonly remoteAddress?: string;
  /** Limits, origins and subprotocols of a handler. A site has its own. */
  readonly handlerOptions?: HandlerOptions;
}

/** Host that requests name, so that pages of `http://localhost` are the site's own. */
const HOST = "localhost";

/** A port, and the scheme that leads there. */
interface Door {
  readonly port: number;
  readonly scheme: "ws" | "wss";
}

const PLAIN: Door = { port: 80, scheme: "ws" };
const SECURE: Door = { port: 443, scheme: "wss" };

/**
 * Calls what asks for the runtime, and has it find a network in memory.
 *
 * @param network The network.
 * @param caller How it is connected to.
 * @param call Asks for the runtime before it returns.
 */
export function inMemory<T>(
  network: Network,
  caller: Caller,
  call: () => Promise<T>,
): Promise<T> {
  const restore = useRuntime(network.runtime(loadRuntime(), caller));
  try {
    return call();
  } finally {
    restore();
  }
}

/** A site that listens in memory. */
class Hosting {
  readonly network: Network = new Network();
  readonly #site: Site;
  readonly #servers: Map<Door, Promise<Server>> = new Map();

  constructor(site: Site) {
    this.#site = site;
  }

  /** Listens, unless it does. After the site has shut down it listens anew. */
  async listen(door: Door, caller: Caller): Promise<void> {
    let server = this.#servers.get(door);
    if (server === undefined) {
      const tls = door === SECURE ? { cert: "", key: "" } : undefined;
      const where = { port: door.port, ...(tls && { tls }) };
      const listen = () => this.#site.listen(where);
      server = inMemory(this.network, caller, listen);
      this.#servers.set(door, server);
      const forget = () => void this.#servers.delete(door);
      server.then(({ finished }) => finished.then(forget), forget);
    }
    await server;
  }
}

const hostings = new WeakMap<Site, Hosting>();

function hostingOf(site: Site): Hosting {
  let hosting = hostings.get(site);
  if (hosting === undefined) hostings.set(site, hosting = new Hosting(site));
  return hosting;
}

/** Refuses what is no path of a request. */
export function checkPath(what: string, path: unknown): void {
  if (typeof path === "string" && path.startsWith("/")) return;
  throw new TypeError(
    `Cannot ${what}: the path must begin with "/": ${String(path)}`,
  );
}

/** A target that can be connected to. */
export class Subject {
  /** URL that leads there. */
  readonly url: string;
  /** The handler that was made, where the target is a class. */
  handler: Handler | undefined;
  readonly #door: Door;
  readonly #hosting: Hosting;
  readonly #errors: Error[] = [];

  /**
   * @param what What is being done, for messages.
   * @param target The target.
   * @param options How it is reached, possibly among other options.
   * @throws {TypeError} If an argument is of the wrong kind.
   * @throws {RangeError} If a number is less than 1.
   */
  constructor(what: string, target: Target, options: TargetOptions) {
    const { path = "/", secure = false, handlerOptions } = options;
    checkPath(what, path);
    checkWire(what, options);
    this.#door = secure ? SECURE : PLAIN;
    this.url = `${this.#door.scheme}://${HOST}${path}`;
    if (target instanceof Site) {
      if (handlerOptions !== undefined) {
        throw new TypeError(
          `Cannot ${what}: a site has handler options of its own`,
        );
      }
      this.#hosting = hostingOf(target);
      return;
    }
    const site = new Site({
      onError: (error) => void this.#errors.push(error),
    });
    const handler = isHandlerClass(target) ? this.#watch(target) : target;
    site.addHandler(new URL(this.url).pathname, handler, handlerOptions);
    this.#hosting = hostingOf(site);
  }

  /** Takes the errors that the handler has thrown. */
  takeErrors(): Error[] {
    return this.#errors.splice(0);
  }

  /** Throws, where there are errors that nobody has taken. */
  complain(): void {
    const [error] = this.takeErrors();
    if (error === undefined) return;
    throw new Error(`The handler threw: ${error.message}`, { cause: error });
  }

  /** Calls `dial`, which reaches the target. */
  async dial<T>(caller: Caller, call: () => Promise<T>): Promise<T> {
    await this.#hosting.listen(this.#door, caller);
    return await inMemory(this.#hosting.network, caller, call);
  }

  /** Opens a bare connection to the target. */
  async connect(caller: Caller): Promise<Transport> {
    await this.#hosting.listen(this.#door, caller);
    const { port, scheme } = this.#door;
    const tls = scheme === "wss" ? {} : undefined;
    return await this.#hosting.network.connect(
      { port, ...(tls && { tls }) },
      caller,
    );
  }

  /** Keeps the instance that is made of a class. */
  #watch(handlerClass: HandlerClass): HandlerClass {
    return new Proxy(handlerClass, {
      construct: (target, args) => {
        this.handler = Reflect.construct(target, args, target);
        return this.handler!;
      },
    });
  }
}
