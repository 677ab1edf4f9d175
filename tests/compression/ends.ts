/**
 * What the tests of compression share: one connection of ours, of either role, and
 * a peer made of bytes at its other end.
 */
import {
  type CloseInfo,
  type CompressionOptions,
  type Connection,
  type ConnectionOptions,
  dial,
} from "../../client.ts";
import { Site } from "../../server.ts";
import { test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { closeCode, type FrameOptions } from "../harness/frame.ts";
import { type RawClient, rawUpgrade } from "../harness/raw_client.ts";
import { RawServer } from "../harness/raw_server.ts";
import { deflated, inflated } from "./zlib_peer.ts";

export type Role = "server" | "client";

/** Both sides compress each message by itself. */
export const ALONE: string =
  "permessage-deflate; server_no_context_takeover; " +
  "client_no_context_takeover";

/** How a connection is opened. */
export interface EndOptions extends ConnectionOptions {
  /** What the peer offers, or answers; {@linkcode ALONE} where absent. */
  readonly extension?: string | undefined;
  readonly compression?: boolean | CompressionOptions;
}

/** A connection of ours, and its peer. */
export interface End {
  readonly role: Role;
  readonly connection: Connection;
  readonly raw: RawClient;
  /** Sends frames as the peer must: a client's are masked. */
  send(...frames: readonly FrameOptions[]): void;
  /** Sends a compressed message. */
  sendCompressed(text: string): void;
  /** Reads a frame; texts and bytes inflated where they carry RSV1. */
  read(): Promise<{ rsv: number; opcode: number; text: string; fin: boolean }>;
  /** Reads until the Close frame; says its code, and how our side reports it. */
  readClose(): Promise<{ code: number; info: CloseInfo }>;
}

const HEADER = "Sec-WebSocket-Extensions";
const decoder = new TextDecoder();

function end(role: Role, connection: Connection, raw: RawClient): End {
  const mask = role === "server";
  const send = (...frames: readonly FrameOptions[]) =>
    frames.forEach((frame) => raw.sendFrame({ mask, ...frame }));
  return {
    role,
    connection,
    raw,
    send,
    sendCompressed: (text) => send({ rsv: 4, payload: deflated(text) }),
    async read() {
      const { rsv, opcode, payload, fin } = await raw.readFrame();
      const bytes = rsv === 4 ? inflated(payload) : payload;
      return { rsv, opcode, text: decoder.decode(bytes), fin };
    },
    async readClose() {
      // Who has taken a message would be given time to answer it.
      connection.receive().catch(() => {});
      let frame = await raw.readFrame();
      while (frame.opcode !== 8) frame = await raw.readFrame();
      raw.end();
      const info = await within(connection.closed, "the end");
      return { code: closeCode(frame.payload), info };
    },
  };
}

async function withServer(
  { extension, compression = true, ...options }: EndOptions,
  body: (end: End) => Promise<void>,
): Promise<void> {
  const opened = Promise.withResolvers<Connection>();
  const errors: Error[] = [];
  const site = new Site({
    compression,
    ...options,
    onError: (error) => void errors.push(error),
  });
  site.addHandler("/", async (connection) => {
    opened.resolve(connection);
    await connection.closed;
  });
  await using server = await site.listen({ port: 0, hostname: "127.0.0.1" });
  if (server.addr.transport !== "tcp") throw new Error("Not on TCP");
  const headers = { [HEADER]: extension };
  await using raw = await rawUpgrade(server.addr.port, "/", headers);
  await body(end("server", await opened.promise, raw));
  if (errors.length > 0) throw errors[0];
}

async function withClient(
  { extension, ...options }: EndOptions,
  body: (end: End) => Promise<void>,
): Promise<void> {
  await using server = await RawServer.listen();
  const dialing = dial(`ws://127.0.0.1:${server.port}/`, options);
  const raw = await server.acceptUpgrade({ [HEADER]: extension });
  const connection = await within(dialing, "dial()");
  try {
    await body(end("client", connection, raw));
  } finally {
    connection.terminate();
  }
}

/** Opens a connection of ours, and runs a body with it and its peer. */
export function withEnd(
  role: Role,
  options: EndOptions,
  body: (end: End) => Promise<void>,
): Promise<void> {
  const all = { extension: ALONE, ...options };
  return role === "server" ? withServer(all, body) : withClient(all, body);
}

/** Defines a test for each role. */
export function testBoth(
  name: string,
  options: EndOptions,
  body: (end: End) => Promise<void>,
): void {
  for (const role of ["server", "client"] as const) {
    test(`${name} (${role})`, () => withEnd(role, options, body));
  }
}
