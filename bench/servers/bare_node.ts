/** A bare byte echo on `node:net` or `node:tls`: the ceiling of Node. */
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { announce, TLS } from "./control.ts";
import { CANNED_RESPONSE, endsHead } from "./canned.ts";

function serve(socket: Socket): void {
  let open = false;
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    if (open) {
      socket.write(chunk);
    } else if (endsHead(chunk)) {
      open = true;
      socket.write(CANNED_RESPONSE);
    }
  });
}

const server: Server = TLS === undefined
  ? createServer({ noDelay: true }, serve)
  : createTlsServer({ ...TLS, noDelay: true }, serve);

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) announce(address.port);
});
