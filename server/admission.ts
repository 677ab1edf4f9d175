/**
 * Who may connect: the rules of a site, for all its handlers.
 *
 * @module
 */

import type { HeaderList, RefusalResponse } from "../codec.ts";
import { checkAmount, checkType } from "../connection.ts";
import {
  clientOf,
  type ForwardedHeader,
  type ProxyTrust,
  type RequestSource,
} from "./forwarded.ts";
import { Quota, type QuotaRefusal } from "./quota.ts";
import {
  type ResponseHeader,
  responseHeaders,
  withCommon,
} from "./response_headers.ts";
import type { UpgradeFunction } from "./routes.ts";

/** Who may connect to a site. */
export interface AdmissionOptions {
  /**
   * Decides about every request that is for a handler, before the handler's own
   * `upgrade`, which is asked where this one accepts. The headers of both are sent;
   * of `subprotocol` and `data` the handler's count where it has them.
   */
  readonly upgrade?: UpgradeFunction;
  /**
   * Headers of every answer that the site itself gives, 101 or refusal, such as
   * `Server`; a header of the same name that `upgrade` sets goes before it. The
   * root's answers are its own.
   *
   * @default {{}}
   */
  readonly headers?: NonNullable<ResponseInit["headers"]>;
  /**
   * Most connections at a time, over all servers of the site. A connection counts
   * from when its request was read, so handshakes under way do, until it is gone.
   * One more is refused with 503 and `Retry-After`.
   *
   * @default {Infinity}
   */
  readonly maxConnections?: number;
  /**
   * Most connections at a time of one client address, counted as for
   * `maxConnections`. One more is refused with 429 and `Retry-After`. For IPv6 it
   * is the first 64 bits that count, since clients choose the others themselves.
   * Clients on a Unix socket have no address, unless a trusted proxy tells it.
   *
   * @default {Infinity}
   */
  readonly maxConnectionsPerAddress?: number;
  /**
   * Count of proxies in front of the site that append the client's address to
   * `X-Forwarded-For` or `Forwarded` (RFC 7239). The entry that the outermost one
   * wrote then becomes `remoteAddress` (with port 0 where it tells none), and
   * `X-Forwarded-Proto` or `proto` becomes `secure`. Requests with fewer entries
   * are taken for the proxies' own; malformed ones are refused with 400.
   *
   * Set it only where no client can reach the site but through them: whoever does
   * could claim any address.
   *
   * @default {0}
   */
  readonly trustedProxies?: number;
  /**
   * Which header the proxies write. Without it either counts, and a request where
   * the two name different clients is refused with 400: one of them is the client's
   * own writing, and nobody knows which.
   */
  readonly forwardedHeader?: ForwardedHeader;
}

/** Names of the options. */
export const ADMISSION_OPTION_NAMES: readonly string[] = [
  "upgrade",
  "headers",
  "maxConnections",
  "maxConnectionsPerAddress",
  "trustedProxies",
  "forwardedHeader",
];

/** The rules of one site. */
export class Admission implements ProxyTrust {
  /** The site's own `upgrade`. */
  readonly upgrade: UpgradeFunction | undefined;
  readonly trustedProxies: number;
  readonly forwardedHeader: ForwardedHeader | undefined;
  /** Headers of every answer. */
  readonly headers: readonly ResponseHeader[];
  /** Places; `undefined` where there are as many as one likes. */
  readonly quota: Quota | undefined;

  /**
   * @param options Options of the site.
   * @throws {TypeError} If one is of the wrong kind.
   * @throws {RangeError} If a number is out of range.
   */
  constructor(options: AdmissionOptions) {
    const { upgrade, trustedProxies = 0, forwardedHeader } = options;
    const { maxConnections = Infinity, maxConnectionsPerAddress = Infinity } =
      options;
    checkType("make the site", "upgrade", upgrade, "function");
    const amounts = {
      trustedProxies,
      maxConnections,
      maxConnectionsPerAddress,
    };
    for (const [name, value] of Object.entries(amounts)) {
      checkAmount("make the site", name, value);
    }
    if (!Number.isInteger(trustedProxies)) {
      throw new RangeError(
        `Cannot make the site: trustedProxies is out of range: ${trustedProxies}`,
      );
    }
    if (
      ![undefined, "x-forwarded-for", "forwarded"].includes(forwardedHeader)
    ) {
      throw new TypeError(
        `Cannot make the site: unknown forwardedHeader: ${forwardedHeader}`,
      );
    }
    this.upgrade = upgrade;
    this.trustedProxies = trustedProxies;
    this.forwardedHeader = forwardedHeader;
    this.headers = responseHeaders(options.headers);
    if (Math.min(maxConnections, maxConnectionsPerAddress) < Infinity) {
      this.quota = new Quota(maxConnections, maxConnectionsPerAddress);
    }
  }

  /**
   * Tells who the client is.
   *
   * @param headers Headers of the request.
   * @param source Where it came from; returned itself where nothing else is told.
   * @returns `undefined` where what trusted proxies wrote is malformed.
   */
  clientOf(
    headers: HeaderList,
    source: RequestSource,
  ): RequestSource | undefined {
    return clientOf(headers, source, this);
  }

  /**
   * Takes a place for a request. It must be given back by
   * {@linkcode Admission.release} when the request is refused, or its connection
   * is gone.
   *
   * @param source Where the request came from: what the place is known by.
   * @param client Who counts for it.
   * @returns Why there is none, or `undefined` if it was taken.
   */
  take(
    source: RequestSource,
    client: RequestSource,
  ): QuotaRefusal | undefined {
    return this.quota?.take(source, client.remoteAddress);
  }

  /**
   * Hands a place on. Does nothing where there is none.
   *
   * @param source What `take` was given.
   * @param connection What the place is known by from now on.
   */
  move(source: RequestSource, connection: object): void {
    this.quota?.move(source, connection);
  }

  /**
   * Gives a place back. Does nothing where there is none.
   *
   * @param holder What `take` was given, or `move`.
   */
  release(holder: object): void {
    this.quota?.release(holder);
  }

  /** Adds the headers of every answer to a refusal. */
  complete(response: RefusalResponse): RefusalResponse {
    if (this.headers.length === 0) return response;
    const headers = withCommon(response.headers ?? [], this.headers);
    return { ...response, headers };
  }
}
