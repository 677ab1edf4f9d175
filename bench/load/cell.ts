/** The notation of a cell: `16x64x64`, `4x4x16+300`, `16x16xmix`, `tls:16x16x1024`. */

/**
 * Bytes of the messages of a mix: most are small and a few are large, as in a
 * chat or an application that sends JSON; half of all bytes and more are in the
 * largest.
 */
const MIX: readonly number[] = [60, 20, 200, 60, 600, 20, 2000, 20_000];

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

/** Reads `[tls:]CONNECTIONSxIN_FLIGHTxBYTES`, where `BYTES` is `N`, `N+N…` or `mix`. */
export function parseCell(text: string): LoadCell {
  const match = /^(tls:)?(\d+)x(\d+)x(\d+(?:\+\d+)*|mix)$/.exec(text);
  if (match === null) throw new TypeError(`Not a cell: ${text}`);
  const [, prefix, connections, inFlight, sizes = ""] = match;
  return {
    tls: prefix !== undefined,
    connections: Number(connections),
    inFlight: Number(inFlight),
    sizes: sizes === "mix" ? MIX : sizes.split("+").map(Number),
  };
}
