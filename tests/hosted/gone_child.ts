/**
 * Clients that go before they are answered. A process of its own, since Deno 2.9.6
 * waits for ever to upgrade what is gone, which its leak check would report.
 */
import process from "node:process";
import { Site } from "../../server.ts";
import { rawConnect, upgradeRequest } from "../harness/raw_client.ts";
import { Echo, pause, until } from "../site/served.ts";
import { serveHost } from "../ways/hosts.ts";

const site = new Site({ openTimeoutMs: 300 });
site.addHandler("/echo", Echo);
const server = serveHost(site.fetch, site.websocket);
for (let i = 0; i < 40; i++) {
  const client = await rawConnect(server.port);
  client.write(upgradeRequest());
  if (i % 4 > 0) await pause(i % 4);
  client.reset();
  await client.closed;
}
await until(
  () => site.stats.open + site.stats.closing === 0,
  "all to be gone",
);
console.log(JSON.stringify(site.stats));
await site.shutdown();
process.exit(0);
