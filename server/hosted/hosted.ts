/**
 * A site in somebody else's server: requests come one by one, and WebSockets are
 * the host's.
 *
 * @module
 */

import {
  checkUpgrade,
  encodeRefusal,
  isUpgrade,
  type RefusalResponse,
  refuse,
  type RequestHead,
  type UpgradeOffer,
} from "../../codec.ts";
import type { ConnectionSettings } from "../../connection.ts";
import {
  type Host,
  type HostRequest,
  type HostUpgrade,
  loadHost,
} from "../../runtime/host.ts";
import {
  loadRuntime,
  type RootRequestInfo,
  type Runtime,
} from "../../runtime/transport.ts";
import { accept, type Accepted, Refused } from "../acceptance.ts";
import type { RequestSource } from "../forwarded.ts";
import type { RouteMatch } from "../routes.ts";
import type { ShutdownOptions } from "../shutdown.ts";
import { type ServerOwner, SiteServer } from "../site_server.ts";
import {
  addedHeaders,
  headOf,
  isSecure,
  namesOneHost,
  toResponse,
} from "./answer.ts";
import { Bridge } from "./bridge.ts";
import { supports } from "./capabilities.ts";
import { HostedConnection } from "./hosted_connection.ts";
import { Pending } from "./pending.ts";

const NO_BYTES = new Uint8Array(0);
/** The answer on Node, whose HTTP server has no WebSockets. */
const NO_HOST: RefusalResponse = {
  status: 501,
  text: "WebSockets are not served here: the site has to listen by itself.",
};
/** The answer where the root throws. */
const ROOT_FAILED: RefusalResponse = { status: 500, text: "Internal error." };

/** What is loaded with the first request. */
interface Parts {
  /** `undefined` on Node. */
  readonly host: Host | undefined;
  readonly server: SiteServer;
}

type UpgradeTimes = Pick<HostUpgrade, "idleTimeoutMs" | "openTimeoutMs">;

/** A request, as far as it has been read. */
interface Asked {
  readonly request: Request;
  /** `undefined` where it is not well-formed. */
  readonly head: RequestHead | undefined;
  /** Where it comes from, and what a place in the quota is known by. */
  readonly source: RequestSource;
  /** Who asks: behind trusted proxies another than the source. */
  readonly client: RequestSource;
}

/** Answers the requests that a host hands over, and keeps their connections. */
export class Hosted {
  readonly #site: ServerOwner;
  #parts: Parts | undefined;
  #loading: Promise<Parts> | undefined;
  #isShutDown = false;

  /** @param site The site. */
  constructor(site: ServerOwner) {
    this.#site = site;
  }

  /** Loads what the first request needs, so that it does not have to wait. */
  prepare(): Promise<Parts> {
    return this.#loading ??= this.#load();
  }

  /** Whether a request asks for a WebSocket on a path with a handler. */
  claims(request: Request): boolean {
    if (!request.headers.has("upgrade")) return false;
    const head = headOf(request);
    return head !== undefined && isUpgrade(head) &&
      this.#site.match(head.target) !== undefined;
  }

  /**
   * Answers a request.
   *
   * @param request The request.
   * @param info What the host passed beside it.
   * @throws {TypeError} If `info` is not what the host passes.
   */
  fetch(request: Request, info: unknown): Response | Promise<Response> {
    // At once where it can be: Bun refuses a client that goes on meanwhile.
    if (this.#parts !== undefined) {
      return this.#answer(request, info, this.#parts);
    }
    return this.prepare().then((parts) => this.#answer(request, info, parts));
  }

  /** Ends all connections; what is asked for afterwards is answered 503. */
  async shutdown(options?: ShutdownOptions): Promise<void> {
    this.#isShutDown = true;
    const parts = this.#parts ?? await this.#loading;
    await parts?.server.shutdown(options);
  }

  async #load(): Promise<Parts> {
    const [host, runtime] = await Promise.all([loadHost(), loadRuntime()]);
    return this.#parts = { host, server: this.#serve(host, runtime) };
  }

  #serve(host: Host | undefined, runtime: Runtime): SiteServer {
    return new SiteServer(
      this.#site,
      runtime,
      (init, bridge) =>
        new HostedConnection(init, bridge as Bridge, host!.name),
    );
  }

  #answer(
    request: Request,
    info: unknown,
    parts: Parts,
  ): Response | Promise<Response> {
    const { host } = parts;
    const taken = host?.take(request, info);
    // Whoever calls may also say so: it is what the root is told.
    const remoteAddress = taken?.remoteAddress ??
      (Object(info) as Partial<RootRequestInfo>).remoteAddress;
    const head = headOf(request);
    if (host === undefined && head !== undefined && isUpgrade(head)) {
      return this.#respond(NO_HOST);
    }
    if (remoteAddress === undefined) throw notTheHosts(host);
    const source = { remoteAddress, secure: isSecure(request) };
    const client = head &&
      this.#site.admission.clientOf(head.headers, source);
    const asked: Asked = { request, head, source, client: client ?? source };
    if (this.#isShutDown) return this.#refuse(asked, refuse("shutting-down"));
    if (head === undefined) return this.#refuse(asked, refuse("bad-character"));
    const match = this.#site.match(head.target);
    if (!isUpgrade(head) || match === undefined) {
      return this.#passOn(asked, head, match);
    }
    if (match === "invalid") return this.#refuse(asked, refuse("bad-target"));
    if (taken === undefined) throw notTheHosts(host);
    const offer = checkUpgrade(head);
    if (!offer.ok) return this.#refuse(asked, offer);
    if (!namesOneHost(request, offer.host)) {
      return this.#refuse(asked, refuse("bad-host"));
    }
    return this.#decide({ ...asked, head }, taken, offer, match, parts);
  }

  #decide(
    { request, head, client }: Asked & { readonly head: RequestHead },
    taken: HostRequest,
    offer: UpgradeOffer,
    match: RouteMatch,
    { host, server }: Parts,
  ): Response | Promise<Response> {
    const { settings } = match.route;
    const bridge = new Bridge({
      remoteAddress: taken.remoteAddress,
      secure: isSecure(request),
      maxMessageBytes: settings.maxMessageBytes,
      maxUnfinishedBytes: settings.sendMaxBytes,
    });
    const asked: Asked = { request, head, client, source: bridge };
    const upgrade: UpgradeTimes = {
      openTimeoutMs: this.#site.openTimeoutMs,
      idleTimeoutMs: supports("keepalive", host!.name)
        ? 0
        : idleTimeoutOf(settings),
    };
    const conclude = (result: Accepted | Refused): Response =>
      result instanceof Refused
        ? this.#refuse(asked, result.response)
        : this.#open(asked, result, taken, bridge, upgrade, server);
    // The host decides alone about extensions, and Sockeye has it decline them.
    const plain = { ...offer, extensions: [] };
    const result = accept(server, head, plain, match, bridge);
    if (!(result instanceof Promise)) return conclude(result);
    // Not before: Deno prints a warning when it is first asked for.
    const { signal } = request;
    return new Pending(server, result).result.then((result) => {
      if (!signal.aborted) return conclude(result);
      // A host may not tell, when it upgrades, that nobody is there any more.
      this.#site.admission.release(bridge);
      return this.#respond(refuse("handler-late"));
    });
  }

  #open(
    asked: Asked,
    accepted: Accepted,
    taken: HostRequest,
    bridge: Bridge,
    times: UpgradeTimes,
    server: SiteServer,
  ): Response {
    // Before the host answers, so that a handler that cannot be made is a 500.
    if (!server.open(accepted, bridge, NO_BYTES)) {
      return this.#refuse(asked, refuse("handler-failed"));
    }
    try {
      const headers = addedHeaders(accepted.response);
      const response = taken.upgrade({ ...times, headers, sink: bridge });
      if (response !== undefined) return response;
      bridge.close({ error: new Error("The host could not upgrade") });
    } catch (error) {
      server.reportError(error);
      bridge.close({ error: error as Error });
    }
    return this.#respond(refuse("handler-failed"));
  }

  /** Gives a request that is not for a handler to the root. */
  async #passOn(
    asked: Asked,
    { method }: RequestHead,
    match: RouteMatch | "invalid" | undefined,
  ): Promise<Response> {
    const { request, source } = asked;
    const { root } = this.#site;
    if (root === undefined) {
      const reason = match === undefined
        ? "not-found"
        : method === "GET"
        ? "not-an-upgrade"
        : "bad-method";
      return this.#refuse(asked, refuse(reason));
    }
    this.#site.journal.passed++;
    try {
      return await root(request, source);
    } catch (error) {
      this.#site.reportError(error);
      return this.#respond(ROOT_FAILED);
    }
  }

  #refuse(asked: Asked, answer: RefusalResponse | Uint8Array): Response {
    const { head, client, source } = asked;
    const { admission, journal } = this.#site;
    admission.release(source);
    journal.refused(answer, head?.target, client.remoteAddress);
    return answer instanceof Uint8Array
      ? toResponse(answer)
      : this.#respond(answer);
  }

  /** Answers with the headers that every answer has. */
  #respond(answer: RefusalResponse): Response {
    return toResponse(encodeRefusal(this.#site.admission.complete(answer)));
  }
}

function notTheHosts(host: Host | undefined): TypeError {
  const what = host === undefined
    // Node: whatever its server passes, it is nothing that a site can use.
    ? "say who asks, as in site.fetch(request, { remoteAddress }), or let the " +
      "site listen by itself"
    : "pass what the host passed beside it, as in site.fetch(request, info)";
  return new TypeError(`Cannot answer the request: ${what}`);
}

/** How long a host that pings by itself may hear nothing. */
function idleTimeoutOf(settings: ConnectionSettings): number {
  const { pingIntervalMs, pingTimeoutMs } = settings;
  const isOff = pingIntervalMs === 0 || pingTimeoutMs === 0;
  return isOff ? 0 : pingIntervalMs + pingTimeoutMs;
}
