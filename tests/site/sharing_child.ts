/**
 * Run by `reuse_port_test.ts` in processes of their own: a site that shares its
 * port, tells each client which process it is, and shuts down on SIGTERM.
 */
import process from "node:process";
import { Site } from "../../server.ts";

const site = new Site();
site.addHandler("/who", async (connection) => {
  connection.send(String(process.pid));
  for await (const message of connection) connection.send(message);
});
const server = await site.listen({
  port: Number(process.argv[2] ?? 0),
  hostname: "127.0.0.1",
  reusePort: true,
});
process.once("SIGTERM", () => void server.shutdown({ reason: "restart" }));
const { addr } = server;
console.log(JSON.stringify(addr.transport === "tcp" ? addr.port : 0));
