/**
 * A request whose handler takes its time to decide.
 *
 * @module
 */

import { type RefusalReason, refuse } from "../../codec.ts";
import { nowMs } from "../../connection.ts";
import { type Accepted, Refused } from "../acceptance.ts";
import type { Entry, SiteServer } from "../site_server.ts";

/** A decision, or what stands in for it where it does not come in time. */
export class Pending implements Entry {
  place = -1;
  readonly #server: SiteServer;
  readonly #deadlineMs: number;
  readonly #settled: PromiseWithResolvers<Accepted | Refused> = Promise
    .withResolvers();

  /**
   * Waits for a decision.
   *
   * @param server Who counts what is under way.
   * @param decision The decision; it does not reject.
   */
  constructor(server: SiteServer, decision: Promise<Accepted | Refused>) {
    this.#server = server;
    this.#deadlineMs = nowMs() + server.openTimeoutMs;
    server.enter(this);
    decision.then((result) => this.#settle(result));
  }

  /** What has been decided. Never rejects. */
  get result(): Promise<Accepted | Refused> {
    return this.#settled.promise;
  }

  tick(now: number): void {
    if (now < this.#deadlineMs) return;
    this.#server.reportError(new Error("upgrade did not decide in time"));
    this.#refuse("handler-late");
  }

  shutDown(): void {
    // What is decided from now on is a refusal.
  }

  drop(): void {
    this.#refuse("shutting-down");
  }

  #refuse(reason: RefusalReason): void {
    this.#settle(new Refused(refuse(reason)));
  }

  #settle(result: Accepted | Refused): void {
    if (this.place >= 0) this.#server.leave(this);
    this.#settled.resolve(result);
  }
}
