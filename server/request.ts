/**
 * The request that asks for a WebSocket, as handlers see it.
 *
 * @module
 */

import { HeaderList } from "../codec.ts";
import type {
  Address,
  ConnectionRequest,
  ForwardedRequest,
} from "../connection.ts";
import type { RequestSource } from "./forwarded.ts";

/**
 * A request whose URL and `Headers` are made when they are asked for: most
 * handlers never do, and a connection that stays open for days keeps it.
 */
export class SiteRequest implements ConnectionRequest {
  readonly #secure: boolean;
  readonly #target: string;
  readonly #fields: string;
  #headers: Headers | undefined;

  /**
   * @param secure Whether it came through TLS.
   * @param target Path and query, as sent.
   * @param fields Headers, as sent.
   */
  constructor(secure: boolean, target: string, fields: HeaderList) {
    this.#secure = secure;
    this.#target = target;
    this.#fields = fields.text;
  }

  get method(): string {
    return "GET";
  }

  get url(): string {
    const origin = originOf(this.#secure, HeaderList.parse(this.#fields));
    return new URL(origin + this.#target).href;
  }

  get headers(): Headers {
    return this.#headers ??= new Headers([...HeaderList.parse(this.#fields)]);
  }
}

/** A request that a trusted proxy has passed on. It keeps who the client is. */
export class ProxiedRequest extends SiteRequest implements ForwardedRequest {
  readonly clientAddress: Address;

  /**
   * @param client Who asks, as the proxy tells.
   * @param target Path and query, as sent.
   * @param fields Headers, as sent.
   */
  constructor(client: RequestSource, target: string, fields: HeaderList) {
    super(client.secure, target, fields);
    this.clientAddress = client.remoteAddress;
  }
}

/**
 * Tells the scheme and authority that a request asks for.
 *
 * @param secure Whether it came through TLS.
 * @param fields Its headers, with one `Host`.
 */
export function originOf(secure: boolean, fields: HeaderList): string {
  return `${secure ? "wss" : "ws"}://${fields.get("host")}`;
}

/** The latest origin that was found to be one: most clients name the same. */
let knownOrigin = "";

/**
 * Tells whether a request's origin can be part of a URL. A host that the grammar
 * allows may still be none, such as `[:::]`: handlers would find out by an
 * exception when they ask for the URL.
 *
 * @param origin What {@linkcode originOf} returned.
 */
export function canBeOrigin(origin: string): boolean {
  if (origin === knownOrigin) return true;
  if (!URL.canParse(origin)) return false;
  knownOrigin = origin;
  return true;
}
