/**
 * Whether a well-formed request is accepted, and with what.
 *
 * @module
 */

import {
  acceptDeflate,
  type DeflateAcceptance,
  encodeResponseHead,
  encodeUpgradeResponse,
  type RefusalReason,
  type RefusalResponse,
  refuse,
  type RequestHead,
  type UpgradeOffer,
} from "../codec.ts";
import { type Connection, isCompressionLoaded } from "../connection.ts";
import type { Admission } from "./admission.ts";
import { type Acceptance, decide } from "./decision.ts";
import type { RequestSource } from "./forwarded.ts";
import { mayConnect } from "./origin.ts";
import { RefusalAfterOpen } from "./refuse_after_open.ts";
import {
  canBeOrigin,
  originOf,
  ProxiedRequest,
  SiteRequest,
} from "./request.ts";
import { withCommon } from "./response_headers.ts";
import type { RouteMatch } from "./routes.ts";
import { OfferInfo } from "./upgrade_info.ts";

/** Who accepts. */
export interface Acceptor {
  /** Whether the server is going away. */
  readonly isShuttingDown: boolean;
  /** Who may connect. */
  readonly admission: Admission;
  /** Finds the handler for a target. */
  match(target: string): RouteMatch | "invalid" | undefined;
  /** Told of what a handler threw. */
  reportError(error: unknown, connection?: Connection): void;
}

/** A request that is to be answered with 101. */
export interface Accepted {
  /** The handler. */
  readonly match: RouteMatch;
  /** The request. */
  readonly request: SiteRequest;
  /** Who asks. */
  readonly client: RequestSource;
  /** Subprotocol agreed on, empty for none. */
  readonly subprotocol: string;
  /** How messages are compressed, where they are. */
  readonly deflate: DeflateAcceptance | undefined;
  /** The 101 response. */
  readonly response: Uint8Array;
  /** For `connection.data`. */
  readonly data: unknown;
  /** Set where the connection is to be closed at once, without a handler. */
  readonly refusal: RefusalAfterOpen | undefined;
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
 * Decides about a request. Asynchronous only where an `upgrade` is.
 *
 * It may have taken a place for the source: see {@linkcode Admission.release}.
 *
 * @param acceptor Who accepts.
 * @param head The request.
 * @param offer What it offers.
 * @param match The handler.
 * @param source Where it came from.
 * @returns The decision; a promise of it never rejects.
 */
export function accept(
  acceptor: Acceptor,
  head: RequestHead,
  offer: UpgradeOffer,
  match: RouteMatch,
  source: RequestSource,
): Accepted | Refused | Promise<Accepted | Refused> {
  if (acceptor.isShuttingDown) return refused("shutting-down");
  const { admission } = acceptor;
  const { route } = match;
  const { headers } = head;
  const client = admission.clientOf(headers, source);
  if (client === undefined) return refused("bad-forwarded");
  if (!canBeOrigin(originOf(client.secure, headers))) {
    return refused("bad-host");
  }
  if (!mayConnect(offer.origin, offer.host, route.origins)) {
    return refused("origin-not-allowed");
  }
  if (route.subprotocolRequired && offer.subprotocols.length === 0) {
    return refused("no-common-subprotocol");
  }
  const excess = admission.take(source, client);
  if (excess !== undefined) return refused(excess);
  // Most often it is the path itself, which all connections there can share.
  const target = offer.target === route.path ? route.path : offer.target;
  const request = client === source
    ? new SiteRequest(client.secure, target, headers)
    : new ProxiedRequest(client, target, headers);
  const asked: Asked = { acceptor, offer, match, request, client };
  const { handlerClass } = route;
  if (admission.upgrade === undefined && handlerClass?.upgrade === undefined) {
    return conclude(asked, undefined);
  }
  const failed = (error: unknown) => concludeThrown(asked, error);
  try {
    const info = new OfferInfo(client, offer, headers, match.params);
    const decision = decide(admission.upgrade, handlerClass, request, info);
    if (decision instanceof Promise) {
      return decision.then((decision) =>
        decision instanceof Response
          ? refuseWith(admission, decision)
          : conclude(asked, decision)
      ).catch(failed);
    }
    if (decision instanceof Response) {
      return refuseWith(admission, decision).catch(failed);
    }
    return conclude(asked, decision);
  } catch (error) {
    return failed(error);
  }
}

/** A request about which somebody is asked. */
interface Asked {
  readonly acceptor: Acceptor;
  readonly offer: UpgradeOffer;
  readonly match: RouteMatch;
  readonly request: SiteRequest;
  readonly client: RequestSource;
}

function conclude(
  { acceptor, offer, match, request, client }: Asked,
  decision: Acceptance | RefusalAfterOpen | undefined,
): Accepted | Refused {
  if (acceptor.isShuttingDown) return refused("shutting-down");
  const isRefusal = decision instanceof RefusalAfterOpen;
  const refusal = isRefusal ? decision : undefined;
  const acceptance = isRefusal ? undefined : decision;
  const { route } = match;
  let subprotocol = acceptance?.subprotocol ??
    route.subprotocols.find((name) => offer.subprotocols.includes(name));
  if (subprotocol === undefined) {
    // A browser that offered some, and is answered none, never sees what follows.
    if (isRefusal) subprotocol = offer.subprotocols[0];
    else if (route.subprotocolRequired) return refused("no-common-subprotocol");
  }
  const common = acceptor.admission.headers;
  const headers = common.length === 0
    ? acceptance?.headers
    : withCommon(acceptance?.headers ?? [], common);
  const { compression } = route.settings;
  const deflate = compression === undefined || !isCompressionLoaded()
    ? undefined
    : acceptDeflate(offer.extensions, compression);
  const extensions = deflate && [deflate.answer];
  try {
    const response = encodeUpgradeResponse(offer, {
      subprotocol,
      extensions,
      headers,
    });
    return {
      match,
      request,
      client,
      subprotocol: subprotocol ?? "",
      deflate,
      response,
      data: acceptance?.data,
      refusal,
    };
  } catch (error) {
    acceptor.reportError(error);
    return refused("handler-failed");
  }
}

async function concludeThrown(
  asked: Asked,
  error: unknown,
): Promise<Accepted | Refused> {
  const { acceptor } = asked;
  if (error instanceof RefusalAfterOpen) return conclude(asked, error);
  if (error instanceof Response) {
    try {
      return await refuseWith(acceptor.admission, error);
    } catch (error) {
      acceptor.reportError(error);
    }
  } else {
    acceptor.reportError(error);
  }
  return refused("handler-failed");
}

/** Makes bytes of a handler's `Response`, which ends the connection. */
async function refuseWith(
  admission: Admission,
  response: Response,
): Promise<Refused> {
  const body = new Uint8Array(await response.arrayBuffer());
  const headers = [...response.headers].filter(([name]) =>
    !["connection", "content-length", "transfer-encoding"].includes(name)
  );
  const head = encodeResponseHead({
    status: response.status,
    ...(response.statusText && { statusText: response.statusText }),
    headers: [
      ...withCommon(headers, admission.headers),
      ["Connection", "close"],
      ["Content-Length", `${body.length}`],
    ],
  });
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return new Refused(bytes);
}
