/**
 * Run by `descriptors_test.ts` in a process of its own, with few descriptors: an
 * echo that says where it listens, and on each line what time it has used, and the
 * time.
 */
import process from "node:process";
import { Handler, Site } from "../../server.ts";

class Echo extends Handler {
  override message(data: string | Uint8Array): void {
    this.connection.send(data);
  }
}

const site = new Site({ onError() {} });
site.addHandler("/echo", Echo);
const server = await site.listen({ port: 0, hostname: "127.0.0.1" });
const { addr } = server;
console.log(JSON.stringify(addr.transport === "tcp" ? addr.port : 0));

process.stdin.on("data", () => {
  const { user, system } = process.cpuUsage();
  const cpuMs = (user + system) / 1_000;
  console.log(JSON.stringify({ cpuMs, nowMs: performance.now() }));
});
