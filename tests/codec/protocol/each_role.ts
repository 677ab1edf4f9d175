/** Protocols of either role, and what goes between one and its peer. */
import type { Role } from "../../../codec/frame.ts";
import { Protocol } from "../../../codec/protocol.ts";
import type { ProtocolOptions } from "../../../codec/protocol_options.ts";
import { assertStrictEquals } from "../../harness.ts";
import { toHex } from "../../harness/bytes.ts";
import { closePayload, parseFrames } from "../../harness/frame.ts";
import { allOutput } from "../../harness/protocol_pair.ts";

/** The sides that a protocol can be. */
export const ROLES: readonly Role[] = ["server", "client"];

/** Frames that wait to be sent, as `[opcode, payload in hex]`. */
export function sentFrames(protocol: Protocol): [number, string][] {
  return parseFrames(allOutput(protocol)).map(
    ({ opcode, payload, maskKey }) => {
      assertStrictEquals(maskKey !== undefined, protocol.role === "client");
      return [opcode, toHex(payload)];
    },
  );
}

/** A Close frame, as `sentFrames` shows it. */
export function closeFrame(code: number, reason = ""): [number, string] {
  return [8, toHex(closePayload(code, reason))];
}

/** Plays `body` with each role as the subject. */
export function eachRole(
  body: (protocol: Protocol, role: Role) => void,
  options: Omit<ProtocolOptions, "role"> = {},
): void {
  for (const role of ROLES) body(new Protocol({ ...options, role }), role);
}
