/** What the tests of the dialer share: a bare server that answers as told. */
import {
  type Connection,
  dial,
  type DialOptions,
  HandshakeError,
} from "../../client.ts";
import { assert, assertRejects } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import type { RawClient } from "../harness/raw_client.ts";
import { RawServer, upgradeResponse } from "../harness/raw_server.ts";

/** What a bare server does with a request whose head it has read. */
export type Answer = (
  raw: RawClient,
  requestHead: string,
) => void | Promise<void>;

/** Dials a server that answers so; returns the error, once the socket is gone. */
export async function refusal(
  answer: Answer,
  options: DialOptions = {},
): Promise<HandshakeError> {
  await using server = await RawServer.listen();
  const dialing = dial(`ws://127.0.0.1:${server.port}/`, options);
  const failed = assertRejects(() => dialing, HandshakeError);
  // Whoever fails first is to be heard.
  failed.catch(() => {});
  const raw = await server.accept();
  await answer(raw, await raw.readHead());
  const error = await within(failed, "the end of dial()");
  await raw.readToEnd();
  assert(raw.ended, "the client left the socket open");
  return error;
}

/** The same with a response that is known from the start. */
export function refusalOf(
  response: string | Uint8Array,
  options?: DialOptions,
): Promise<HandshakeError> {
  return refusal((raw) => raw.write(response), options);
}

/** An open connection, and the other end of it. */
export class Opened implements AsyncDisposable {
  readonly connection: Connection;
  readonly raw: RawClient;
  readonly requestHead: string;
  readonly #server: RawServer;

  constructor(
    connection: Connection,
    raw: RawClient,
    requestHead: string,
    server: RawServer,
  ) {
    this.connection = connection;
    this.raw = raw;
    this.requestHead = requestHead;
    this.#server = server;
  }

  /** Drops both ends, and waits until they are gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.connection.terminate();
    await within(this.connection.closed, "the end of a connection");
    await this.#server[Symbol.asyncDispose]();
  }
}

/**
 * Dials a server that opens the connection.
 *
 * @param early Bytes to send in one write with the response.
 */
export async function opened(
  options: DialOptions = {},
  early: Uint8Array = new Uint8Array(),
): Promise<Opened> {
  const server = await RawServer.listen();
  const dialing = dial(`ws://127.0.0.1:${server.port}/`, options);
  const raw = await server.accept();
  const head = await raw.readHead();
  raw.write(upgradeResponse(head), early);
  return new Opened(await within(dialing, "dial()"), raw, head, server);
}
