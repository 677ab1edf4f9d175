/**
 * Asking a SOCKS 5 proxy for a connection (RFC 1928, RFC 1929).
 *
 * @module
 */

import { bytesOfIp } from "./host_name.ts";
import { proxyError, type Talk } from "./talk.ts";

const VERSION = 5;
const NO_AUTHENTICATION = 0x00;
const USER_AND_PASSWORD = 0x02;
const IPV4 = 0x01;
const NAME = 0x03;
const IPV6 = 0x04;

/** RFC 1928, section 6. */
const REPLIES: readonly string[] = [
  "succeeded",
  "general failure",
  "not allowed by its rules",
  "network unreachable",
  "host unreachable",
  "connection refused",
  "TTL expired",
  "command not supported",
  "address type not supported",
];

/** Who one is to the proxy; one character for each byte. */
export interface SocksUser {
  /** Name. */
  readonly username: string;
  /** Password. */
  readonly password: string;
}

/** The conversation, from the greeting to the tunnel. */
export class SocksTalk implements Talk {
  readonly greeting: Uint8Array;
  isDone = false;
  readonly #request: Uint8Array;
  readonly #login: Uint8Array | undefined;
  #state: "method" | "login" | "request" = "method";
  #bytes: Uint8Array = new Uint8Array(0);

  /**
   * @param hostname Host to connect to. A name is resolved by the proxy.
   * @param port Port to connect to.
   * @param user Who one is; absent for nobody.
   * @throws {TypeError} If a name or a password is too long.
   */
  constructor(hostname: string, port: number, user: SocksUser | undefined) {
    this.greeting = user === undefined
      ? Uint8Array.of(VERSION, 1, NO_AUTHENTICATION)
      : Uint8Array.of(VERSION, 2, NO_AUTHENTICATION, USER_AND_PASSWORD);
    this.#login = user && Uint8Array.of(
      1,
      ...counted(user.username),
      ...counted(user.password),
    );
    this.#request = Uint8Array.of(
      VERSION,
      1, // CONNECT
      0,
      ...addressBytes(hostname),
      port >> 8,
      port & 0xff,
    );
  }

  receive(chunk: Uint8Array): Uint8Array | undefined {
    const bytes = new Uint8Array(this.#bytes.length + chunk.length);
    bytes.set(this.#bytes);
    bytes.set(chunk, this.#bytes.length);
    this.#bytes = bytes;
    const size = this.#size(bytes);
    if (size === undefined) return undefined;
    // It speaks only when spoken to, and so does the server at the other end.
    if (bytes.length > size) throw proxyError("sent more than its answer");
    this.#bytes = new Uint8Array(0);
    switch (this.#state) {
      case "method":
        return this.#chooseMethod(bytes[1]!);
      case "login":
        if (bytes[1] !== 0) throw proxyError("refused the user or password");
        this.#state = "request";
        return this.#request;
      case "request":
        this.isDone = true;
        return undefined;
    }
  }

  #chooseMethod(method: number): Uint8Array {
    if (method === NO_AUTHENTICATION) {
      this.#state = "request";
      return this.#request;
    }
    if (method === USER_AND_PASSWORD && this.#login !== undefined) {
      this.#state = "login";
      return this.#login;
    }
    // 0xff: none that we offered.
    throw proxyError("accepts no way to authenticate that was offered");
  }

  /** Size of the answer under way, as soon as it is there whole. */
  #size(bytes: Uint8Array): number | undefined {
    const version = this.#state === "login" ? 1 : VERSION;
    if (bytes[0] !== version) throw proxyError("does not speak SOCKS 5");
    if (this.#state !== "request") return bytes.length < 2 ? undefined : 2;
    const reply = bytes[1];
    // What follows a failure is of no interest, and often missing.
    if (reply !== undefined && reply !== 0) {
      throw proxyError(
        `could not connect: ${REPLIES[reply] ?? `reply ${reply}`}`,
      );
    }
    const length = bytes[3] === IPV4
      ? 4
      : bytes[3] === IPV6
      ? 16
      : bytes[3] === NAME
      ? bytes[4] === undefined ? undefined : 1 + bytes[4]
      : undefined;
    if (bytes.length >= 4 && ![IPV4, IPV6, NAME].includes(bytes[3]!)) {
      throw proxyError("does not speak SOCKS 5");
    }
    if (length === undefined || bytes.length < 6 + length) return undefined;
    return 6 + length;
  }
}

/** A text of one byte per character, with its length in front. */
function counted(text: string): number[] {
  if (text.length > 255) {
    throw new TypeError(
      "Cannot dial: a name or password is too long for a SOCKS proxy",
    );
  }
  return [text.length, ...Array.from(text, (char) => char.charCodeAt(0))];
}

/** Type and address (RFC 1928, section 5). */
function addressBytes(hostname: string): number[] {
  const bytes = bytesOfIp(hostname);
  if (bytes === undefined) return [NAME, ...counted(hostname)];
  return [bytes.length === 4 ? IPV4 : IPV6, ...bytes];
}
