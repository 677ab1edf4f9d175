/** A bare byte echo on `node:net`: the ceiling of Node. */
import { createServer } from "node:net";
import { announce } from "./control.ts";
import { CANNED_RESPONSE, endsHead } from "./canned.ts";

const server = createServer({ noDelay: true }, (socket) => {
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
});

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) announce(address.port);
});
