/** B-10: Digest and Basic with servers and proxies that others have written. */
import {
  type Authenticate,
  basic,
  dial,
  type DialOptions,
  digest,
  HandshakeError,
  type Login,
} from "../../client.ts";
import { type Server, Site } from "../../server.ts";
import { assert, assertEquals, assertRejects, testWhere } from "../harness.ts";
import { programPath } from "../harness/program.ts";
import { certificate } from "../runtime/recorder.ts";
import { Echo, pause } from "../site/served.ts";
import { PASSWORD, startApache, startSquid, USER } from "./digest_peers.ts";

const LOGIN: Login = { username: USER, password: PASSWORD };
const WRONG: Login = { username: USER, password: "wrong" };
const REFUSED = ["bad-status", 401] as [string, number];
const TEXT = "through ".repeat(10_000);

/** A site that echoes. */
function listen(secure = false): Promise<Server> {
  const site = new Site();
  site.addHandler("/echo", Echo);
  return site.listen({
    port: 0,
    hostname: "127.0.0.1",
    ...(secure && {
      tls: { cert: certificate("leaf.crt"), key: certificate("leaf.key") },
    }),
  });
}

function portOf(server: Server): number {
  assert(server.addr.transport === "tcp");
  return server.addr.port;
}

async function assertEchoes(url: string, options: DialOptions): Promise<void> {
  const connection = await dial(url, options);
  connection.send(TEXT);
  assertEquals(await connection.receive(), TEXT);
  assertEquals((await connection.close()).wasClean, true);
}

/** Why it cannot be dialled. */
async function failure(
  url: string,
  options: DialOptions,
): Promise<[reason: string, status: number | undefined]> {
  const error = await assertRejects(() => dial(url, options), HandshakeError);
  return [error.reason, error.status];
}

/** The same, and notes how often it was asked. */
function counted(
  authenticate: Authenticate,
): { authenticate: Authenticate; asked: (string | undefined)[] } {
  const asked: (string | undefined)[] = [];
  return {
    asked,
    authenticate: (challenge) => {
      asked.push(challenge.challenges[0]?.parameters.get("stale"));
      return authenticate(challenge);
    },
  };
}

function missing(...names: readonly string[]): string | undefined {
  return names.find((name) => programPath(name) === undefined);
}

testWhere(
  missing("apache2"),
  "B-10: Apache in front of a site, with Digest and with Basic",
  async () => {
    await using server = await listen();
    await using apache = await startApache(portOf(server));
    const url = `ws://127.0.0.1:${apache.port}`;
    const right = digest(LOGIN);
    // The query is hashed as well.
    for (const path of ["/digest", "/digest?a=%20b,c&d"]) {
      await assertEchoes(url + path, { authenticate: right });
    }
    await assertEchoes(`${url}/basic`, { authenticate: basic(LOGIN) });
    for (
      const [path, make] of [["/digest", digest], ["/basic", basic]] as const
    ) {
      const { asked, authenticate } = counted(make(WRONG));
      assertEquals(await failure(url + path, { authenticate }), REFUSED);
      assertEquals(asked.length, 2);
      assertEquals(await failure(url + path, {}), REFUSED);
    }
    const { asked, authenticate } = counted(basic(LOGIN));
    assertEquals(await failure(`${url}/digest`, { authenticate }), REFUSED);
    assertEquals(asked.length, 1);
  },
);

testWhere(
  missing("apache2"),
  "B-10: Apache says that a nonce was stale, and takes the next one",
  async () => {
    await using server = await listen();
    await using apache = await startApache(portOf(server));
    const login = digest(LOGIN);
    const { asked, authenticate } = counted(async (challenge) => {
      // Nonces live for a second there.
      if (challenge.answered === 0) await pause(2_200);
      return await login(challenge);
    });
    await assertEchoes(`ws://127.0.0.1:${apache.port}/short`, { authenticate });
    assertEquals(asked, [undefined, "true"]);
  },
);

for (
  const [name, start] of [["apache2", () => startApache(1)], [
    "squid",
    startSquid,
  ]] as const
) {
  testWhere(
    missing(name),
    `B-10: through ${name} as a proxy that wants Digest, ws: and wss:`,
    async () => {
      await using tunnel = await start();
      const proxy = `http://127.0.0.1:${tunnel.port}`;
      const authenticate = digest({ ...LOGIN, source: "proxy" });
      for (const secure of [false, true]) {
        await using server = await listen(secure);
        const scheme = secure ? "wss" : "ws";
        const url = `${scheme}://127.0.0.1:${portOf(server)}/echo`;
        const tls = { ca: certificate("ca.crt") };
        await Promise.all(
          [1, 2, 3].map(() => assertEchoes(url, { proxy, tls, authenticate })),
        );
      }
      const url = "ws://127.0.0.1:1/";
      const wrong = counted(digest({ ...WRONG, source: "proxy" }));
      for (const other of [wrong.authenticate, digest(LOGIN), basic(LOGIN)]) {
        assertEquals(await failure(url, { proxy, authenticate: other }), [
          "proxy-failed",
          407,
        ]);
      }
      assertEquals(wrong.asked.length, 2);
      // It was let in, but nobody listens there.
      const [reason, status = 0] = await failure(url, { proxy, authenticate });
      assertEquals([reason, status >= 500], ["proxy-failed", true]);
    },
  );
}

const missingBoth = missing("apache2", "squid");

testWhere(
  missingBoth,
  "B-10: through squid to Apache, both of which want Digest",
  async () => {
    await using server = await listen();
    await using apache = await startApache(portOf(server));
    await using squid = await startSquid();
    const forServer = digest(LOGIN);
    const forProxy = digest({ ...LOGIN, source: "proxy" });
    const { asked, authenticate } = counted(async (challenge) =>
      await forServer(challenge) ?? await forProxy(challenge)
    );
    await assertEchoes(`ws://127.0.0.1:${apache.port}/digest`, {
      proxy: `http://127.0.0.1:${squid.port}`,
      authenticate,
    });
    assertEquals(asked.length, 3);
  },
);
