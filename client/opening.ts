/**
 * The opening handshake of one outgoing connection.
 *
 * @module
 */

import {
  checkUpgradeResponse,
  type Extension,
  HandshakeError,
  type ResponseHead,
  ResponseHeadReader,
  type UpgradeAgreement,
} from "../codec.ts";
import type { Transport, TransportSink } from "../runtime/transport.ts";
import type { Ask } from "./ask.ts";
import { BodyReader } from "./body.ts";
import { isRedirect } from "./redirect.ts";

/** A request, and what the response is held against. */
export interface OpeningRequest {
  /** What it asks for. */
  readonly ask: Ask;
  /** The request, whole. */
  readonly bytes: Uint8Array;
  /** The key in it. */
  readonly key: string;
  /** The subprotocols that it offers. */
  readonly subprotocols: readonly string[];
  /** The extensions that it offers. */
  readonly extensions: readonly Extension[];
  /** Whether the server must choose a subprotocol. */
  readonly requireSubprotocol: boolean;
  /** Whether redirects are followed, so that nobody reads their bodies. */
  readonly followsRedirects: boolean;
}

/**
 * Told that the handshake has succeeded.
 *
 * @param agreement What the server agreed to.
 * @param head The response.
 * @param early Bytes that followed the response, lent.
 */
export type Opened = (
  agreement: UpgradeAgreement,
  head: ResponseHead,
  early: Uint8Array,
) => void;

/** Sends a request, and judges the response. */
export class Opening implements TransportSink {
  readonly #transport: Transport;
  readonly #request: OpeningRequest;
  readonly #opened: Opened;
  readonly #failed: (error: unknown) => void;
  readonly #reader: ResponseHeadReader = new ResponseHeadReader();
  #body: BodyReader | undefined;
  #isDone = false;

  /**
   * @param transport A connected transport, not started yet.
   * @param request What to send.
   * @param opened Called when the connection is open; it sets another sink.
   * @param failed Called with the error when it will not be.
   */
  constructor(
    transport: Transport,
    request: OpeningRequest,
    opened: Opened,
    failed: (error: unknown) => void,
  ) {
    this.#transport = transport;
    this.#request = request;
    this.#opened = opened;
    this.#failed = failed;
    transport.start(this);
    transport.write(request.bytes);
  }

  data(chunk: Uint8Array): void {
    if (this.#isDone) return;
    if (this.#body !== undefined) return this.#readBody(this.#body, chunk);
    const taken = this.#reader.receive(chunk);
    if (this.#reader.error !== undefined) return this.fail(this.#reader.error);
    if (taken === undefined) return;
    const rest = chunk.subarray(taken);
    const head = this.#reader.head!;
    if (head.status !== 101) {
      if (this.#request.followsRedirects && isRedirect(head)) {
        return this.fail(this.#verdict());
      }
      this.#body = new BodyReader(head.status, head.headers);
      return this.#readBody(this.#body, rest);
    }
    const result = this.#check(head);
    if (!result.ok) return this.fail(result.error);
    this.#isDone = true;
    this.#opened(result, head, rest);
  }

  drain(): void {}

  end(): void {
    this.fail(this.#verdict() ?? closedEarly());
  }

  close(error?: Error): void {
    this.fail(this.#verdict() ?? closedEarly(error));
  }

  /** Ends the connection and the attempt. */
  fail(error: unknown): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#transport.destroy();
    this.#failed(error);
  }

  /**
   * Gives up for lack of time, or of interest. A response whose body is late says
   * more than that time has run out.
   */
  giveUp(reason: unknown): void {
    const isLate = reason instanceof HandshakeError;
    this.fail(isLate ? this.#verdict() ?? reason : reason);
  }

  #readBody(body: BodyReader, bytes: Uint8Array): void {
    body.receive(bytes);
    if (body.isDone) this.fail(this.#verdict()!);
  }

  /** The error that a response other than 101 amounts to. */
  #verdict(): HandshakeError | undefined {
    const { head } = this.#reader;
    if (head === undefined) return undefined;
    const result = this.#check(head);
    return result.ok ? undefined : result.error;
  }

  #check(head: ResponseHead): ReturnType<typeof checkUpgradeResponse> {
    return checkUpgradeResponse(head, {
      ...this.#request,
      body: this.#body?.bytes,
    });
  }
}

function closedEarly(cause?: Error): HandshakeError {
  return new HandshakeError(
    "closed-early",
    "The server closed the connection before it answered",
    cause && { cause },
  );
}
