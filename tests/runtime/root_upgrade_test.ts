/** The root, on connections that become something else later. */
import type { LateUpgrade, Transport } from "../../runtime/transport.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { bytes, runtime } from "./recorder.ts";
import { get, MEGABYTE, open, openSite, UPGRADE } from "./root_site.ts";

/** An echo that follows an upgrade. */
function echoAfter(
  seen: LateUpgrade[],
): (request: LateUpgrade, transport: Transport, leftover: Uint8Array) => void {
  return (request, transport, leftover) => {
    seen.push(request);
    transport.sink = {
      data: (chunk) => void transport.write(chunk.slice()),
      drain() {},
      end: () => transport.end(),
      close() {},
    };
    transport.write(bytes("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
    if (leftover.length > 0) transport.write(leftover.slice());
  };
}

test("a late upgrade follows two requests on one connection", async () => {
  const seen: LateUpgrade[] = [];
  const site = await openSite({
    fetch: (request) => new Response(`<${new URL(request.url).pathname}>`),
    claims: (request) => request.url.includes("/socket"),
    upgrade: echoAfter(seen),
  });
  const client = open(site);
  for (const path of ["/1", "/2"]) {
    client.socket.write(get(path));
    await client.until(`<${path}>`);
  }
  client.socket.write(
    get("/socket?x=%20y", `${UPGRADE}X-Test: one\r\n`),
  );
  await client.until("HTTP/1.1 101 Switching Protocols\r\n\r\n");
  assertEquals(seen.length, 1);
  const [request] = seen;
  assertEquals(request?.method, "GET");
  assertEquals(request?.target, "/socket?x=%20y");
  const headers = new Headers(
    request?.headers.map(([name, value]): [string, string] => [name, value]),
  );
  assertEquals(headers.get("x-test"), "one");
  assertEquals(headers.get("upgrade"), "websocket");
  assertEquals(headers.get("host"), "example.test");
  // Nothing of the marker reaches the client.
  assertEquals(client.text.split("HTTP/1.1 200").length, 3);
  assertEquals(/takeover/i.test(client.text), false);
  client.socket.write("ping over the raw connection");
  await client.until("ping over the raw connection");
  client.socket.end();
  await client.closed;
  await site.close();
  assertEquals(site.errors, []);
});

test("an upgrade that is not claimed is an ordinary request", async () => {
  const site = await openSite({
    fetch: (request) => new Response(`<${request.headers.get("upgrade")}>`),
  });
  const client = open(site);
  client.socket.write(get("/", UPGRADE));
  await client.until("<websocket>");
  await client.close();
  await site.close();
});

test("a late upgrade waits for a large response before it", async () => {
  const seen: LateUpgrade[] = [];
  const site = await openSite({
    fetch: () => new Response(MEGABYTE),
    claims: (request) => request.url.includes("/socket"),
    upgrade: echoAfter(seen),
  });
  const client = open(site);
  client.socket.pause();
  client.socket.write(get("/1"));
  // Pipelined, except on Bun, which would answer neither.
  if (runtime.name !== "bun") {
    client.socket.write(get("/socket", UPGRADE));
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  client.socket.resume();
  if (runtime.name === "bun") {
    await client.output.until(() =>
      client.output.receivedBytes > MEGABYTE.length
    );
    client.socket.write(get("/socket", UPGRADE));
  }
  await client.until("HTTP/1.1 101 ");
  const { receivedBytes } = client.output;
  assert(receivedBytes > MEGABYTE.length);
  assert(receivedBytes < MEGABYTE.length + 1000);
  await client.close();
  await site.close();
});
