/**
 * What two sides agree on when they compress messages: the negotiation of
 * permessage-deflate (RFC 7692, section 7.1).
 *
 * An offer that cannot be accepted is declined, and the connection goes without;
 * an answer that must not be accepted fails the handshake (section 5.1).
 *
 * @module
 */

import type { Extension, ExtensionParameter } from "./extension.ts";

/** Name of the extension, as in `Sec-WebSocket-Extensions`. */
export const DEFLATE_NAME = "permessage-deflate";

/** How messages are compressed, in both directions (RFC 7692, section 7.1). */
export interface DeflateAgreement {
  /**
   * How far back the server may reach when it compresses: 2 to that power, in
   * bytes; 8 to 15. Both sides need that much memory for it.
   */
  readonly serverMaxWindowBits: number;
  /** How far back the client may reach: 2 to that power, in bytes; 8 to 15. */
  readonly clientMaxWindowBits: number;
  /** Whether the server compresses each message by itself. */
  readonly serverNoContextTakeover: boolean;
  /** Whether the client compresses each message by itself. */
  readonly clientNoContextTakeover: boolean;
}

/** What a server agrees to. */
export interface DeflateAcceptance {
  /** What holds from now on. */
  readonly agreement: DeflateAgreement;
  /** The extension, as the answer says it. */
  readonly answer: Extension;
}

/** Window of whoever does not say, in bits (section 7.1.2). */
const DEFAULT_BITS = 15;
/** Section 7.1.2: "a decimal integer value without leading zeroes between 8 to 15". */
const WINDOW_BITS = /^(?:[89]|1[0-5])$/;

/** The parameters of an offer or of an answer. Absent ones are `undefined`. */
interface Parameters {
  serverBits: number | undefined;
  /** `true` where the name is there without a value. */
  clientBits: number | true | undefined;
  serverAlone: boolean;
  clientAlone: boolean;
}

/**
 * Makes the offer of a client.
 *
 * It always lets the server limit the client's window (`client_max_window_bits`),
 * and names what differs from a window of 15 bits with context takeover.
 *
 * @param wishes What the client insists on for the server, and promises for itself.
 */
export function offerDeflate(wishes: DeflateAgreement): Extension {
  const { serverMaxWindowBits, clientMaxWindowBits } = wishes;
  const parameters: ExtensionParameter[] = [[
    "client_max_window_bits",
    clientMaxWindowBits < DEFAULT_BITS ? `${clientMaxWindowBits}` : undefined,
  ]];
  if (serverMaxWindowBits < DEFAULT_BITS) {
    parameters.push(["server_max_window_bits", `${serverMaxWindowBits}`]);
  }
  if (wishes.serverNoContextTakeover) {
    parameters.push(["server_no_context_takeover", undefined]);
  }
  if (wishes.clientNoContextTakeover) {
    parameters.push(["client_no_context_takeover", undefined]);
  }
  return { name: DEFLATE_NAME, parameters };
}

/**
 * Judges the offers of a client, and accepts the first one that can be accepted.
 *
 * Nothing that is agreed on exceeds the wishes. A client that does not let its
 * window be limited to what is wished is told to compress each message by itself:
 * then there is nothing of it to be kept.
 *
 * @param offers Everything that the client offers, in its order of preference.
 * @param wishes What the server would have at most.
 * @returns What is agreed on, or `undefined` where nothing is.
 */
export function acceptDeflate(
  offers: readonly Extension[],
  wishes: DeflateAgreement,
): DeflateAcceptance | undefined {
  for (const { name, parameters } of offers) {
    if (name !== DEFLATE_NAME) continue;
    // Section 7: a server "MUST decline" an offer with a parameter that is not
    // defined, has an invalid value, or is there twice.
    const offer = parseParameters(parameters);
    if (offer !== undefined) return acceptOffer(offer, wishes);
  }
  return undefined;
}

function acceptOffer(
  offer: Parameters,
  wishes: DeflateAgreement,
): DeflateAcceptance {
  const serverBits = Math.min(
    offer.serverBits ?? DEFAULT_BITS,
    wishes.serverMaxWindowBits,
  );
  // Section 7.1.2.2: without it in the offer the answer "MUST NOT include" it.
  const mayLimit = offer.clientBits !== undefined;
  const clientBits = mayLimit
    ? Math.min(bitsOf(offer.clientBits), wishes.clientMaxWindowBits)
    : DEFAULT_BITS;
  const serverAlone = offer.serverAlone || wishes.serverNoContextTakeover;
  const clientAlone = offer.clientAlone || wishes.clientNoContextTakeover ||
    clientBits > wishes.clientMaxWindowBits;

  const parameters: ExtensionParameter[] = [];
  // Section 7.1.1.1: what the client asks for is accepted "by including" it.
  if (serverAlone) parameters.push(["server_no_context_takeover", undefined]);
  if (clientAlone) parameters.push(["client_no_context_takeover", undefined]);
  if (offer.serverBits !== undefined || serverBits < DEFAULT_BITS) {
    parameters.push(["server_max_window_bits", `${serverBits}`]);
  }
  if (mayLimit && clientBits < DEFAULT_BITS) {
    parameters.push(["client_max_window_bits", `${clientBits}`]);
  }
  return {
    agreement: {
      serverMaxWindowBits: serverBits,
      clientMaxWindowBits: clientBits,
      serverNoContextTakeover: serverAlone,
      clientNoContextTakeover: clientAlone,
    },
    answer: { name: DEFLATE_NAME, parameters },
  };
}

/**
 * Judges the answer of a server.
 *
 * @param answers Everything that the server answered.
 * @param offers Everything that the client had offered.
 * @returns What is agreed on; `undefined` where the server declined; or the reason
 * to fail the handshake (section 7: a client "MUST _Fail the WebSocket
 * Connection_").
 */
export function checkDeflateAnswer(
  answers: readonly Extension[],
  offers: readonly Extension[],
): DeflateAgreement | "extension-not-acceptable" | undefined {
  const [first, second] = answers.filter(({ name }) => name === DEFLATE_NAME);
  if (first === undefined) return undefined;
  const answer = parseParameters(first.parameters);
  // A client can compress a message once.
  if (answer === undefined || second !== undefined) {
    return "extension-not-acceptable";
  }
  // The answer does not tell which of several offers it accepts.
  for (const { name, parameters } of offers) {
    const offer = name === DEFLATE_NAME
      ? parseParameters(parameters)
      : undefined;
    if (offer !== undefined && isAnswer(answer, offer)) {
      return agreementOf(answer, offer);
    }
  }
  return "extension-not-acceptable";
}

/** Whether an answer accepts an offer. */
function isAnswer(answer: Parameters, offer: Parameters): boolean {
  // Section 7.1.1.1: what the offer demands of the server must be in the answer.
  if (offer.serverAlone && !answer.serverAlone) return false;
  // Section 7.1.2.1: "with the same or smaller value as the offer".
  if (
    offer.serverBits !== undefined &&
    (answer.serverBits === undefined || answer.serverBits > offer.serverBits)
  ) return false;
  if (answer.clientBits === undefined) return true;
  // Section 7.1.2.2: not unless it was offered, with "a value equal to or smaller
  // than the received value"; in an answer it has one.
  return offer.clientBits !== undefined && answer.clientBits !== true &&
    answer.clientBits <= bitsOf(offer.clientBits);
}

function agreementOf(answer: Parameters, offer: Parameters): DeflateAgreement {
  return {
    serverMaxWindowBits: bitsOf(answer.serverBits),
    // Both are what the client will do, whether or not the server asks for it.
    clientMaxWindowBits: Math.min(
      bitsOf(answer.clientBits),
      bitsOf(offer.clientBits),
    ),
    serverNoContextTakeover: answer.serverAlone,
    clientNoContextTakeover: answer.clientAlone || offer.clientAlone,
  };
}

function bitsOf(bits: number | true | undefined): number {
  return typeof bits === "number" ? bits : DEFAULT_BITS;
}

/** Reads parameters; `undefined` where one is unknown, invalid, or there twice. */
function parseParameters(
  parameters: readonly ExtensionParameter[],
): Parameters | undefined {
  const result: Parameters = {
    serverBits: undefined,
    clientBits: undefined,
    serverAlone: false,
    clientAlone: false,
  };
  for (const [name, value] of parameters) {
    const isBits = value !== undefined && WINDOW_BITS.test(value);
    if (name === "server_max_window_bits") {
      if (!isBits || result.serverBits !== undefined) return undefined;
      result.serverBits = Number(value);
    } else if (name === "client_max_window_bits") {
      if (!isBits && value !== undefined) return undefined;
      if (result.clientBits !== undefined) return undefined;
      result.clientBits = isBits ? Number(value) : true;
    } else if (name === "server_no_context_takeover") {
      if (value !== undefined || result.serverAlone) return undefined;
      result.serverAlone = true;
    } else if (name === "client_no_context_takeover") {
      if (value !== undefined || result.clientAlone) return undefined;
      result.clientAlone = true;
    } else {
      return undefined;
    }
  }
  return result;
}
