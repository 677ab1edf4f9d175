/**
 * Our dialer against servers that Debian has, each with a codec of its own: Autobahn
 * and Tornado (Python), Mojolicious (Perl) and libwebsockets (C); in the clear and
 * over TLS, compressed where they can.
 */
import { existsSync } from "node:fs";
import { dial, type DialOptions } from "../../client.ts";
import { assert, assertEquals, testWhere } from "../harness.ts";
import { checkoutPath, Child, firstThere } from "../harness/child.ts";
import { within } from "../harness/deadline.ts";
import { program, programPath } from "../harness/program.ts";
import { certificate } from "../runtime/recorder.ts";
import { TLS_FILES } from "./peers.ts";
import { assertCloses, assertEchoes, assertIsClosed, receive } from "./talk.ts";
import { Tunnel } from "./tunnels.ts";

const tls = { ca: certificate("ca.crt") };

/** Where a folder of a package is: unpacked by the runner, or installed. */
function packagePath(name: string, folder: string): string | undefined {
  const cache = checkoutPath(`node_modules/.cache/debian/${name}`);
  return firstThere([`${cache}/${folder}`, `/${folder}`]);
}

/** A server that echoes what it is sent. */
interface EchoServer {
  readonly name: string;
  /** Package, where it is not there. */
  readonly missing: string | undefined;
  /** What TLS needs besides, where it is not there. */
  readonly missingTls?: string | undefined;
  /** Starts it, with the files of a certificate for TLS. */
  start(...files: readonly string[]): Child;
}

function python(name: string): EchoServer {
  const folder = "usr/lib/python3/dist-packages";
  const path = packagePath(`python3-${name}`, `${folder}/${name}`);
  return {
    name,
    missing: path === undefined ? `python3-${name}` : undefined,
    start: (...files) =>
      new Child("/usr/bin/python3", [
        checkoutPath("tests/interop/peers/debian_peer.py"),
        name,
        ...files,
      ], { PYTHONPATH: path?.replace(/\/\w+$/, "") ?? "" }),
  };
}

function mojolicious(): EchoServer {
  const path = packagePath("libmojolicious-perl", "usr/share/perl5/Mojo");
  return {
    name: "mojolicious",
    missing: path === undefined ? "libmojolicious-perl" : undefined,
    missingTls: existsSync("/usr/share/perl5/IO/Socket/SSL.pm")
      ? undefined
      : "libio-socket-ssl-perl",
    start: (...files) =>
      new Child("/usr/bin/perl", [
        checkoutPath("tests/interop/peers/mojolicious_peer.pl"),
        ...files,
      ], { PERL5LIB: path?.replace(/\/\w+$/, "") ?? "" }),
  };
}

async function talk(
  url: string,
  options: DialOptions,
  child: Child,
): Promise<void> {
  await using connection = await dial(url, options);
  const compresses = options.compression !== false;
  assertEquals(
    connection.extensions.map(({ name }) => name),
    compresses ? ["permessage-deflate"] : [],
  );
  await assertEchoes(connection);
  const { payloadBytesReceived, payloadBytesSent } = connection.stats;
  for (const bytes of [payloadBytesSent, payloadBytesReceived]) {
    assertEquals(bytes < 2 ** 19, compresses, `${bytes} bytes`);
  }
  await assertCloses(connection, child);
}

for (const server of [python("autobahn"), python("tornado"), mojolicious()]) {
  for (const files of [[], TLS_FILES]) {
    const secure = files.length > 0;
    testWhere(
      server.missing ?? (secure ? server.missingTls : undefined),
      `PM-10, TW16: our dialer talks to ${server.name}${
        secure ? " over TLS" : ""
      }`,
      async () => {
        await using child = server.start(...files);
        const { port } = await child.json<{ port: number }>();
        const url = `${secure ? "wss" : "ws"}://127.0.0.1:${port}/echo`;
        await talk(url, { tls }, child);
        await talk(url, { tls, compression: false }, child);
        await assertIsClosed(url, { tls });
      },
    );
  }
}

const LWS = "libwebsockets-test-server";

for (const secure of [false, true]) {
  testWhere(
    programPath(LWS) === undefined ? LWS : undefined,
    `TW16: our dialer talks to libwebsockets${secure ? " over TLS" : ""}`,
    async () => {
      const [cert = "", key = ""] = TLS_FILES;
      await using server = await Tunnel.start(({ port }) => [
        ...program(LWS),
        `--port=${port}`,
        ...(secure ? ["--ssl", "-C", cert, "-K", key] : []),
      ]);
      const url = `${secure ? "wss" : "ws"}://127.0.0.1:${server.port}/`;
      // It sends to all what one says, a part of a drawing.
      const subprotocols = ["lws-mirror-protocol"];
      await using one = await dial(url, { subprotocols, tls });
      await using other = await dial(url, { subprotocols, tls });
      assertEquals([one.subprotocol, one.extensions], [subprotocols[0], []]);
      for (let i = 0; i < 20; i++) {
        one.send(`d #ff0000 ${i} 1 2 3;`);
        for (const connection of [one, other]) {
          const line = await receive(connection);
          assertEquals(line, `d #ff0000 ${i} 1 2 3;`);
        }
      }
      assert(await within(one.ping(), "a Pong") >= 0);
      const info = await within(one.close(), "the end");
      assertEquals([info.code, info.wasClean], [1000, true]);
    },
  );
}
