/** A raw client socket of the memory bench, upgraded and otherwise left alone. */
import { connect, type Socket } from "node:net";
import { buildRequest, ResponseHead } from "../load/handshake.ts";

/** An empty masked Pong: a sign of life for a server that asks for one. */
const PONG = Uint8Array.of(0x8a, 0x80, 0, 0, 0, 0);

/** Opens a connection to `/echo`, and completes the handshake, with an offer or not. */
export function openUpgraded(port: number, offer?: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const head = new ResponseHead(offer !== undefined);
    socket.once("error", reject);
    socket.write(buildRequest(`127.0.0.1:${port}`, "/echo", offer));
    socket.on("data", function receive(chunk) {
      try {
        if (!head.receive(chunk)) return;
      } catch (error) {
        reject(error);
        return;
      }
      socket.off("data", receive);
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

/** Throws away what arrives, with a sign of life for every chunk of it. */
export function keepAlive(socket: Socket): void {
  socket.on("data", () => void socket.write(PONG));
  socket.on("error", () => {});
}
