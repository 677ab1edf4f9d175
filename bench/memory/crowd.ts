/**
 * Many idle connections, in a process of their own. Commands on standard input,
 * each answered with the number of connections that are open:
 *
 * - `open N` opens until there are N;
 * - `send` sends one message on each, and waits for an echo of what is no `hello`.
 *
 * The first argument is the port, the second what is sent: `hello` (5 bytes),
 * `trade` (200 bytes of JSON), or `deflate` (the same, compressed).
 */
import type { Socket } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";
import { OFFER, tradeFrame } from "../compression/trades.ts";
import { keepAlive, openUpgraded } from "./socket.ts";

/** How many handshakes are under way at once. */
const AT_ONCE = 100;

/** `Hello` as a masked Text frame (RFC 6455, section 5.7). */
const HELLO = Uint8Array.from(
  [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58],
);

const port = Number(process.argv[2]);
const kind = process.argv[3];
const offer = kind === "deflate" ? OFFER : undefined;
const message = kind === "hello" ? HELLO : tradeFrame(kind === "deflate");
const sockets = new Set<Socket>();

async function open(total: number): Promise<void> {
  while (sockets.size < total) {
    const missing = Math.min(AT_ONCE, total - sockets.size);
    await Promise.all(Array.from({ length: missing }, async () => {
      const socket = await openUpgraded(port, offer);
      keepAlive(socket);
      socket.once("close", () => sockets.delete(socket));
      sockets.add(socket);
    }));
  }
}

async function send(): Promise<void> {
  await Promise.all(Array.from(sockets, (socket) => {
    socket.write(message);
    return kind === "hello"
      ? undefined
      : new Promise((resolve) => socket.once("data", resolve));
  }));
}

process.on("SIGTERM", () => process.exit(0));
for await (const line of createInterface({ input: process.stdin })) {
  const [command, count] = line.split(" ");
  if (command === "open") await open(Number(count));
  if (command === "send") await send();
  console.log(JSON.stringify({ open: sockets.size }));
}
