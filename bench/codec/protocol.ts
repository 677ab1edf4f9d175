/** The protocol as connections set it up, with what the runtime offers. */
import type { Role } from "../../codec/frame.ts";
import { Protocol } from "../../codec/protocol.ts";
import { protocolOptions } from "../../connection/init.ts";
import { DEFAULT_CONNECTION_SETTINGS } from "../../connection/options.ts";

/** Makes one side of a connection. */
export function makeProtocol(role: Role): Protocol {
  // A copy, for options are shared by what has the same settings.
  const settings = { ...DEFAULT_CONNECTION_SETTINGS };
  return new Protocol(
    protocolOptions({ role, settings, transform: undefined }),
  );
}
