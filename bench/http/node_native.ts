/** `node:http`. Run it with Node. */
import { createServer } from "node:http";
import { announce } from "../servers/control.ts";

const HEADERS = {
  "Content-Type": "text/plain;charset=UTF-8",
  "Content-Length": "5",
};

const server = createServer((_request, response) => {
  response.writeHead(200, HEADERS).end("Hello");
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) announce(address.port);
});
