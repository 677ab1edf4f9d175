/**
 * Listens, says where, and accepts nobody: the test stops it. What connects fills
 * its queue; what comes after that gets no answer.
 */
import { type AddressInfo, createServer } from "node:net";

const server = createServer();
server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
  console.log(`${(server.address() as AddressInfo).port}`);
});
