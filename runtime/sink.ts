/**
 * The sink of a transport that nobody has started.
 *
 * @module
 */

import type { TransportSink } from "./transport.ts";

function ignore(): void {}

/** Ignores everything. */
export const NO_SINK: TransportSink = {
  data: ignore,
  drain: ignore,
  end: ignore,
  close: ignore,
};
