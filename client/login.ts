/**
 * Who one is: user and password, and the ready-made answer to Basic.
 *
 * @module
 */

import { checkKeys } from "../connection.ts";
import type { Authenticate } from "./authenticate.ts";

/** User and password, for {@linkcode basic} and {@linkcode digest}. */
export interface Login {
  /** Name of the user. */
  readonly username: string;
  /** Password. */
  readonly password: string;
  /**
   * Who may know it. What the other one asks is not answered.
   *
   * @default {"server"}
   */
  readonly source?: "server" | "proxy";
}

const LOGIN_NAMES = new Set(["username", "password", "source"]);

/**
 * Takes a login as it is sent: one character for each byte of UTF-8.
 *
 * @throws {TypeError} If it is of the wrong kind, or cannot be sent. The message
 * has nothing of it.
 */
export function checkLogin(login: Login): Required<Login> {
  checkKeys("log in", login, LOGIN_NAMES);
  const { source = "server" } = login;
  if (source !== "server" && source !== "proxy") {
    throw new TypeError('Cannot log in: source is not "server" or "proxy"');
  }
  return {
    username: toByteString("username", login.username),
    password: toByteString("password", login.password),
    source,
  };
}

/** One character for each byte of UTF-8, as headers and `btoa` have it. */
function toByteString(name: string, text: unknown): string {
  // RFC 7617, section 2: "The user-id and password MUST NOT contain any control
  // characters".
  if (typeof text !== "string" || /\p{Cc}/u.test(text)) {
    throw new TypeError(`Cannot log in: ${name} is no text that can be sent`);
  }
  // RFC 7616, section 4 and RFC 7617, section 2.1: UTF-8, in normalization form C.
  const bytes = new TextEncoder().encode(text.normalize("NFC"));
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/**
 * Makes an `authenticate` option that answers challenges by Basic authentication
 * (RFC 7617): `dial(url, { authenticate: basic({ username, password }) })`.
 *
 * Whoever asks gets the password in clear; what is not `wss:`, or an `https:` proxy,
 * shows it to everybody on the way. It is sent once: a challenge to the answer gives
 * up, and so does one from an origin that a redirect led to.
 *
 * @param login User and password. A user with a colon in it is refused.
 * @returns The option.
 * @throws {TypeError} If the login is of the wrong kind, or cannot be sent.
 */
export function basic(login: Login): Authenticate {
  const { username, password, source } = checkLogin(login);
  // RFC 7617, section 2: "a user-id containing a colon character is invalid".
  if (username.includes(":")) {
    throw new TypeError("Cannot log in: the username has a colon in it");
  }
  const answer = `Basic ${btoa(`${username}:${password}`)}`;
  return (asked) => {
    if (asked.source !== source || asked.isForeign || asked.answered > 0) {
      return undefined;
    }
    const isWanted = asked.challenges.some(({ scheme }) => scheme === "basic");
    return isWanted ? answer : undefined;
  };
}
