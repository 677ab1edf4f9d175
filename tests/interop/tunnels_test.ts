/**
 * WS24: through proxies that others have written: tinyproxy, that behind HAProxy's
 * TLS, Dante, microsocks, and OpenSSH.
 */
import {
  ClosedError,
  dial,
  type DialOptions,
  HandshakeError,
  redial,
} from "../../client.ts";
import { type Server, Site } from "../../server.ts";
import { assert, assertEquals, assertRejects, testWhere } from "../harness.ts";
import { programPath } from "../harness/program.ts";
import { certificate } from "../runtime/recorder.ts";
import { Echo } from "../site/served.ts";
import {
  missingSsh,
  SshTunnel,
  startDante,
  startHaproxy,
  startMicrosocks,
  startTinyproxy,
} from "./tunnels.ts";

const TEXT = "through ".repeat(100_000);
const ca = certificate("ca.crt");

/** A site that echoes, and its URL. */
async function listen(secure: boolean): Promise<[Server, string]> {
  const site = new Site();
  site.addHandler("/echo", Echo);
  const server = await site.listen({
    port: 0,
    hostname: "127.0.0.1",
    ...(secure && {
      tls: { cert: certificate("leaf.crt"), key: certificate("leaf.key") },
    }),
  });
  assert(server.addr.transport === "tcp");
  const origin = `${secure ? "wss" : "ws"}://127.0.0.1:${server.addr.port}`;
  return [server, `${origin}/echo`];
}

/** Echoes through a proxy, with and without TLS. */
async function assertEchoes(options: DialOptions): Promise<void> {
  for (const secure of [false, true]) {
    const [server, url] = await listen(secure);
    await using _ = server;
    const connection = await dial(url, { ...options, tls: { ca } });
    connection.send(TEXT);
    assertEquals(await connection.receive(), TEXT);
    assertEquals((await connection.close()).wasClean, true);
  }
}

/** What dialling port 1 fails with, where nobody listens. */
function refused(options: DialOptions, scheme = "ws"): Promise<HandshakeError> {
  return assertRejects(
    () => dial(`${scheme}://127.0.0.1:1/`, options),
    HandshakeError,
  );
}

/** The first program of some that is not there. */
function missing(...names: readonly string[]): string | undefined {
  return names.find((name) => programPath(name) === undefined);
}

testWhere(
  missing("tinyproxy"),
  "WS24: through tinyproxy, with Basic authentication",
  async () => {
    await using running = await startTinyproxy();
    const { port } = running;
    const proxy = `http://me:secret@127.0.0.1:${port}`;
    await assertEchoes({ proxy });
    for (const user of ["", "me:wrong@"]) {
      const error = await refused({ proxy: `http://${user}127.0.0.1:${port}` });
      const status = user === "" ? 407 : 401;
      assertEquals([error.reason, error.status], ["proxy-failed", status]);
    }
    const nobody = await refused({ proxy });
    assertEquals(nobody.reason, "proxy-failed");
    assert((nobody.status ?? 0) >= 500, `${nobody.status}`);
  },
);

const missingHttps = missing("tinyproxy", "haproxy");

testWhere(
  missingHttps,
  "WS24: through tinyproxy behind TLS, with TLS within it for wss:",
  async () => {
    await using tinyproxy = await startTinyproxy();
    await using haproxy = await startHaproxy(tinyproxy.port);
    const url = `https://me:secret@localhost:${haproxy.port}`;
    await assertEchoes({ proxy: { url, tls: { ca } } });
    // Who may not be trusted is told no password.
    const untrusted = await refused({ proxy: url });
    assertEquals(
      [untrusted.reason, untrusted.status],
      ["proxy-failed", undefined],
    );
    const wrong = await refused({
      proxy: { url, tls: { ca, serverName: "wrong.test" } },
    });
    assertEquals([wrong.reason, wrong.status], ["proxy-failed", undefined]);
    const without = await refused({
      proxy: { url: url.replace("me:secret@", ""), tls: { ca } },
    });
    assertEquals([without.reason, without.status], ["proxy-failed", 407]);
  },
);

testWhere(
  missing("danted"),
  "WS24: through Dante, which speaks SOCKS 5",
  async () => {
    await using running = await startDante();
    const proxy = `socks5://127.0.0.1:${running.port}`;
    await assertEchoes({ proxy });
    const error = await refused({ proxy });
    assertEquals(error.reason, "proxy-failed");
    assert(error.message.includes("refused"), error.message);
  },
);

testWhere(
  missing("microsocks"),
  "WS24: through microsocks, with user name and password",
  async () => {
    await using running = await startMicrosocks("me", "p w@:%");
    const { port } = running;
    for (const scheme of ["socks5", "socks5h"]) {
      const proxy = `${scheme}://me:p%20w%40%3A%25@127.0.0.1:${port}`;
      await assertEchoes({ proxy });
      assertEquals((await refused({ proxy })).reason, "proxy-failed");
    }
    for (const user of ["", "me@", "me:wrong@", "you:p%20w%40%3A%25@"]) {
      const proxy = `socks5://${user}127.0.0.1:${port}`;
      const error = await refused({ proxy });
      assertEquals([user, error.reason], [user, "proxy-failed"]);
    }
  },
);

testWhere(
  missingSsh,
  "WS24: through ssh -D, which speaks SOCKS 5",
  async () => {
    await using running = await SshTunnel.start();
    const proxy = `socks5h://127.0.0.1:${running.port}`;
    await assertEchoes({ proxy });
    // It closes without a word, whatever the reason was.
    for (const scheme of ["ws", "wss"]) {
      const error = await refused({ proxy }, scheme);
      assertEquals([scheme, error.reason], [scheme, "proxy-failed"]);
    }
  },
);

testWhere(
  missing("tinyproxy"),
  "WS24, WS27: redial goes through tinyproxy again, after it was gone",
  async () => {
    const [server, url] = await listen(false);
    await using _ = server;
    let running = await startTinyproxy();
    let count = 0;
    try {
      const attempts: unknown[] = [];
      const loop = redial(url, {
        delays: () => Array<number>(100).fill(20),
        dial: ({ lastError }) => {
          attempts.push((lastError as HandshakeError | undefined)?.reason);
          return { proxy: `http://me:secret@127.0.0.1:${running.port}` };
        },
      });
      for await (const connection of loop) {
        connection.send(TEXT);
        assertEquals(await connection.receive(), TEXT);
        if (++count === 2) break;
        // Connections through it end with it.
        await running.crash();
        await assertRejects(() => connection.receive(), ClosedError);
        await running[Symbol.asyncDispose]();
        setTimeout(async () => running = await startTinyproxy(), 100);
      }
      assertEquals(attempts[0], undefined);
      assert(attempts.includes("proxy-failed"), attempts.join());
    } finally {
      await running[Symbol.asyncDispose]();
    }
  },
);
