/**
 * A connection on a WebSocket of the host's.
 *
 * @module
 */

import {
  type ConnectionInit,
  type ConnectionSettings,
  Handler,
  SocketConnection,
} from "../../connection.ts";
import type { HostEndCause, HostName } from "../../runtime/host.ts";
import type { Address } from "../../runtime/transport.ts";
import type { Bridge, BridgeOwner } from "./bridge.ts";
import { assertSupported, supports, UnsupportedError } from "./capabilities.ts";

/** Settings of connections whose keepalive is the host's, by what they were. */
const silentSettings: WeakMap<ConnectionSettings, ConnectionSettings> =
  new WeakMap();
/** Handlers that were told of once: hooks of theirs will not be called. */
const toldHandlers: WeakSet<object> = new WeakSet();

/** A connection that throws where its host cannot do what is asked. */
export class HostedConnection extends SocketConnection implements BridgeOwner {
  readonly #host: HostName;

  /**
   * @param init What it is made of.
   * @param bridge Its transport.
   * @param host Which host.
   */
  constructor(init: ConnectionInit, bridge: Bridge, host: HostName) {
    const settings = supports("ping", host)
      ? init.settings
      : withoutPings(init.settings);
    super({ ...init, settings });
    this.#host = host;
    bridge.owner = this;
  }

  override get localAddress(): Address {
    throw new UnsupportedError("localAddress", this.#host);
  }

  override ping(payload?: ArrayBuffer | ArrayBufferView): Promise<number> {
    assertSupported("ping", this.#host);
    return super.ping(payload);
  }

  override pause(): void {
    assertSupported("pause", this.#host);
    super.pause();
  }

  override terminate(): void {
    assertSupported("terminate", this.#host);
    super.terminate();
  }

  override handle(handler: Handler): void {
    this.#tellOfHooks(handler);
    super.handle(handler);
  }

  // What the bridge says.

  onSettled(): void {
    this.pump.overdue();
    this.link.flush();
  }

  onHostEnded(cause: HostEndCause, error: Error): void {
    this.link.ending.decide(cause, error);
  }

  onUnable(code: number, error: Error): void {
    const isFlood = code === 1013;
    const reason = isFlood ? "too much waits" : "cannot be sent";
    const cause = isFlood ? "backpressure" : "local";
    this.link.ending.startClose(code, reason, cause, error);
  }

  /** Reports once that hooks of a handler will not be called. */
  #tellOfHooks(handler: Handler): void {
    const { ping, pong } = Handler.prototype;
    if (handler.ping === ping && handler.pong === pong) return;
    if (supports("ping", this.#host)) return;
    if (toldHandlers.has(handler.constructor)) return;
    toldHandlers.add(handler.constructor);
    this.owner.reportError(new UnsupportedError("pingHooks", this.#host), this);
  }
}

function withoutPings(settings: ConnectionSettings): ConnectionSettings {
  let silent = silentSettings.get(settings);
  if (silent === undefined) {
    silent = { ...settings, pingIntervalMs: 0 };
    silentSettings.set(settings, silent);
  }
  return silent;
}
