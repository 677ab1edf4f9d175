/**
 * What the `upgrade` of the site and that of the handler decide together.
 *
 * @module
 */

import type { HeaderFields } from "../codec.ts";
import { checkKeys, type ConnectionRequest } from "../connection.ts";
import { RefusalAfterOpen } from "./refuse_after_open.ts";
import type {
  HandlerClass,
  UpgradeDecision,
  UpgradeFunction,
} from "./routes.ts";
import type { OfferInfo } from "./upgrade_info.ts";

/** How a request is accepted. */
export interface Acceptance {
  /** Subprotocol that was named. */
  readonly subprotocol: string | undefined;
  /** More headers for the 101 response. */
  readonly headers: HeaderFields | undefined;
  /** For `connection.data`. */
  readonly data: unknown;
}

/** What is decided in the end. */
export type Decision = Acceptance | RefusalAfterOpen | Response;

const ACCEPTANCE_NAMES = new Set(["subprotocol", "headers", "data"]);

/**
 * Asks the site, and where it accepts the handler. Asynchronous only where one of
 * them is.
 *
 * @param siteUpgrade The site's `upgrade`, if it has one.
 * @param handlerClass The handler's class, which may have one, too.
 * @param request The request.
 * @param info What they are told.
 * @throws What they throw; {@linkcode TypeError} where they decide nothing that is
 * a decision.
 */
export function decide(
  siteUpgrade: UpgradeFunction | undefined,
  handlerClass: HandlerClass | undefined,
  request: ConnectionRequest,
  info: OfferInfo,
): Decision | Promise<Decision> {
  return whenDecided(siteUpgrade?.(request, info), (first) => {
    if (isRefusal(first)) return first;
    const acceptance = toAcceptance(first);
    if (handlerClass?.upgrade === undefined) return acceptance;
    info.data = acceptance.data;
    return whenDecided(handlerClass.upgrade(request, info), (second) => {
      if (isRefusal(second)) return second;
      return merge(acceptance, toAcceptance(second));
    });
  });
}

/** Goes on at once where nobody has to be waited for. */
function whenDecided(
  decision: UpgradeDecision | Promise<UpgradeDecision>,
  next: (decision: UpgradeDecision) => Decision | Promise<Decision>,
): Decision | Promise<Decision> {
  return decision instanceof Promise ? decision.then(next) : next(decision);
}

function isRefusal(
  decision: UpgradeDecision,
): decision is RefusalAfterOpen | Response {
  return decision instanceof Response || decision instanceof RefusalAfterOpen;
}

function toAcceptance(
  decision: Exclude<UpgradeDecision, RefusalAfterOpen | Response>,
): Acceptance {
  const acceptance = decision === undefined ? {} : decision;
  // `false`, or a `{ status: 401 }` that is no `Response`, was not meant to accept.
  checkKeys("accept the request", acceptance, ACCEPTANCE_NAMES);
  const { subprotocol, headers, data } = acceptance;
  return { subprotocol, headers: headers && [...new Headers(headers)], data };
}

function merge(first: Acceptance, second: Acceptance): Acceptance {
  const { headers = [] } = first;
  return {
    subprotocol: second.subprotocol ?? first.subprotocol,
    headers: [...headers, ...second.headers ?? []],
    data: second.data === undefined ? first.data : second.data,
  };
}
