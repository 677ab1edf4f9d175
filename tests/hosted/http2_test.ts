/**
 * A host that speaks HTTP/2: there is no upgrade in it (RFC 9113, section 8.6), and
 * `Deno.serve` offers no other way (RFC 8441). So browsers come by HTTP/1.1, and
 * who asks all the same is told.
 */
import { Site } from "../../server.ts";
import { assertEquals, testWhere } from "../harness.ts";
import {
  checkoutPath,
  Child,
  currentRuntime,
  runtimePath,
} from "../harness/child.ts";
import { rawUpgrade } from "../harness/raw_client.ts";
import { certificate } from "../runtime/recorder.ts";
import { Echo, readText } from "../site/served.ts";
import { serveOnDeno } from "../ways/hosts.ts";

const node = runtimePath("node");
const missing = currentRuntime !== "deno"
  ? `HTTP/2 on ${currentRuntime}`
  : node === undefined
  ? "node"
  : undefined;

testWhere(missing, "AB16: a request over HTTP/2 is answered 426", async () => {
  const site = new Site();
  site.addHandler("/echo", Echo, { origins: "*" });
  const server = serveOnDeno(site.fetch, true);
  try {
    const get = async (path: string): Promise<unknown> => {
      await using child = new Child(node ?? "", [
        checkoutPath("tests/hosted/http2_child.mjs"),
        `https://127.0.0.1:${server.port}`,
        checkoutPath("tests/certs/ca.crt"),
        path,
      ]);
      const answer = await child.json();
      await child.assertEnds();
      return answer;
    };
    assertEquals(await get("/echo"), {
      status: 426,
      body: "This is a WebSocket endpoint.\n",
      enableConnectProtocol: false,
    });
    // The same port speaks HTTP/1.1 to whoever opens a WebSocket.
    const ca = certificate("ca.crt");
    await using client = await rawUpgrade({ port: server.port, ca }, "/echo");
    client.sendFrame({ payload: "hello" });
    assertEquals(await readText(client), "hello");
  } finally {
    await site.shutdown({ timeoutMs: 1_000 });
    await server.stop();
  }
});
