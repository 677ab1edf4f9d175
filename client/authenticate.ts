/**
 * Answering those that want to know who asks: a server's 401, a proxy's 407 (RFC
 * 9110, section 11).
 *
 * Each answer is sent once, on a connection of its own: one to Digest is good for
 * one request. Schemes that log a connection in (NTLM, Negotiate in several steps)
 * are therefore out of reach.
 *
 * @module
 */

import {
  type Challenge,
  HandshakeError,
  type HeaderList,
  parseChallenges,
} from "../codec.ts";
import { unlessAborted } from "./abort.ts";
import { addressOf, type Ask, authorityOf } from "./ask.ts";
import type { ConnectTo } from "./options.ts";

/** What {@linkcode DialOptions.authenticate} is told. */
export interface DialChallenge {
  /** Who asks: the server (status 401) or the proxy (407). */
  readonly source: "server" | "proxy";
  /**
   * What is asked for, in the order of the headers; one of it is to be answered.
   * What is malformed is left out, so there may be none.
   */
  readonly challenges: readonly Challenge[];
  /** What is dialled, or was redirected to, without user information. */
  readonly url: string;
  /** Method of the request: `GET`, or `CONNECT` for a proxy. */
  readonly method: "GET" | "CONNECT";
  /** Target of the request: path and query, or host and port for a proxy. */
  readonly target: string;
  /**
   * How many answers have been given to whoever asks, and were not enough. It is 0
   * again after a redirect, and for a proxy that had let us through.
   */
  readonly answered: number;
  /**
   * Whether a redirect to another origin has led here: what is for the server that
   * was dialled is not for this one. `false` for a proxy.
   */
  readonly isForeign: boolean;
  /** All headers of the response. */
  readonly headers: HeaderList;
  /** Aborts when the attempt is given up, or its time is over. */
  readonly signal: AbortSignal;
}

/**
 * Answers a challenge.
 *
 * @returns The value of `Authorization`, or of `Proxy-Authorization` for a proxy;
 * `undefined` gives up.
 */
export type Authenticate = (
  challenge: DialChallenge,
) => string | undefined | Promise<string | undefined>;

/** Answers in one attempt, whoever asks: what goes on longer goes round. */
const MAX_ANSWERS = 10;

/** Asks for answers, and keeps them until they are sent. */
export class Answers {
  readonly #authenticate: Authenticate;
  #values: { readonly server?: string; readonly proxy?: string } = {};
  #counts = { server: 0, proxy: 0 };
  #total = 0;

  /** @param authenticate The option. */
  constructor(authenticate: Authenticate) {
    this.#authenticate = authenticate;
  }

  /** Adds the answers to what is asked for. */
  addTo(ask: Ask): Ask {
    const { server, proxy: proxyAuthorization } = this.#values;
    if (server === undefined) return { ...ask, proxyAuthorization };
    const others = ask.headers.filter(([name]) =>
      name.toLowerCase() !== "authorization"
    );
    return {
      ...ask,
      headers: [...others, ["Authorization", server]],
      proxyAuthorization,
    };
  }

  /**
   * Asks for the answer to a challenge.
   *
   * @param ask What was asked for, without answers.
   * @param error What came of it.
   * @param connectTo Of the options of `dial`.
   * @param signal Gives up when it aborts.
   * @returns Whether there is an answer to try again with.
   * @throws What the option throws, or the signal's reason.
   * @throws {TypeError} If the answer is no text.
   */
  async take(
    ask: Ask,
    error: unknown,
    connectTo: ConnectTo | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    const source = sourceOf(error);
    if (source === undefined || signal.aborted) return false;
    if (this.#total === MAX_ANSWERS) return false;
    // The proxy was content. Its next connection has a challenge of its own.
    if (source === "server") this.#forgetProxy();
    const { headers } = error as HandshakeError & { headers: HeaderList };
    const answer = await unlessAborted(
      this.#authenticate({
        source,
        ...requestTo(source, ask, connectTo),
        challenges: parseChallenges(headers.getAll(CHALLENGE_HEADERS[source])),
        url: ask.url.href,
        answered: this.#counts[source],
        headers,
        signal,
      }),
      signal,
    );
    if (answer === undefined) return false;
    // It may be a secret, so the message leaves it out.
    if (typeof answer !== "string") {
      throw new TypeError("Cannot dial: what authenticate returned is no text");
    }
    this.#total++;
    this.#counts[source]++;
    this.#values = { ...this.#values, [source]: answer };
    return true;
  }

  /** Forgets all: a redirect leads to another request, which asks for itself. */
  forget(): void {
    this.#values = {};
    this.#counts = { server: 0, proxy: 0 };
  }

  #forgetProxy(): void {
    this.#values = {};
    this.#counts.proxy = 0;
  }
}

const CHALLENGE_HEADERS = {
  server: "www-authenticate",
  proxy: "proxy-authenticate",
} as const;

/** Who wants to know; a server that poses as a proxy is not asked for. */
function sourceOf(error: unknown): DialChallenge["source"] | undefined {
  if (!(error instanceof HandshakeError)) return undefined;
  const { reason, status } = error;
  if (reason === "bad-status" && status === 401) return "server";
  if (reason === "proxy-failed" && status === 407) return "proxy";
  return undefined;
}

/** The request that was refused. */
function requestTo(
  source: DialChallenge["source"],
  { url, isForeign }: Ask,
  connectTo: ConnectTo | undefined,
): Pick<DialChallenge, "method" | "target" | "isForeign"> {
  if (source === "server") {
    return { method: "GET", target: url.pathname + url.search, isForeign };
  }
  const target = authorityOf(addressOf(url, connectTo));
  return { method: "CONNECT", target, isForeign: false };
}
