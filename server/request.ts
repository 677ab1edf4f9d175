/**
 * The request that asks for a WebSocket, as handlers see it.
 *
 * @module
 */

import type { HeaderList } from "../codec.ts";
import type { ConnectionRequest } from "../connection.ts";

/**
 * A request whose URL and `Headers` are made when they are asked for: most
 * handlers never do, and a connection that stays open for days keeps it.
 */
export class SiteRequest implements ConnectionRequest {
  readonly method: string = "GET";
  readonly #secure: boolean;
  readonly #target: string;
  readonly #fields: HeaderList;
  #headers: Headers | undefined;

  /**
   * @param secure Whether it came through TLS.
   * @param target Path and query, as sent.
   * @param fields Headers, as sent.
   */
  constructor(secure: boolean, target: string, fields: HeaderList) {
    this.#secure = secure;
    this.#target = target;
    this.#fields = fields.compact();
  }

  /** Scheme and authority, such as `ws://localhost:8080`. */
  get origin(): string {
    return `${this.#secure ? "wss" : "ws"}://${this.#fields.get("host")}`;
  }

  get url(): string {
    return new URL(this.origin + this.#target).href;
  }

  get headers(): Headers {
    return this.#headers ??= new Headers([...this.#fields]);
  }
}
