/** A room on `Bun.serve`: a topic and `server.publish`. Run it with Bun. */
import { announce } from "../servers/control.ts";

/** Bun's server socket, as far as it is used here. */
interface ServerWebSocket {
  subscribe(topic: string): void;
}

/** Bun's server, as far as it is used here. */
interface BunServer {
  readonly port: number;
  upgrade(request: Request): boolean;
  publish(topic: string, data: string | Uint8Array): number;
}

declare const Bun: {
  serve(options: {
    hostname: string;
    port: number;
    fetch(request: Request, server: BunServer): Response | undefined;
    websocket: {
      perMessageDeflate: boolean;
      idleTimeout: number;
      open(socket: ServerWebSocket): void;
      message(socket: ServerWebSocket, data: string | Uint8Array): void;
    };
  }): BunServer;
};

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: (request, server) =>
    server.upgrade(request)
      ? undefined
      : new Response("Expected an upgrade", { status: 426 }),
  websocket: {
    perMessageDeflate: false,
    idleTimeout: 0,
    open: (socket) => socket.subscribe("room"),
    message: (_socket, data) => void server.publish("room", data),
  },
});
announce(server.port);
