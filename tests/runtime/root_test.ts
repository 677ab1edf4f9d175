/** The root on each runtime: requests, bodies, ends. */
import { connect as connectSocket } from "node:net";
import { connect as connectTls } from "node:tls";
import { assert, assertEquals, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { certificate, Recorder, runtime } from "./recorder.ts";
import { Client, get, MEGABYTE, open, openSite } from "./root_site.ts";

test("the root answers a GET, with the client's address", async () => {
  let address = "";
  const site = await openSite({
    fetch(request, info) {
      address = JSON.stringify(info.remoteAddress);
      assertEquals(info.secure, false);
      assertEquals(request.url, "http://example.test/a?b=c");
      return new Response("hello", {
        status: 201,
        headers: [["set-cookie", "a=1"], ["set-cookie", "b=2"]],
      });
    },
  });
  const client = open(site);
  client.socket.write(get("/a?b=c"));
  await client.until("hello");
  const head = client.text.toLowerCase();
  assert(head.startsWith("http/1.1 201 "));
  assert(head.includes("set-cookie: a=1\r\n"));
  assert(head.includes("set-cookie: b=2\r\n"));
  assertEquals(
    address,
    JSON.stringify({
      transport: "tcp",
      hostname: "127.0.0.1",
      port: client.socket.localPort,
    }),
  );
  await client.close();
  await site.close();
  assertEquals(site.errors, []);
});

test("a megabyte goes each way", async () => {
  const site = await openSite({
    async fetch(request) {
      return new Response(await request.arrayBuffer());
    },
  });
  for (let round = 0; round < 2; round++) {
    const response = await fetch(`http://127.0.0.1:${site.port}/`, {
      method: "POST",
      body: MEGABYTE,
    });
    const body = new Uint8Array(await response.arrayBuffer());
    assertEquals(body.length, MEGABYTE.length);
    assert(body.every((byte, index) => byte === MEGABYTE[index]));
  }
  await site.close();
  assertEquals(site.errors, []);
});

test("bodies stream, both of them", async () => {
  const site = await openSite({
    fetch: (request) => new Response(request.body),
  });
  const client = open(site);
  client.socket.write(
    "POST / HTTP/1.1\r\nHost: example.test\r\nTransfer-Encoding: chunked\r\n\r\n" +
      "5\r\nfirst\r\n",
  );
  // The answer begins before the request ends.
  await client.until("first");
  client.socket.write("6\r\nsecond\r\n0\r\n\r\n");
  await client.until("second");
  await client.close();
  await site.close();
});

test("HEAD is answered without a body", async () => {
  const site = await openSite({});
  const client = open(site);
  client.socket.write(get("/").replace("GET", "HEAD") + get("/"));
  await client.until("hello");
  assertEquals(client.text.split("hello").length, 2);
  assertEquals(client.text.split("HTTP/1.1 200").length, 3);
  await client.close();
  await site.close();
});

test("one connection carries several requests", async () => {
  const ports = new Set<unknown>();
  const site = await openSite({
    fetch(request, { remoteAddress }) {
      ports.add(remoteAddress.transport === "tcp" && remoteAddress.port);
      return new Response(`<${new URL(request.url).pathname}>`);
    },
  });
  const client = open(site);
  for (const path of ["/1", "/2", "/3", "/4"]) {
    client.socket.write(get(path));
    await client.until(`<${path}>`);
  }
  assertEquals(ports.size, 1);
  await client.close();
  await site.close();
});

test("pipelined requests are answered in order, one at a time (HT-7)", async () => {
  let running = 0;
  let most = 0;
  const isBun = runtime.name === "bun";
  const site = await openSite({
    fetch(request) {
      const response = new Response(`<${new URL(request.url).pathname}>`);
      // Bun.serve closes a connection that pipelines to an asynchronous handler.
      if (isBun) return response;
      most = Math.max(most, ++running);
      return new Promise((resolve) =>
        setTimeout(() => {
          running--;
          resolve(response);
        }, 1)
      );
    },
  });
  const client = open(site);
  const paths = Array.from({ length: 60 }, (_, index) => `/${index}`);
  client.socket.write(paths.map((path) => get(path)).join(""));
  await client.until("</59>");
  assertEquals(
    client.text.match(/<\/\d+>/g),
    paths.map((path) => `<${path}>`),
  );
  assert(most <= 1);
  await client.close();
  await site.close();
});

test("an exception gives a neutral 500 and is told", async () => {
  const site = await openSite({
    fetch(request) {
      if (request.url.endsWith("/sync")) throw new Error("secret");
      return Promise.reject(new Error("secret"));
    },
  });
  const client = open(site);
  for (const path of ["/sync", "/async"]) {
    client.socket.write(get(path));
    await client.until("HTTP/1.1 500", path === "/sync" ? 1 : 2);
  }
  await client.until("Internal Server Error\n", 2);
  assertEquals(client.text.includes("secret"), false);
  assertEquals(site.errors.map((error) => error.message), [
    "secret",
    "secret",
  ]);
  await client.close();
  await site.close();
});

test("a client that goes away aborts its request", async () => {
  const recorder = new Recorder();
  const site = await openSite({
    fetch(request) {
      recorder.drain();
      return new Promise((resolve) =>
        request.signal.addEventListener("abort", () => {
          recorder.end();
          resolve(new Response("late"));
        })
      );
    },
  });
  const client = open(site);
  client.socket.write(get("/"));
  await recorder.until(() => recorder.events.includes("drain"));
  await client.close();
  await recorder.until(() => recorder.events.includes("end"));
  await site.close();
});

test("on TLS the request's address says https", async () => {
  const site = await openSite({
    fetch: async (request, { secure }) =>
      new Response(`${secure} ${request.url} ${await request.text()}`),
  }, {
    tls: { cert: certificate("leaf.crt"), key: certificate("leaf.key") },
  });
  const ca = certificate("ca.crt");
  const client = new Client(
    connectTls({ host: "127.0.0.1", port: site.port, ca }),
  );
  client.socket.write(
    "POST /x HTTP/1.1\r\nHost: example.test\r\nContent-Length: 4\r\n\r\nbody",
  );
  await client.until("true https://example.test/x body");
  await client.close();
  await site.close();
  assertEquals(site.errors, []);
});

/** What `SpliceRoot` offers to tests; Node has no private server. */
interface PrivateParts {
  readonly privatePort: number | undefined;
  killServer(): Promise<void>;
}

test("the private server refuses a stranger", async () => {
  if (runtime.name === "node") return;
  let count = 0;
  const site = await openSite({
    fetch() {
      count++;
      return new Response("hello");
    },
  });
  const client = open(site);
  client.socket.write(get("/"));
  await client.until("hello");
  const { privatePort } = site.root as unknown as PrivateParts;
  assert(privatePort !== undefined);
  const stranger = new Client(connectSocket(privatePort, "127.0.0.1"));
  stranger.socket.write(get("/"));
  await stranger.until("Forbidden");
  assert(stranger.text.startsWith("HTTP/1.1 403"));
  await stranger.close();
  assertEquals(count, 1);
  await client.close();
  await site.close();
});

test("the private server is revived after its death (OS-1)", async () => {
  if (runtime.name === "node") return;
  const site = await openSite({});
  for (let round = 0; round < 3; round++) {
    const client = open(site);
    client.socket.write(get("/"));
    await client.until("hello");
    await (site.root as unknown as PrivateParts).killServer();
    await client.close();
  }
  await site.close();
});

test("close lets a response finish that is under way", async () => {
  let answer: (response: Response) => void = () => {};
  const started = new Recorder();
  const site = await openSite({
    fetch(request) {
      if (request.url.endsWith("/quick")) return new Response("quick");
      started.drain();
      return new Promise((resolve) => answer = resolve);
    },
  });
  const idle = open(site);
  idle.socket.write(get("/quick"));
  await idle.until("quick");
  const client = open(site);
  client.socket.write(get("/"));
  await started.until(() => started.events.length > 0);
  const closing = site.close(5000);
  await idle.output.until(() => idle.output.events.includes("end"));
  answer(new Response("at last"));
  await client.until("at last");
  await client.output.until(() => client.output.events.includes("end"));
  await idle.close();
  await client.close();
  await closing;
});

test("close does not wait for clients that keep their side open", async () => {
  const site = await openSite({});
  const connect = () =>
    new Client(connectSocket({
      port: site.port,
      host: "127.0.0.1",
      allowHalfOpen: true,
    }));
  const clients = [connect(), connect()];
  for (const client of clients) {
    client.socket.write(get("/"));
    await client.until("hello");
  }
  await within(site.close(60_000), "the end of the site");
  for (const client of clients) await client.close();
  assertEquals(site.errors, []);
});

test("close drops what is not finished in time", async () => {
  const started = new Recorder();
  const site = await openSite({
    fetch: (request) => {
      started.drain();
      return new Promise((resolve) =>
        request.signal.addEventListener(
          "abort",
          () => resolve(new Response("")),
        )
      );
    },
  });
  const client = open(site);
  client.socket.write(get("/"));
  await started.until(() => started.events.length > 0);
  await site.close(50);
  await client.closed;
  const late = open(site);
  await late.closed;
});

test("a root that nobody used closes", async () => {
  const site = await openSite({});
  await site.close();
  await site.close();
});
