/**
 * In a network of its own (`eyeballs_net.sh`): dials names some of whose addresses
 * do not answer, and says for each how it went.
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { dial, type DialOptions, HandshakeError } from "../../client.ts";
import { Site } from "../../server.ts";
import { certificate } from "../runtime/recorder.ts";

const tls = { cert: certificate("leaf.crt"), key: certificate("leaf.key") };
const how = process.env["SOCKEYE_TEST_HOW"];
const site = new Site();
site.addHandler("/", { message: () => {} });
const servers = {
  ws: await site.listen({ port: 7001, hostname: "0.0.0.0" }),
  wss: await site.listen({ port: 7002, hostname: "0.0.0.0", tls }),
};

async function report(
  name: string,
  scheme: "ws" | "wss",
  local: boolean,
): Promise<void> {
  const options: DialOptions = {
    tls: { ca: certificate("ca.crt"), serverName: "localhost" },
    openTimeoutMs: how === "lost" ? 300 : 15_000,
    ...(local && { localAddress: { hostname: "203.0.113.9" } }),
  };
  const port = how === "refused" ? 7003 : scheme === "ws" ? 7001 : 7002;
  const url = `${scheme}://${name}:${port}/`;
  const what = `${name} ${scheme}${local ? " local" : ""}`;
  const startMs = performance.now();
  let result;
  try {
    const connection = await dial(url, options);
    const { remoteAddress } = connection;
    result = remoteAddress.transport === "tcp" && remoteAddress.hostname;
    connection.terminate();
    await connection.closed;
  } catch (error) {
    if (!(error instanceof HandshakeError)) throw error;
    const { code } = (error.cause ?? {}) as { code?: string };
    result = code === undefined ? error.reason : `${error.reason} ${code}`;
  }
  // The resolver itself gives up after 10 seconds and more.
  if (performance.now() - startMs > 9_000) result += ", late";
  console.log(JSON.stringify([what, result]));
}

if (how === "slow") {
  // Its first SYN is lost; it answers the second, after a second.
  setTimeout(() => {
    spawn("ip", ["addr", "add", "198.51.100.2/32", "dev", "lo"]);
  }, 650);
}
const name = `${how}.test`;
await Promise.all((["ws", "wss"] as const).flatMap((scheme) => [
  report(name, scheme, false),
  report(name, scheme, true),
]));
for (const server of Object.values(servers)) await server.shutdown();
