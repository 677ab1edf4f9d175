/**
 * The WebSocket protocol as pure functions and state machines: no sockets, no
 * clock, no runtime.
 *
 * With it a WebSocket client or server can be built on any byte stream: read the
 * request with {@linkcode RequestHeadReader}, judge it with
 * {@linkcode checkUpgrade}, answer with {@linkcode encodeUpgradeResponse}, and
 * then give every byte to a {@linkcode Protocol}. A client does the same with
 * {@linkcode encodeUpgradeRequest}, {@linkcode ResponseHeadReader} and
 * {@linkcode checkUpgradeResponse}.
 *
 * Nothing here throws on what a peer sends. What a peer does wrong is a value: a
 * refusal before the connection is open, the last event of a protocol after.
 *
 * @example Two ends, joined without a network
 * ```ts
 * import { Protocol } from "@sockeye/sockeye/codec";
 * import { deepStrictEqual } from "node:assert";
 *
 * const client = new Protocol({ role: "client" });
 * const server = new Protocol({ role: "server" });
 *
 * client.sendText("hello");
 * for (let chunk; (chunk = client.takeOutput());) server.receive(chunk.slice());
 *
 * deepStrictEqual(server.takeEvents(), [{ type: "message", data: "hello" }]);
 * ```
 *
 * @module
 */

export {
  type Challenge,
  formatQuoted,
  parseChallenges,
} from "./codec/challenge.ts";
export {
  ABNORMAL_CLOSURE,
  type CloseFrame,
  decodeClose,
  encodeClose,
  isSendableCode,
  MAX_REASON_BYTES,
  NO_STATUS,
} from "./codec/close.ts";
export {
  acceptDeflate,
  checkDeflateAnswer,
  DEFLATE_NAME,
  type DeflateAcceptance,
  type DeflateAgreement,
  offerDeflate,
} from "./codec/deflate.ts";
export {
  PROTOCOL_CLOSE_CODES,
  ProtocolError,
  type ProtocolErrorReason,
} from "./codec/error.ts";
export type { ProtocolEvent } from "./codec/event.ts";
export {
  type Extension,
  type ExtensionParameter,
  formatExtensions,
  parseExtensions,
} from "./codec/extension.ts";
export {
  bareHeaderBytes,
  FIN_BIT,
  FrameHeader,
  isControl,
  MAX_CONTROL_BYTES,
  MAX_HEADER_BYTES,
  OPCODES,
  type Role,
  RSV1_BIT,
  writeHeader,
} from "./codec/frame.ts";
export {
  acceptFor,
  formatHandshakeKey,
  isHandshakeKey,
} from "./codec/handshake.ts";
export {
  checkUpgradeResponse,
  encodeUpgradeRequest,
  type UpgradeAgreement,
  type UpgradeExpectation,
  type UpgradeFailure,
  type UpgradeRequest,
} from "./codec/handshake_client.ts";
export {
  DIAL_FAILURES,
  type DialFailureReason,
  HandshakeError,
  type HandshakeErrorOptions,
  type HandshakeErrorReason,
} from "./codec/handshake_error.ts";
export {
  checkUpgrade,
  encodeUpgradeResponse,
  isUpgrade,
  type UpgradeAnswer,
  type UpgradeOffer,
  type UpgradeRefusal,
} from "./codec/handshake_server.ts";
export type { HeadLimits } from "./codec/head_scanner.ts";
export { type HeaderFields, isToken } from "./codec/header.ts";
export { HeaderList } from "./codec/header_list.ts";
export {
  type Authority,
  isSameHost,
  type Origin,
  parseAuthority,
  parseOrigin,
} from "./codec/host.ts";
export {
  type RequestHead,
  RequestHeadReader,
  type ResponseHead,
  ResponseHeadReader,
} from "./codec/http.ts";
export {
  encodeRequestHead,
  encodeResponseHead,
  type RequestHeadFields,
  type ResponseHeadFields,
} from "./codec/http_encode.ts";
export { applyMask, randomMaskKey } from "./codec/mask.ts";
export type { Message } from "./codec/message.ts";
export { type PreparedMessage, prepareMessage } from "./codec/prepared.ts";
export { Protocol } from "./codec/protocol.ts";
export {
  DEFAULT_MAX_FRAGMENTS,
  DEFAULT_MAX_MESSAGE_BYTES,
  type ProtocolOptions,
} from "./codec/protocol_options.ts";
export {
  encodeRefusal,
  type Refusal,
  type RefusalReason,
  type RefusalResponse,
  REFUSALS,
  refuse,
} from "./codec/refusal.ts";
export type { HttpVersion } from "./codec/start_line.ts";
export { plainDecoding, type TextDecoding } from "./codec/text_decoding.ts";
export { plainWriter, type TextWriter } from "./codec/text_writer.ts";
export {
  type MessageTransform,
  type PieceDecoder,
  type SharedTransform,
} from "./codec/transform.ts";
export { type Utf8Check, Utf8Validator } from "./codec/utf8.ts";
