import process from "node:process";
import { Site } from "@sockeye/sockeye";

const site = new Site({
  // One stands in front, and says who the client is.
  trustedProxies: 1,
  maxConnections: 20_000,
  root: (request) =>
    new URL(request.url).pathname === "/health"
      ? new Response("well\n")
      : new Response("not found\n", { status: 404 }),
});
site.addHandler("/echo", async (connection) => {
  for await (const message of connection) connection.send(message);
});

const server = await site.listen({
  port: Number(process.env.PORT ?? 8080),
  // Only the proxy is to come in.
  hostname: process.env.HOST ?? "127.0.0.1",
});
console.log("Listening on", server.addr);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void server.shutdown({ reason: "restart" }));
}
