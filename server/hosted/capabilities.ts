/**
 * What a hosted connection cannot do, or does otherwise than one on a socket of
 * the site's own. `docs/hosted.md` prints this table, and a test holds both equal.
 *
 * @module
 */

import type { HostName } from "../../runtime/host.ts";

/** Names of what differs. */
export type HostCapabilityName =
  | "ping"
  | "pingHooks"
  | "keepalive"
  | "terminate"
  | "closeTimeout"
  | "pause"
  | "receiveQueue"
  | "localAddress"
  | "sendStream"
  | "receiveStream"
  | "bufferedAmount"
  | "maxMessageBytes"
  | "maxFragments"
  | "frames"
  | "breaches"
  | "peerCloses"
  | "closeAnswer"
  | "compression"
  | "head"
  | "early"
  | "gone";

/** How a host does something: as a socket does, otherwise, or not at all. */
export type HostSupport = "yes" | {
  /** What happens instead. */
  readonly does: string;
} | {
  /** What is thrown when it is asked for: the end of "Cannot ...: ". */
  readonly throws: string;
};

/** One row of the table. */
export interface HostCapability {
  /** What it is about. */
  readonly title: string;
  /** What cannot be done, for the message of the error. */
  readonly action?: string;
  /** On `Deno.serve`, Deno 2.9.6. */
  readonly deno: HostSupport;
  /** On `Bun.serve`, Bun 1.4.5. */
  readonly bun: HostSupport;
}

const NO_PAUSE = "the host reads whether or not it is wanted to";
const NO_ADDRESS = "the host does not tell it";
const QUEUE: HostSupport = {
  does: "the host reads on: up to 16 MiB wait in memory, then close 1013",
};
const JOINED: HostSupport = {
  does: "sent as one frame once it is whole, at most `sendMaxBytes`, " +
    "else close 1011",
};
const PUT_TOGETHER: HostSupport = {
  does: "the host puts a message together first: its pieces come when all of " +
    "it is in memory, so not above what the host takes",
};

/** All that differs, by name. */
export const HOSTED_CAPABILITIES: Readonly<
  Record<HostCapabilityName, HostCapability>
> = {
  ping: {
    title: "`connection.ping()`",
    action: "ping",
    deno: { throws: "Deno's WebSockets have no Ping" },
    bun: "yes",
  },
  pingHooks: {
    title: "hooks `ping` and `pong`",
    action: "call the hooks ping and pong",
    deno: { does: "never called; a handler that has one is reported once" },
    bun: "yes",
  },
  keepalive: {
    title: "keepalive",
    deno: {
      does: "Deno's own: a Ping after half of `pingIntervalMs` plus " +
        "`pingTimeoutMs` without message or Pong, the end after the other " +
        "half; its timer keeps the process alive after a connection broke",
    },
    bun: "yes",
  },
  terminate: {
    title: "`connection.terminate()`",
    action: "terminate",
    deno: { throws: "Deno's WebSockets cannot be dropped, only closed" },
    bun: "yes",
  },
  closeTimeout: {
    title: "a peer that does not answer a Close frame",
    deno: {
      does: "reported after `closeTimeoutMs`; its socket stays until it goes",
    },
    bun: {
      does:
        "not waited for: once what was sent before it has left, Bun drops " +
        "the connection, at once or up to 4 s later",
    },
  },
  pause: {
    title: "`connection.pause()`",
    action: "pause",
    deno: { throws: NO_PAUSE },
    bun: { throws: NO_PAUSE },
  },
  receiveQueue: {
    title: "more messages than are handled",
    deno: QUEUE,
    bun: QUEUE,
  },
  localAddress: {
    title: "`connection.localAddress`",
    action: "tell the local address",
    deno: { throws: NO_ADDRESS },
    bun: { throws: NO_ADDRESS },
  },
  sendStream: {
    title: "`connection.sendStream()`",
    deno: JOINED,
    bun: JOINED,
  },
  receiveStream: {
    title: "hook `stream`, and `connection.receiveStream()`",
    deno: PUT_TOGETHER,
    bun: PUT_TOGETHER,
  },
  bufferedAmount: {
    title: "`bufferedAmount`, `send` and `drained`",
    deno: { does: "up to 64 KiB that the host holds count as sent" },
    bun: { does: "up to 64 KiB that the host holds count as sent" },
  },
  maxMessageBytes: {
    title: "`maxMessageBytes`",
    deno: {
      does: "1009 once the whole message is in memory; Deno drops frames " +
        "over 64 MiB, and joins as many as come",
    },
    bun: {
      does: "1009 once the whole message is in memory; " +
        "Bun drops messages over 16 MiB and over every limit",
    },
  },
  maxFragments: {
    title: "`maxFragments`",
    deno: { does: "no limit" },
    bun: { does: "no limit" },
  },
  frames: {
    title: "frames in `stats` and `onFrame`",
    deno: { does: "one for each message; no Ping, no Pong" },
    bun: { does: "one for each message" },
  },
  breaches: {
    title: "a peer that breaks the protocol",
    deno: {
      does: "dropped without a Close frame; unmasked frames are accepted",
    },
    bun: { does: "Bun's own Close frame" },
  },
  peerCloses: {
    title: "what is sent after the peer's Close frame has arrived",
    deno: { does: "dropped: the host has answered it, and `send` is `false`" },
    bun: {
      does: "dropped: the host has answered it, and `send` is `false`; so is " +
        "what was sent before and has not left within 4 s, or less",
    },
  },
  closeAnswer: {
    title: "the peer's answer to a Close frame",
    deno: {
      does: "told, unless it has no code, or a message comes before it, at " +
        "which Deno drops the connection: then `code` is 1006",
    },
    bun: { does: "never told: `code` is 1006, `wasClean` is `false`" },
  },
  compression: {
    title: "compression",
    deno: { does: "declined" },
    bun: { does: "declined" },
  },
  head: {
    title: "limits and strictness of the request head",
    deno: {
      does: "Deno's; HTTP/1.0 is accepted",
    },
    bun: {
      does: "Bun's; HTTP/1.0, and a target of another host, are accepted",
    },
  },
  gone: {
    title: "a client that goes before it is answered",
    deno: {
      does:
        "known after `openTimeoutMs`, by code 1006; Deno's own part of it " +
        "stays, and may keep `Deno.serve` from shutting down",
    },
    bun: "yes",
  },
  early: {
    title: "frames sent before the answer",
    deno: "yes",
    bun: { does: "a 400 of Bun's where `upgrade` is asynchronous" },
  },
};

/** The host cannot do what was asked for. */
export class UnsupportedError extends Error {
  /** Class name. */
  override readonly name = "UnsupportedError";
  /** What it cannot do: a row of the table in `docs/hosted.md`. */
  readonly capability: HostCapabilityName;

  /**
   * Makes the error.
   *
   * @param capability What the host cannot do.
   * @param host Which host.
   */
  constructor(capability: HostCapabilityName, host: HostName) {
    const row: HostCapability = HOSTED_CAPABILITIES[capability];
    const support = row[host];
    const why = support === "yes"
      ? ""
      : "throws" in support
      ? support.throws
      : support.does;
    super(`Cannot ${row.action ?? capability} on a hosted connection: ${why}`);
    this.capability = capability;
  }
}

/** Whether a host does something as a socket does. */
export function supports(name: HostCapabilityName, host: HostName): boolean {
  const row: HostCapability = HOSTED_CAPABILITIES[name];
  return row[host] === "yes";
}

/**
 * Refuses what a host cannot do.
 *
 * @throws {UnsupportedError} If it cannot.
 */
export function assertSupported(
  name: HostCapabilityName,
  host: HostName,
): void {
  if (!supports(name, host)) throw new UnsupportedError(name, host);
}
