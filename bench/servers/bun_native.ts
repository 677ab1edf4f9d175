/** Echo on `Bun.serve`. Run it with Bun. */
import { announce, DEFLATE, KEEPS_MESSAGES, TLS } from "./control.ts";

/** Bun's server socket, as far as it is used here. */
interface ServerWebSocket {
  send(data: string | Uint8Array, compress: boolean): number;
}

/** Bun's server, as far as it is used here. */
interface BunServer {
  readonly port: number;
  upgrade(request: Request): boolean;
}

declare const Bun: {
  serve(options: {
    hostname: string;
    port: number;
    tls?: { cert: string; key: string };
    fetch(request: Request, server: BunServer): Response | undefined;
    websocket: {
      perMessageDeflate: boolean | { compress: string; decompress: string };
      maxPayloadLength: number;
      idleTimeout: number;
      message(socket: ServerWebSocket, data: string | Uint8Array): void;
    };
  }): BunServer;
};

const kept: unknown[] = [];

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  ...(TLS && { tls: TLS }),
  fetch: (request, server) =>
    server.upgrade(request)
      ? undefined
      : new Response("Expected an upgrade", { status: 426 }),
  websocket: {
    perMessageDeflate: DEFLATE !== undefined &&
      { compress: DEFLATE, decompress: DEFLATE },
    maxPayloadLength: 64 * 1024 * 1024,
    idleTimeout: 0,
    message: KEEPS_MESSAGES
      ? (_socket, data) => void kept.push(data)
      : (socket, data) => void socket.send(data, DEFLATE !== undefined),
  },
});
announce(server.port);
