/**
 * Run by `listener_test.ts` in a process of its own: listens on the Unix socket
 * given, or on a free port, says where, and echoes. For a byte on standard input
 * it does nothing else for a while, and then says so.
 */
import process from "node:process";
import { loadRuntime } from "../../runtime/transport.ts";

const path = process.argv[2];
const runtime = await loadRuntime();
const listener = await runtime.listen({
  ...(path === undefined ? { hostname: "127.0.0.1" } : { path }),
  handshakeTimeoutMs: 1000,
  accept(transport) {
    transport.start({
      data: (chunk) => void transport.write(chunk.slice()),
      drain() {},
      end: () => transport.end(),
      close() {},
    });
  },
  acceptFailed: () => console.log("acceptFailed"),
});
const { address } = listener;
console.log(address.transport === "tcp" ? address.port : address.path);

process.stdin.on("data", () => {
  const end = performance.now() + 300;
  console.log("busy");
  while (performance.now() < end);
});
