/**
 * Whether a well-formed request is accepted, and with what.
 *
 * @module
 */

import {
  encodeResponseHead,
  encodeUpgradeResponse,
  type RefusalReason,
  type RefusalResponse,
  refuse,
  type RequestHead,
  type UpgradeOffer,
} from "../codec.ts";
import { checkKeys, type Connection } from "../connection.ts";
import type { Transport } from "../runtime/transport.ts";
import { mayConnect } from "./origin.ts";
import { canBeOrigin, originOf, SiteRequest } from "./request.ts";
import type {
  RouteMatch,
  UpgradeAcceptance,
  UpgradeDecision,
} from "./routes.ts";

/** Who accepts. */
export interface Acceptor {
  /** Whether the server is going away. */
  readonly isShuttingDown: boolean;
  /** Finds the handler for a target. */
  match(target: string): RouteMatch | "invalid" | undefined;
  /** Told of what a handler threw. */
  reportError(error: unknown, connection?: Connection): void;
}

const ACCEPTANCE_NAMES = new Set(["subprotocol", "headers", "data"]);

/** A request that is to be answered with 101. */
export interface Accepted {
  /** The handler. */
  readonly match: RouteMatch;
  /** The request. */
  readonly request: SiteRequest;
  /** Subprotocol agreed on, empty for none. */
  readonly subprotocol: string;
  /** The 101 response. */
  readonly response: Uint8Array;
  /** For `connection.data`. */
  readonly data: unknown;
}

/** A request that is to be answered with something else. */
export class Refused {
  /** The answer: what to say, or its bytes. */
  readonly response: RefusalResponse | Uint8Array;

  /** @param response The answer. */
  constructor(response: RefusalResponse | Uint8Array) {
    this.response = response;
  }
}

function refused(reason: RefusalReason): Refused {
  return new Refused(refuse(reason));
}

/**
 * Decides about a request. Asynchronous only where the handler's `upgrade` is.
 *
 * @param acceptor Who accepts.
 * @param head The request.
 * @param offer What it offers.
 * @param match The handler.
 * @param transport Where it came from.
 * @returns The decision; a promise of it never rejects.
 */
export function accept(
  acceptor: Acceptor,
  head: RequestHead,
  offer: UpgradeOffer,
  match: RouteMatch,
  transport: Transport,
): Accepted | Refused | Promise<Accepted | Refused> {
  if (acceptor.isShuttingDown) return refused("shutting-down");
  const { route, params } = match;
  const { secure } = transport;
  if (!canBeOrigin(originOf(secure, head.headers))) return refused("bad-host");
  if (!mayConnect(offer.origin, offer.host, route.origins)) {
    return refused("origin-not-allowed");
  }
  // Most often it is the path itself, which all connections there can share.
  const target = offer.target === route.path ? route.path : offer.target;
  const request = new SiteRequest(secure, target, head.headers);
  const handlerClass = route.handlerClass;
  if (handlerClass?.upgrade === undefined) {
    return conclude(acceptor, offer, match, request, undefined);
  }
  const failed = (error: unknown) => refuseThrown(acceptor, error);
  try {
    const decision = handlerClass.upgrade(request, {
      remoteAddress: transport.remoteAddress,
      secure,
      params,
      subprotocols: offer.subprotocols,
    });
    if (!(decision instanceof Promise)) {
      if (decision instanceof Response) {
        return refuseWith(decision).catch(failed);
      }
      return conclude(acceptor, offer, match, request, decision);
    }
    return decision.then((decision) =>
      decision instanceof Response
        ? refuseWith(decision)
        : conclude(acceptor, offer, match, request, decision)
    ).catch(failed);
  } catch (error) {
    return failed(error);
  }
}

function conclude(
  acceptor: Acceptor,
  offer: UpgradeOffer,
  match: RouteMatch,
  request: SiteRequest,
  decision: Exclude<UpgradeDecision, Response>,
): Accepted | Refused {
  if (acceptor.isShuttingDown) return refused("shutting-down");
  const acceptance: UpgradeAcceptance = decision === undefined ? {} : decision;
  // `false`, or a `{ status: 401 }` that is no `Response`, was not meant to accept.
  checkKeys("accept the request", acceptance, ACCEPTANCE_NAMES);
  const subprotocol = acceptance.subprotocol ??
    match.route.subprotocols.find((name) => offer.subprotocols.includes(name));
  const headers = acceptance.headers && new Headers(acceptance.headers);
  try {
    const response = encodeUpgradeResponse(offer, { subprotocol, headers });
    const { data } = acceptance;
    return { match, request, subprotocol: subprotocol ?? "", response, data };
  } catch (error) {
    acceptor.reportError(error);
    return refused("handler-failed");
  }
}

async function refuseThrown(
  acceptor: Acceptor,
  error: unknown,
): Promise<Refused> {
  if (error instanceof Response) {
    try {
      return await refuseWith(error);
    } catch (error) {
      acceptor.reportError(error);
    }
  } else {
    acceptor.reportError(error);
  }
  return refused("handler-failed");
}

/** Makes bytes of a handler's `Response`, which ends the connection. */
async function refuseWith(response: Response): Promise<Refused> {
  const body = new Uint8Array(await response.arrayBuffer());
  const headers = [...response.headers].filter(([name]) =>
    !["connection", "content-length", "transfer-encoding"].includes(name)
  );
  const head = encodeResponseHead({
    status: response.status,
    ...(response.statusText && { statusText: response.statusText }),
    headers: [
      ...headers,
      ["Connection", "close"],
      ["Content-Length", `${body.length}`],
    ],
  });
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return new Refused(bytes);
}
