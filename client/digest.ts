/**
 * The ready-made answer to Digest (RFC 7616).
 *
 * @module
 */

import { type Challenge, formatQuoted } from "../codec.ts";
import type { HashName } from "../runtime/hash.ts";
import type { Authenticate } from "./authenticate.ts";
import { checkLogin, type Login } from "./login.ts";

/** What an answer is for, and made of. */
export interface DigestRequest {
  /** Method of the request. */
  readonly method: string;
  /** Target of the request. */
  readonly target: string;
  /** User and password, one character for each byte. */
  readonly login: Pick<Login, "username" | "password">;
  /** Text of our own that nobody can know before. */
  readonly cnonce: string;
  /** How many requests have been sent with the server's nonce, with this one. */
  readonly count: number;
  /** Hashes bytes to hexadecimal digits. */
  readonly hash: (name: HashName, bytes: Uint8Array) => string;
}

/** Algorithms by their names in lower case; each also with `-sess` behind it. */
const HASH_NAMES: ReadonlyMap<string, HashName> = new Map([
  ["md5", "md5"],
  ["sha-256", "sha256"],
  ["sha-512-256", "sha512-256"],
]);

/** How many of a server's nonces are remembered. */
const MAX_NONCES = 100;

/**
 * Makes an `authenticate` option that answers challenges by Digest authentication
 * (RFC 7616): `dial(url, { authenticate: digest({ username, password }) })`.
 *
 * It knows MD5, SHA-256 and SHA-512-256, each with `-sess` too, `qop=auth` and none,
 * `userhash`, and UTF-8; it takes the first challenge that it can answer, as the
 * server's order is that of its preference (section 3.7). A challenge to the answer
 * gives up, unless it says that the nonce was stale, and so does one from an origin
 * that a redirect led to. The password is not sent, but who sees the answer can try
 * passwords: only TLS hides it.
 *
 * It may serve many connections, one after the other or at once.
 *
 * @param login User and password.
 * @returns The option.
 * @throws {TypeError} If the login is of the wrong kind, or cannot be sent.
 */
export function digest(login: Login): Authenticate {
  const { source, ...user } = checkLogin(login);
  const counts = new Map<string, number>();
  return async ({ challenges, method, target, ...asked }) => {
    if (asked.source !== source || asked.isForeign) return undefined;
    const challenge = challenges.find(isKnown);
    if (challenge === undefined) return undefined;
    // Section 3.3: "stale" says that the request "was rejected because the nonce
    // value was stale"; else the password was wrong.
    if (asked.answered > 0 && !isSet(challenge, "stale")) return undefined;
    const { hash } = await import("../runtime/hash.ts");
    const cnonce = crypto.randomUUID();
    const count = countUse(counts, challenge.parameters.get("nonce")!);
    return formatDigest(challenge, {
      method,
      target,
      login: user,
      cnonce,
      count,
      hash,
    });
  };
}

/** Counts the uses of a nonce; the oldest of many is forgotten. */
function countUse(counts: Map<string, number>, nonce: string): number {
  const count = (counts.get(nonce) ?? 0) + 1;
  counts.delete(nonce);
  counts.set(nonce, count);
  if (counts.size > MAX_NONCES) counts.delete(counts.keys().next().value!);
  return count;
}

/** Whether a challenge can be answered. */
export function isKnown({ scheme, parameters }: Challenge): boolean {
  const { hashName, isSession } = algorithmOf(parameters);
  const qop = parameters.get("qop");
  return scheme === "digest" && parameters.has("realm") &&
    parameters.has("nonce") && hashName !== undefined &&
    (qop === undefined ? !isSession : offersAuth(qop));
}

/** Whether a list of `qop` has `auth` in it. */
function offersAuth(qop: string): boolean {
  return qop.split(",").some((value) => value.trim().toLowerCase() === "auth");
}

function isSet({ parameters }: Challenge, name: string): boolean {
  return parameters.get(name)?.toLowerCase() === "true";
}

/** Section 3.3: "If this is not present, it is assumed to be "MD5"." */
function algorithmOf(
  parameters: Challenge["parameters"],
): { hashName: HashName | undefined; isSession: boolean } {
  const name = (parameters.get("algorithm") ?? "MD5").toLowerCase();
  const isSession = name.endsWith("-sess");
  const hashName = HASH_NAMES.get(isSession ? name.slice(0, -5) : name);
  return { hashName, isSession };
}

/**
 * Renders the answer to a challenge (section 3.4).
 *
 * @param challenge One that is known.
 * @param request What it is for.
 * @returns Value of `Authorization`.
 */
export function formatDigest(
  challenge: Challenge,
  request: DigestRequest,
): string {
  const { parameters } = challenge;
  const { method, target, cnonce, login } = request;
  const { hashName, isSession } = algorithmOf(parameters);
  const hash = (...texts: string[]): string =>
    request.hash(hashName!, toBytes(texts.join(":")));
  const realm = parameters.get("realm")!;
  const nonce = parameters.get("nonce")!;
  const algorithm = parameters.get("algorithm");
  const opaque = parameters.get("opaque");
  const count = request.count.toString(16).padStart(8, "0");

  // Section 3.4.2: A1, with the nonces in it for a session.
  const user = hash(login.username, realm, login.password);
  const a1 = isSession ? hash(user, nonce, cnonce) : user;
  const a2 = hash(method, target);
  const hasQop = parameters.has("qop");
  const response = hasQop
    ? hash(a1, nonce, count, cnonce, "auth", a2)
    // What RFC 2617, section 3.2.2.1 keeps for servers of RFC 2069.
    : hash(a1, nonce, a2);

  const fields = [
    isSet(challenge, "userhash")
      ? `username=${formatQuoted(hash(login.username, realm))}`
      : formatUser(challenge, login.username),
    `realm=${formatQuoted(realm)}`,
    `uri=${formatQuoted(target)}`,
  ];
  if (algorithm !== undefined) fields.push(`algorithm=${algorithm}`);
  fields.push(`nonce=${formatQuoted(nonce)}`);
  if (hasQop) {
    fields.push(`nc=${count}`, `cnonce=${formatQuoted(cnonce)}`, "qop=auth");
  }
  fields.push(`response="${response}"`);
  if (opaque !== undefined) fields.push(`opaque=${formatQuoted(opaque)}`);
  if (isSet(challenge, "userhash")) fields.push("userhash=true");
  return `Digest ${fields.join(", ")}`;
}

/**
 * Names the user. Servers that speak of no charset take the bytes as they are, and
 * know no other form.
 */
function formatUser({ parameters }: Challenge, username: string): string {
  const isAscii = /^[\x20-\x7e]*$/.test(username);
  if (isAscii || parameters.get("charset")?.toLowerCase() !== "utf-8") {
    return `username=${formatQuoted(username)}`;
  }
  // Section 3.4.4: the notation of RFC 5987, section 3.2.1, as bytes of UTF-8.
  const value = username.replaceAll(/[^\w!#$&+.^`|~-]/g, (byte) => {
    return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  });
  return `username*=UTF-8''${value}`;
}

function toBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
