/**
 * What an `upgrade` is told beside the request.
 *
 * @module
 */

import type { HeaderList, UpgradeOffer } from "../codec.ts";
import type { Address } from "../connection.ts";
import { readCookies } from "./cookies.ts";
import type { RequestSource } from "./forwarded.ts";
import type { UpgradeInfo } from "./routes.ts";

/** Implements {@linkcode UpgradeInfo}: what has to be parsed is, when it is asked for. */
export class OfferInfo implements UpgradeInfo {
  readonly params: Readonly<Record<string, string>>;
  data: unknown;
  readonly #client: RequestSource;
  readonly #offer: UpgradeOffer;
  readonly #headers: HeaderList;
  #query: URLSearchParams | undefined;
  #cookies: ReadonlyMap<string, string> | undefined;

  /**
   * @param client Who asks.
   * @param offer What the client offers.
   * @param headers Headers of the request.
   * @param params What the parts of the path pattern matched.
   */
  constructor(
    client: RequestSource,
    offer: UpgradeOffer,
    headers: HeaderList,
    params: Readonly<Record<string, string>>,
  ) {
    this.#client = client;
    this.#offer = offer;
    this.#headers = headers;
    this.params = params;
  }

  get remoteAddress(): Address {
    return this.#client.remoteAddress;
  }

  get secure(): boolean {
    return this.#client.secure;
  }

  get subprotocols(): readonly string[] {
    return this.#offer.subprotocols;
  }

  get query(): URLSearchParams {
    if (this.#query === undefined) {
      const { target } = this.#offer;
      const start = target.indexOf("?");
      this.#query = new URLSearchParams(start < 0 ? "" : target.slice(start));
    }
    return this.#query;
  }

  get cookies(): ReadonlyMap<string, string> {
    return this.#cookies ??= readCookies(this.#headers.getAll("cookie"));
  }
}
