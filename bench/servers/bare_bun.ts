/** A bare byte echo on `Bun.listen`: the ceiling of Bun. */
import { Buffer } from "node:buffer";
import { announce, TLS } from "./control.ts";
import { CANNED_RESPONSE, endsHead } from "./canned.ts";

/** Bun's socket, as far as it is used here. */
interface BunSocket {
  data: { open: boolean; unsent: Uint8Array[] };
  write(bytes: Uint8Array): number;
}

declare const Bun: {
  listen(options: {
    hostname: string;
    port: number;
    tls?: { cert: string; key: string };
    socket: {
      open(socket: BunSocket): void;
      data(socket: BunSocket, chunk: Uint8Array): void;
      drain(socket: BunSocket): void;
      error(): void;
    };
  }): { port: number };
};

const listener = Bun.listen({
  hostname: "127.0.0.1",
  port: 0,
  ...(TLS && { tls: TLS }),
  socket: {
    open(socket) {
      socket.data = { open: false, unsent: [] };
    },
    data(socket, chunk) {
      if (socket.data.open) {
        write(socket, chunk);
      } else if (endsHead(chunk)) {
        socket.data.open = true;
        write(socket, CANNED_RESPONSE);
      }
    },
    drain(socket) {
      const unsent = Buffer.concat(socket.data.unsent);
      socket.data.unsent = [];
      if (unsent.length > 0) write(socket, unsent);
    },
    error() {},
  },
});
announce(listener.port);

function write(socket: BunSocket, chunk: Uint8Array): void {
  if (socket.data.unsent.length > 0) {
    socket.data.unsent.push(chunk.slice());
    return;
  }
  const written = Math.max(0, socket.write(chunk));
  if (written < chunk.length) socket.data.unsent.push(chunk.slice(written));
}
