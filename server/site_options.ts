/**
 * Options of a site.
 *
 * @module
 */

import {
  checkAmount,
  checkKeys,
  checkType,
  type Connection,
  CONNECTION_OPTION_NAMES,
  type ConnectionOptions,
  connectionSettings,
  type FrameListener,
} from "../connection.ts";
import { type Broker, checkBroker } from "./broker.ts";
import type { SiteListener } from "./events.ts";
import { ADMISSION_OPTION_NAMES, type AdmissionOptions } from "./admission.ts";
import { checkOriginRules, type OriginRules } from "./origin.ts";
import { checkSubprotocols, type HandlerOptions } from "./routes.ts";
import type { RootHandler } from "./site_server.ts";
import {
  overflowSettings,
  SLOW_PEER_OPTION_NAMES,
  type SlowPeerOptions,
} from "./slow_peers.ts";
import { checkTelemetry, type Telemetry } from "./telemetry.ts";

/**
 * Options of a site; those of a connection, and the subprotocols, are the defaults
 * of its handlers.
 */
export interface SiteOptions
  extends
    ConnectionOptions,
    SlowPeerOptions,
    AdmissionOptions,
    Pick<HandlerOptions, "subprotocols" | "subprotocolRequired"> {
  /**
   * Answers the requests that are not for a handler, on the same port, through
   * the runtime's own HTTP server. Without it they are answered 404 or 426.
   */
  readonly root?: RootHandler;
  /**
   * Origins that may connect beside the site's own host. A request without
   * `Origin`, which no browser sends, may always.
   *
   * @default {[]}
   */
  readonly origins?: OriginRules;
  /**
   * How long a client may take to send its request, in milliseconds, from when
   * it was accepted. Then it is answered 408.
   *
   * @default {10_000}
   */
  readonly openTimeoutMs?: number;
  /**
   * What joins the topics of this site to those of other processes. Without one a
   * message that is published reaches those who are subscribed in this process.
   */
  readonly broker?: Broker;
  /**
   * Told of what a handler or the root threw, and of what failed underneath.
   * Where neither it nor `onEvent` is given, that is written to the console.
   */
  readonly onError?: (error: Error, connection?: Connection) => void;
  /** Told what happens, errors included: for a logger. See {@linkcode SiteEvent}. */
  readonly onEvent?: SiteListener;
  /**
   * Told of each frame that is received or sent, for debugging. Connections cost
   * more with it, and nothing without.
   */
  readonly onFrame?: FrameListener;
  /** Metrics, and a span for each connection, for OpenTelemetry. */
  readonly telemetry?: Telemetry;
}

const SITE_OPTION_NAMES = new Set([
  "root",
  "origins",
  "openTimeoutMs",
  "onError",
  "broker",
  ...SLOW_PEER_OPTION_NAMES,
  "onEvent",
  "onFrame",
  "telemetry",
  "subprotocols",
  "subprotocolRequired",
  ...ADMISSION_OPTION_NAMES,
  ...CONNECTION_OPTION_NAMES,
]);

/**
 * Refuses options that cannot have been meant.
 *
 * @throws {TypeError} If one is unknown or of the wrong kind.
 * @throws {RangeError} If a number is negative or NaN.
 */
export function checkSiteOptions(options: SiteOptions): void {
  checkKeys("make the site", options, SITE_OPTION_NAMES);
  const { sendMaxBytes } = connectionSettings("make the site", options);
  overflowSettings("make the site", options, sendMaxBytes);
  const { root, origins, openTimeoutMs, broker } = options;
  if (broker !== undefined) checkBroker(broker);
  if (openTimeoutMs !== undefined) {
    checkAmount("make the site", "openTimeoutMs", openTimeoutMs);
  }
  checkSubprotocols("make the site", options);
  if (origins !== undefined) checkOriginRules("make the site", origins);
  if (options.telemetry !== undefined) checkTelemetry(options.telemetry);
  const { onError, onEvent, onFrame } = options;
  const functions = { root, onError, onEvent, onFrame };
  for (const [name, value] of Object.entries(functions)) {
    checkType("make the site", name, value, "function");
  }
}
