/**
 * User names and passwords as HTTP has them (RFC 7617).
 *
 * @module
 */

import { checkKeys, checkType, type ConnectionRequest } from "../connection.ts";
import type { UpgradeDecision, UpgradeFunction } from "./routes.ts";

/** Who is asked for a name and a password, and which are right. */
export interface BasicAuthOptions {
  /** What the client is asked for; browsers may show it. Printable ASCII. */
  readonly realm: string;
  /**
   * Tells whether a password is right. Compare digests of secrets, in constant
   * time, never the secrets with `===`: that takes the longer the more of the
   * beginning was guessed. Exclusive with `credentials`.
   *
   * @param username Name, without colons and control characters, maybe empty.
   * @param password Password, without control characters, maybe empty.
   */
  readonly check?: (
    username: string,
    password: string,
  ) => boolean | Promise<boolean>;
  /**
   * Passwords by user name. They are compared in constant time: how long it takes
   * depends neither on how much is right nor on whether the name exists.
   * Exclusive with `check`.
   */
  readonly credentials?: Readonly<Record<string, string>>;
}

/** What {@linkcode basicAuth} makes of `connection.data`. */
export interface BasicAuthData {
  /** Name of the user. */
  readonly username: string;
}

const OPTION_NAMES = new Set(["realm", "check", "credentials"]);

/** RFC 7617, section 2: "control characters" are in neither name nor password. */
const CONTROL = /\p{Cc}/u;
const BASIC = /^basic +([a-z0-9+/]+={0,2})$/i;

/**
 * Makes an `upgrade` that asks for a user name and a password (RFC 7617).
 *
 * Without the right ones the answer is 401. With them `connection.data` is
 * `{ username }`; an `upgrade` of the handler's finds it in `info.data`.
 *
 * Everybody on the way can read both: use it over TLS only. Browsers send them with
 * a WebSocket only if the page itself was opened with them; other clients send the
 * `Authorization` header.
 *
 * @param options Realm, and who may enter.
 * @throws {TypeError} If an option is unknown or of the wrong kind, `check` and
 * `credentials` are there both or neither, or a name has a colon or a control
 * character, which no client can send.
 *
 * @example For one handler
 * ```ts
 * import { basicAuth, type BasicAuthData, Handler, Site } from "@sockeye/sockeye";
 *
 * class Greeter extends Handler<BasicAuthData> {
 *   static upgrade = basicAuth({
 *     realm: "greeter",
 *     credentials: { ann: "correct horse battery staple" },
 *   });
 *   override open() {
 *     this.connection.send(`Hello ${this.connection.data.username}!`);
 *   }
 * }
 *
 * const site = new Site();
 * site.addHandler("/greeter", Greeter);
 * ```
 */
export function basicAuth(
  options: BasicAuthOptions,
): UpgradeFunction<BasicAuthData> {
  checkKeys("ask for a password", options, OPTION_NAMES);
  const { realm } = options;
  if (typeof realm !== "string" || !/^[ -~]*$/.test(realm)) {
    throw new TypeError(
      "Cannot ask for a password: realm is not printable ASCII",
    );
  }
  const quoted = realm.replaceAll(/["\\]/g, "\\$&");
  // RFC 7617, section 2.1: "the server can use the 'charset' parameter".
  const challenge = `Basic realm="${quoted}", charset="UTF-8"`;
  const check = checkerOf(options);
  return async (request): Promise<UpgradeDecision<BasicAuthData>> => {
    const sent = credentialsOf(request);
    if (sent !== undefined) {
      const { username, password } = sent;
      const isRight: unknown = await check(username, password);
      if (isRight === true) return { data: { username } };
      // A check that forgot to answer must not pass for one that said no, which
      // nobody would notice before the first who is right.
      if (isRight !== false) {
        throw new TypeError("Cannot ask for a password: check is no boolean");
      }
    }
    return new Response("Authentication required.\n", {
      status: 401,
      headers: { "WWW-Authenticate": challenge },
    });
  };
}

function checkerOf(
  { check, credentials }: BasicAuthOptions,
): NonNullable<BasicAuthOptions["check"]> {
  if ((check === undefined) === (credentials === undefined)) {
    throw new TypeError(
      "Cannot ask for a password: give either check or credentials",
    );
  }
  if (check === undefined) return checkAgainst(credentials);
  checkType("ask for a password", "check", check, "function");
  return check;
}

function checkAgainst(
  credentials: unknown,
): NonNullable<BasicAuthOptions["check"]> {
  if (typeof credentials !== "object" || credentials === null) {
    throw new TypeError(
      "Cannot ask for a password: credentials are not an object",
    );
  }
  const entries = Object.entries(credentials).map(([username, password]) => {
    // RFC 7617, section 2: "a user-id containing a colon character is invalid".
    if (
      typeof password !== "string" || username.includes(":") ||
      CONTROL.test(username) || CONTROL.test(password)
    ) {
      throw new TypeError(
        "Cannot ask for a password: a name or a password cannot be sent",
      );
    }
    return `${username}:${password}`;
  });
  let known: Promise<Uint8Array[]> | undefined;
  return async (username, password) => {
    // At the first request, not before: until then nobody waits for it.
    known ??= Promise.all(entries.map(digestOf));
    const sent = await digestOf(`${username}:${password}`);
    let isRight = false;
    // All of them, whichever fits: the time must not tell which names exist.
    for (const digest of await known) {
      if (isSameDigest(digest, sent)) isRight = true;
    }
    return isRight;
  };
}

/** Digests a secret, so that what is compared is of one length, and random. */
async function digestOf(text: string): Promise<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** Compares digests of one length in constant time: every byte, without a branch. */
function isSameDigest(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0;
  for (let at = 0; at < a.length; at++) difference |= a[at]! ^ b[at]!;
  return difference === 0;
}

/** Reads what was sent; `undefined` where it is nothing, or malformed. */
function credentialsOf(
  request: ConnectionRequest,
): { username: string; password: string } | undefined {
  // Two lines are joined with a comma, which is not base64.
  const header = request.headers.get("authorization") ?? "";
  const encoded = BASIC.exec(header)?.[1];
  const text = encoded === undefined ? undefined : decode(encoded);
  if (text === undefined || CONTROL.test(text)) return undefined;
  // "The first colon in a user-pass string separates user-id and password".
  const colon = text.indexOf(":");
  if (colon < 0) return undefined;
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Decodes base64 of UTF-8, in its one canonical form. */
function decode(encoded: string): string | undefined {
  try {
    const text = atob(encoded);
    if (btoa(text) !== encoded) return undefined;
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
