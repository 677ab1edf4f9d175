/** What the model is held against: links, each with two ends, in some world. */
import type { Connection } from "../../server.ts";
import type { Watched } from "./watched.ts";

/** Who is at the ends: two connections, or one and a peer made of bytes. */
export type LinkKind = "pair" | "raw client" | "raw server";

/** A peer made of bytes. */
export interface RawEnd {
  send(text: string): void;
  ping(): void;
  close(code: number): void;
  /** Breaks the protocol. */
  break(): void;
  /** Ends its side (FIN). */
  end(): void;
  pause(): void;
  resume(): void;
  /** Texts of the messages that it was sent so far. */
  readonly messages: readonly string[];
}

/** A connection under test. */
export interface ConnectionEnd {
  readonly connection: Connection;
  readonly handler: Watched;
}

/** Two ends. The first is the client. */
export interface Link {
  readonly kind: LinkKind;
  readonly ends: readonly [RawEnd | ConnectionEnd, RawEnd | ConnectionEnd];
  /** Breaks it (RST). */
  reset(): void;
  /** Lets nothing through, or everything again; not every world can. */
  stall?(): void;
  flow?(): void;
}

/** Where links are made. */
export interface World {
  /** Opens a link. */
  connect(kind: LinkKind): Promise<Link>;
  /**
   * Waits until everything has happened that is due.
   *
   * @param isDone What must have come to be by then. A world that cannot tell waits
   * for it.
   */
  settle(isDone: () => boolean): Promise<void>;
  /** Lets time pass, where that can be done. */
  pass?(ms: number): Promise<void>;
  /** Shuts the site down. */
  shutdown(timeoutMs: number): Promise<void>;
  /** Count of the connections that the site lists. */
  readonly openConnections: number;
}

/** Whether an end is a connection. */
export function isConnection(
  end: RawEnd | ConnectionEnd,
): end is ConnectionEnd {
  return "connection" in end;
}
