/** The notation of a cell: `16x64x64`, `8x4x16+300+20000`, `tls:16x16x1024`. */

/** A shape of load. */
export interface LoadCell {
  /** Over TLS. */
  readonly tls: boolean;
  /** Number of connections. */
  readonly connections: number;
  /** Messages in flight on each. */
  readonly inFlight: number;
  /** Payload bytes of each message, taken in turn. */
  readonly sizes: readonly number[];
}

/** Reads `[tls:]CONNECTIONSxIN_FLIGHTxBYTES[+BYTES…]`. */
export function parseCell(text: string): LoadCell {
  const match = /^(tls:)?(\d+)x(\d+)x(\d+(?:\+\d+)*)$/.exec(text);
  if (match === null) throw new TypeError(`Not a cell: ${text}`);
  const [, prefix, connections, inFlight, sizes = ""] = match;
  return {
    tls: prefix !== undefined,
    connections: Number(connections),
    inFlight: Number(inFlight),
    sizes: sizes.split("+").map(Number),
  };
}
