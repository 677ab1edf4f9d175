/**
 * A peer that sends and never reads, in a process of its own: first argument
 * the port, second how many bytes, third `echo` or `ping`. Prints one line
 * when all has been sent, when the server has taken nothing for 3 s, or when
 * the server has hung up; then holds the connection until SIGTERM.
 */
import type { Socket } from "node:net";
import process from "node:process";
import { buildPattern } from "../load/pattern.ts";
import { openUpgraded } from "./socket.ts";

/** How long the server may take nothing before it counts as blocked. */
const STALL_MS = 3000;

const ECHO_BYTES = 64 * 1024;
/** The largest payload of a control frame (RFC 6455, section 5.5). */
const PING_BYTES = 125;

const [port, total, mode] = process.argv.slice(2);
process.on("SIGTERM", () => process.exit(0));
const socket = await openUpgraded(Number(port));
socket.pause();
const result = await flood(socket, Number(total), buildFrames(mode === "ping"));
console.log(JSON.stringify({ result, sentBytes: socket.bytesWritten }));
setInterval(() => {}, 60_000);

/** At least 64 KiB of frames. */
function buildFrames(ping: boolean): Uint8Array {
  const { wire, offsets } = buildPattern({
    kind: "binary",
    sizes: [ping ? PING_BYTES : ECHO_BYTES],
    minFrames: ping ? 512 : 1,
  });
  if (ping) {
    for (const offset of offsets.subarray(0, -1)) wire[offset] = 0x89;
  }
  return wire;
}

async function flood(
  socket: Socket,
  bytes: number,
  frames: Uint8Array,
): Promise<"sent" | "blocked" | "closed"> {
  const closed = new Promise<"closed">((resolve) => {
    socket.once("error", () => resolve("closed"));
    socket.once("close", () => resolve("closed"));
  });
  for (let sent = 0; sent < bytes; sent += frames.length) {
    if (socket.destroyed) return "closed";
    if (socket.write(frames)) continue;
    const outcome = await Promise.race([closed, waitForDrain(socket)]);
    if (outcome !== "drained") return outcome;
  }
  return "sent";
}

function waitForDrain(socket: Socket): Promise<"drained" | "blocked"> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve("blocked"), STALL_MS);
    socket.once("drain", () => {
      clearTimeout(timer);
      resolve("drained");
    });
  });
}
