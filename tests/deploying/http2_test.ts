/**
 * A WebSocket over HTTP/2 (RFC 8441): HAProxy makes an upgrade of HTTP/1.1 of it,
 * and the site need not know.
 */
import type { Site } from "../../server.ts";
import { assertEquals, testWhere } from "../harness.ts";
import { checkoutPath, Child, runtimePath } from "../harness/child.ts";
import { Echo, serve } from "../site/served.ts";
import { PROXIES, Proxy } from "./proxy.ts";

const haproxy = PROXIES.find(({ name }) => name === "HAProxy")!;
const node = runtimePath("node");
const missing = haproxy.missing ?? (node === undefined ? "node" : undefined);

testWhere(missing, "behind HAProxy: a page talks over HTTP/2", async () => {
  const setup = (site: Site): void => site.addHandler("/own", Echo);
  await serve({ setup }, async ({ port }) => {
    await using proxy = await Proxy.start(haproxy, port);
    await using child = new Child(node ?? "", [
      checkoutPath("tests/deploying/http2_child.mjs"),
      `https://127.0.0.1:${proxy.port}`,
      checkoutPath("tests/certs/ca.crt"),
      "over HTTP/2",
    ]);
    assertEquals(await child.json(), {
      enableConnectProtocol: true,
      status: 200,
      answer: "over HTTP/2",
    });
    await child.assertEnds();
  });
});
