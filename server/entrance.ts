/**
 * The way in: one connection from its first byte to its upgrade, its refusal, or
 * its way to the root.
 *
 * @module
 */

import {
  checkUpgrade,
  encodeRefusal,
  isUpgrade,
  type RefusalReason,
  type RefusalResponse,
  refuse,
  type RequestHead,
  RequestHeadReader,
} from "../codec.ts";
import { nowMs, type Ticking } from "../connection.ts";
import type { Transport, TransportSink } from "../runtime/transport.ts";
import { accept, type Accepted, type Acceptor, Refused } from "./acceptance.ts";
import type { RequestSource } from "./forwarded.ts";
import type { Journal } from "./journal.ts";

/** Bytes that may arrive while a handler decides; then reading pauses. */
const MAX_EARLY_BYTES = 65_536;
/** How long a peer may take to read its refusal, in milliseconds. */
const LINGER_MS = 1_000;
const NO_BYTES = new Uint8Array(0);

/** The server that an entrance belongs to. */
export interface EntranceOwner extends Acceptor {
  /** How long the head may take, in milliseconds. */
  readonly openTimeoutMs: number;
  /** Told what happens. */
  readonly journal: Journal;
  /** Passes a request on; `false` where there is no root. */
  passToRoot(transport: Transport, bytes: Uint8Array): boolean;
  /**
   * Opens a connection that has been accepted.
   *
   * @returns `false` when its handler could not be made; nothing was sent then.
   */
  open(accepted: Accepted, transport: Transport, early: Uint8Array): boolean;
  /** Told that this entrance is no longer used. */
  leave(entrance: Entrance): void;
}

/** Reads one request, and decides what becomes of its connection. */
export class Entrance implements TransportSink, Ticking {
  place = -1;
  readonly #transport: Transport;
  readonly #owner: EntranceOwner;
  #reader: RequestHeadReader | undefined = new RequestHeadReader();
  #deadlineMs: number;
  /** What arrived while a handler decides. */
  #early: Uint8Array = NO_BYTES;
  /** Target of the request, once there is one. */
  #target: string | undefined;
  /** Who asks, as far as it is known. */
  #client: RequestSource;
  #isDeciding = false;
  #isRefused = false;
  #isGone = false;

  /**
   * @param transport A new connection.
   * @param owner The server.
   */
  constructor(transport: Transport, owner: EntranceOwner) {
    this.#transport = transport;
    this.#client = transport;
    this.#owner = owner;
    this.#deadlineMs = nowMs() + owner.openTimeoutMs;
  }

  data(chunk: Uint8Array): void {
    if (this.#isDeciding) return this.#keepEarly(chunk);
    const reader = this.#reader;
    // After a refusal nothing is looked at: it is no request, whatever it says.
    if (this.#isRefused || reader === undefined) return;
    const taken = reader.receive(chunk);
    if (reader.refusal !== undefined) return this.#refuse(reader.refusal);
    if (taken === undefined) return;
    this.decide(reader.head!, reader.bytes, chunk.subarray(taken));
  }

  drain(): void {}

  end(): void {
    // The transport ends by itself once the refusal has left.
    if (this.#isRefused) return;
    // A client that has half-closed before its request was complete, or while
    // a handler decides, wants nothing any more.
    this.#isGone = true;
    this.#transport.destroy();
  }

  close(): void {
    this.#isGone = true;
    this.#owner.admission.release(this.#transport);
    this.#owner.leave(this);
  }

  tick(now: number): void {
    if (now < this.#deadlineMs) return;
    if (this.#isRefused) {
      this.#transport.destroy();
    } else if (this.#isDeciding) {
      this.#isDeciding = false;
      this.#owner.reportError(new Error("upgrade did not decide in time"));
      this.#refuse(refuse("handler-late"));
    } else {
      this.#refuse(refuse("head-timeout"));
    }
  }

  /** Drops the connection. */
  drop(): void {
    this.#isGone = true;
    this.#transport.destroy();
  }

  /** Refuses a request that is still being read: the server is going away. */
  shutDown(): void {
    if (!this.#isRefused && !this.#isDeciding) {
      this.#refuse(refuse("shutting-down"));
    }
  }

  /**
   * Decides what becomes of a request.
   *
   * @param head The request.
   * @param bytes Its bytes, for the root; absent where the root has seen it.
   * @param rest Bytes that followed it; lent.
   */
  decide(
    head: RequestHead,
    bytes: Uint8Array | undefined,
    rest: Uint8Array,
  ): void {
    this.#reader = undefined;
    this.#target = head.target;
    const { admission } = this.#owner;
    this.#client = admission.clientOf(head.headers, this.#client) ??
      this.#client;
    if (!isUpgrade(head)) return this.#passOn(head, bytes, rest);
    const match = this.#owner.match(head.target);
    if (match === undefined) return this.#passOn(head, bytes, rest);
    if (match === "invalid") return this.#refuseFor("bad-target", head);
    const offer = checkUpgrade(head);
    if (!offer.ok) return this.#refuse(offer, head.method);
    const result = accept(this.#owner, head, offer, match, this.#transport);
    if (!(result instanceof Promise)) return this.#conclude(result, rest);
    this.#isDeciding = true;
    this.#deadlineMs = nowMs() + this.#owner.openTimeoutMs;
    this.#keepEarly(rest);
    result.then((result) => {
      const isWanted = this.#isDeciding && !this.#isGone;
      this.#isDeciding = false;
      if (isWanted) this.#conclude(result, this.#early);
    });
  }

  #conclude(result: Accepted | Refused, rest: Uint8Array): void {
    if (result instanceof Refused) return this.#refuse(result.response);
    this.#transport.resume();
    if (this.#owner.open(result, this.#transport, rest)) {
      return this.#owner.leave(this);
    }
    this.#refuse(refuse("handler-failed"));
  }

  /** Gives a request that is not for a handler to the root. */
  #passOn(
    head: RequestHead,
    bytes: Uint8Array | undefined,
    rest: Uint8Array,
  ): void {
    if (bytes !== undefined && this.#passToRoot(bytes, rest)) return;
    if (this.#owner.match(head.target) === undefined) {
      this.#refuseFor("not-found", head);
    } else if (head.method !== "GET") {
      this.#refuseFor("bad-method", head);
    } else {
      this.#refuseFor("not-an-upgrade", head);
    }
  }

  #passToRoot(bytes: Uint8Array, rest: Uint8Array): boolean {
    const all = new Uint8Array(bytes.length + rest.length);
    all.set(bytes);
    all.set(rest, bytes.length);
    if (!this.#owner.passToRoot(this.#transport, all)) return false;
    this.#owner.leave(this);
    return true;
  }

  #refuseFor(reason: RefusalReason, head: RequestHead): void {
    this.#refuse(refuse(reason), head.method);
  }

  /**
   * Answers, and ends our side. The peer's bytes are read and dropped for a
   * while, so that the answer is not lost to a reset.
   */
  #refuse(response: RefusalResponse | Uint8Array, method = "GET"): void {
    const { admission } = this.#owner;
    this.#isRefused = true;
    admission.release(this.#transport);
    this.#reader = undefined;
    this.#early = NO_BYTES;
    this.#deadlineMs = nowMs() + LINGER_MS;
    const { remoteAddress } = this.#client;
    this.#owner.journal.refused(response, this.#target, remoteAddress);
    const bytes = response instanceof Uint8Array
      ? response
      : encodeRefusal(admission.complete(response), method);
    this.#transport.resume();
    this.#transport.write(bytes);
    this.#transport.end();
  }

  #keepEarly(chunk: Uint8Array): void {
    const early = new Uint8Array(this.#early.length + chunk.length);
    early.set(this.#early);
    early.set(chunk, this.#early.length);
    this.#early = early;
    if (early.length >= MAX_EARLY_BYTES) this.#transport.pause();
  }
}
