/** TW16: the address that a dial comes from. */
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { dial, type DialOptions, HandshakeError } from "../../client.ts";
import { type Server, Site } from "../../server.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  test,
  testWhere,
} from "../harness.ts";
import { currentRuntime } from "../harness/child.ts";
import { freePort } from "../harness/free_port.ts";
import { certificate } from "../runtime/recorder.ts";
import { dialPermitted } from "./permitted.ts";
import { Relay } from "./relay.ts";

const tls = { cert: certificate("leaf.crt"), key: certificate("leaf.key") };
const ca = certificate("ca.crt");
/** Of a network for documentation (RFC 5737): nobody's. */
const NOT_OURS = { hostname: "203.0.113.77" };

/** A site that says where one comes from. */
function listen(secure: boolean, hostname = "127.0.0.1"): Promise<Server> {
  const site = new Site();
  site.addHandler("/", (connection) => {
    connection.send(JSON.stringify(connection.remoteAddress));
  });
  return site.listen({ port: 0, hostname, ...(secure && { tls }) });
}

function urlOf(server: Server, hostname: string, secure = false): string {
  assert(server.addr.transport === "tcp");
  return `${secure ? "wss" : "ws"}://${hostname}:${server.addr.port}/`;
}

async function addressSeen(
  url: string,
  options: DialOptions,
): Promise<unknown> {
  const connection = await dial(url, { tls: { ca }, ...options });
  const seen = JSON.parse(String(await connection.receive()));
  assertEquals(connection.localAddress, seen);
  connection.terminate();
  await connection.closed;
  return seen;
}

/** Whether all of 127.0.0.0/8 is this machine's, as on Linux. */
function hasSecondLoopback(): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on("error", () => resolve(false));
    server.listen(0, "127.0.0.2", () => server.close(() => resolve(true)));
  });
}

const noSecond = await hasSecondLoopback() ? undefined : "127.0.0.2";
const noIpv6 =
  Object.values(networkInterfaces()).flat().some((end) =>
      end?.address === "::1"
    )
    ? undefined
    : "IPv6";

testWhere(
  noSecond,
  "TW16: localAddress is where the server sees the connection come from",
  async () => {
    for (const secure of [false, true]) {
      await using server = await listen(secure);
      for (const hostname of ["localhost", "127.0.0.1"]) {
        const seen = await addressSeen(urlOf(server, hostname, secure), {
          localAddress: { hostname: "127.0.0.2" },
          // Its certificate has the name alone.
          tls: { ca, serverName: "localhost" },
        }) as { hostname: string };
        assertEquals(seen.hostname, "127.0.0.2");
      }
    }
  },
);

testWhere(noSecond, "TW16: localAddress with a port", async () => {
  await using server = await listen(false);
  const localAddress = { hostname: "127.0.0.2", port: await freePort() };
  assertEquals(
    await addressSeen(urlOf(server, "localhost"), { localAddress }),
    {
      transport: "tcp",
      ...localAddress,
    },
  );
});

testWhere(
  noSecond,
  "TW16: localAddress goes for the way to a proxy",
  async () => {
    await using server = await listen(false);
    await using relay = await Relay.listen();
    const proxy = `socks5://127.0.0.1:${relay.port}`;
    const connection = await dial(urlOf(server, "127.0.0.1"), {
      proxy,
      localAddress: { hostname: "127.0.0.2" },
    });
    assert(connection.localAddress.transport === "tcp");
    assertEquals(connection.localAddress.hostname, "127.0.0.2");
    await connection.closed;
  },
);

testWhere(noIpv6, "TW16: localAddress of IPv6", async () => {
  await using server = await listen(false, "::1");
  const localAddress = { hostname: "::1" };
  const seen = await addressSeen(urlOf(server, "[::1]"), { localAddress });
  assertEquals((seen as { hostname: string }).hostname, "::1");
});

test("TW16: a localAddress that is not ours, or of the other family, is connect-failed", async () => {
  for (const secure of [false, true]) {
    await using server = await listen(secure);
    for (const localAddress of [NOT_OURS, { hostname: "::1" }]) {
      for (const hostname of ["localhost", "127.0.0.1"]) {
        const error = await assertRejects(
          () => dial(urlOf(server, hostname, secure), { localAddress }),
          HandshakeError,
        );
        assertEquals(error.reason, "connect-failed");
      }
    }
  }
});

test("TW16: a localAddress that is taken is connect-failed", async () => {
  await using server = await listen(false);
  assert(server.addr.transport === "tcp");
  const localAddress = { hostname: "127.0.0.1", port: server.addr.port };
  const error = await assertRejects(
    () => dial("ws://127.0.0.1:1/", { localAddress }),
    HandshakeError,
  );
  assertEquals(error.reason, "connect-failed");
});

test("TW16: a localAddress that is none is refused at once", async () => {
  const wrong: unknown[] = [
    ...["127.0.0.2", null, {}, { port: 5 }, { host: "127.0.0.2" }],
    ...["localhost", "", 5, "127.0.0", "127.0.0.256", "127.0.0.1.", "01.2.3.4"]
      .map((hostname) => ({ hostname })),
    ...["[::1]", "::1%lo", ":::", "::g", "1:2"].map((hostname) => ({
      hostname,
    })),
    ...["1", -1, 1.5, 65_536].map((port) => ({ hostname: "127.0.0.2", port })),
  ];
  for (const localAddress of wrong) {
    const options = { localAddress } as DialOptions;
    const error = await assertRejects(() => dial("ws://127.0.0.1:1/", options));
    assert(
      error instanceof TypeError || error instanceof RangeError,
      JSON.stringify(localAddress),
    );
  }
  await assertRejects(
    () => dial("ws://x.test/", { path: "/x", localAddress: NOT_OURS }),
    TypeError,
    "exclude each other",
  );
});

testWhere(
  currentRuntime === "deno" ? noSecond : "Deno, whose permissions it is about",
  "TW16: on Deno a localAddress needs a permission, and fails without",
  async () => {
    await using server = await listen(false);
    const { port } = server.addr as { port: number };
    for (const more of [undefined, "127.0.0.2:0"]) {
      const nets = [`localhost:${port}`, ...(more ? [more] : [])];
      await using child = dialPermitted([`--allow-net=${nets.join(",")}`], {
        SOCKEYE_TEST_URL: urlOf(server, "localhost"),
        SOCKEYE_TEST_HOW: "close",
        SOCKEYE_TEST_LOCAL: "127.0.0.2",
      });
      if (more !== undefined) {
        const seen = JSON.parse(await child.json<string>());
        assertEquals(seen.hostname, "127.0.0.2");
        continue;
      }
      assertEquals((await child.exited).code, 1);
      assert(child.stderr.includes("HandshakeError"), child.stderr);
      assert(child.stderr.includes("NotCapable"), child.stderr);
    }
  },
);
