/** Frames as a peer sends them, and their headers as the receiver reads them. */
import { FrameHeader, type Role } from "../../codec/frame.ts";
import { assertStrictEquals } from "../harness.ts";
import { frame, type FrameOptions } from "../harness/frame.ts";

/** A frame as the peer of `role` sends it. */
export function peerFrame(
  role: Role,
  options: FrameOptions,
): Uint8Array<ArrayBuffer> {
  return frame({ ...options, mask: options.mask ?? role === "server" });
}

/** Reads the header of a data frame. */
export function headerOf(options: FrameOptions): FrameHeader {
  const role: Role = options.mask ? "server" : "client";
  const header = new FrameHeader(role, true);
  header.read(frame(options), 0);
  assertStrictEquals(header.violation, undefined);
  return header;
}
