/** WS24: through proxies that others have written, tinyproxy and Dante. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { dial, type DialOptions, HandshakeError } from "../../client.ts";
import { Handler, Site } from "../../server.ts";
import { assert, assertEquals, assertRejects, testWhere } from "../harness.ts";
import { checkoutPath, Child, firstThere } from "../harness/child.ts";
import { within } from "../harness/deadline.ts";
import { freePort } from "../harness/free_port.ts";
import { rawConnect } from "../harness/raw_client.ts";
import { certificate } from "../runtime/recorder.ts";
import { pause } from "../site/served.ts";

const TEXT = "through ".repeat(100_000);

/** Where a proxy is, as the runner or Debian has it. */
function programPath(name: string): string | undefined {
  const cache = `node_modules/.cache/debian/${name}`;
  return firstThere([
    process.env[`SOCKEYE_${name.toUpperCase()}`],
    ...["usr/bin", "usr/sbin"].flatMap((folder) => [
      checkoutPath(`${cache}/${folder}/${name}`),
      `/${folder}/${name}`,
    ]),
  ]);
}

const tinyproxy = programPath("tinyproxy");
const danted = programPath("danted");

/** A proxy that runs. Dispose of it. */
class Running implements AsyncDisposable {
  readonly port: number;
  readonly #child: Child;
  readonly #folder: string;

  private constructor(port: number, child: Child, folder: string) {
    this.port = port;
    this.#child = child;
    this.#folder = folder;
  }

  /** Starts a program with a configuration made of its port. */
  static async start(
    path: string,
    flags: readonly string[],
    toConfiguration: (port: number) => string,
  ): Promise<Running> {
    const folder = mkdtempSync(`${tmpdir()}/sockeye-tunnel-`);
    const port = await freePort();
    const file = `${folder}/proxy.conf`;
    writeFileSync(file, toConfiguration(port));
    const root = path.replace(/\/usr\/s?bin\/\w+$/, "");
    const libraries = ["x86_64", "aarch64"]
      .map((cpu) => `${root}/usr/lib/${cpu}-linux-gnu`)
      .filter((library) => root !== "" && existsSync(library));
    const child = new Child(path, [...flags, file], {
      ...(libraries.length > 0 && { LD_LIBRARY_PATH: libraries.join(":") }),
    });
    const running = new Running(port, child, folder);
    for (let tries = 0; tries < 300; tries++) {
      try {
        await (await rawConnect(port))[Symbol.asyncDispose]();
        return running;
      } catch {
        await pause(20);
      }
    }
    const said = child.stderr;
    await running[Symbol.asyncDispose]();
    throw new Error(`${path} does not start: ${said}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Dante has children of its own, which only it can end.
    this.#child.signal("SIGTERM");
    await within(this.#child.exited, "the end of the proxy");
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

class Echo extends Handler {
  override message(data: string | Uint8Array): void {
    this.connection.send(data);
  }
}

/** Echoes through a proxy, with and without TLS. */
async function assertEchoes(options: DialOptions): Promise<void> {
  for (const secure of [false, true]) {
    const site = new Site();
    site.addHandler("/echo", Echo);
    await using server = await site.listen({
      port: 0,
      hostname: "127.0.0.1",
      ...(secure && {
        tls: { cert: certificate("leaf.crt"), key: certificate("leaf.key") },
      }),
    });
    assert(server.addr.transport === "tcp");
    const url = `${secure ? "wss" : "ws"}://127.0.0.1:${server.addr.port}/echo`;
    const connection = await dial(url, {
      ...options,
      tls: { ca: certificate("ca.crt") },
    });
    connection.send(TEXT);
    assertEquals(await connection.receive(), TEXT);
    assertEquals((await connection.close()).wasClean, true);
  }
}

testWhere(
  tinyproxy ? undefined : "tinyproxy",
  "WS24: through tinyproxy, with Basic authentication",
  async () => {
    await using running = await Running.start(
      tinyproxy!,
      ["-d", "-c"],
      (port) =>
        `Port ${port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\n` +
        "Allow 127.0.0.1\nBasicAuth me secret\n",
    );
    const { port } = running;
    await assertEchoes({ proxy: `http://me:secret@127.0.0.1:${port}` });
    const error = await assertRejects(
      () => dial("ws://127.0.0.1:1/", { proxy: `http://127.0.0.1:${port}` }),
      HandshakeError,
    );
    assertEquals([error.reason, error.status], ["proxy-failed", 407]);
    // Nobody listens where it is sent to.
    const nobody = await assertRejects(
      () =>
        dial("ws://127.0.0.1:1/", {
          proxy: `http://me:secret@127.0.0.1:${port}`,
        }),
      HandshakeError,
    );
    assertEquals(nobody.reason, "proxy-failed");
    assert((nobody.status ?? 0) >= 500, `${nobody.status}`);
  },
);

testWhere(
  danted ? undefined : "danted",
  "WS24: through Dante, which speaks SOCKS 5",
  async () => {
    await using running = await Running.start(
      danted!,
      ["-f"],
      (port) =>
        `logoutput: stderr\ninternal: 127.0.0.1 port = ${port}\n` +
        "external: lo\nclientmethod: none\nsocksmethod: none\n" +
        "client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }\n" +
        "socks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }\n",
    );
    const proxy = `socks5://127.0.0.1:${running.port}`;
    await assertEchoes({ proxy });
    const error = await assertRejects(
      () => dial("ws://127.0.0.1:1/", { proxy }),
      HandshakeError,
    );
    assertEquals(error.reason, "proxy-failed");
    assert(error.message.includes("refused"), error.message);
  },
);
