/**
 * Compression with a real browser: headless Chromium, against a site on each of the
 * three runtimes. The browser is the same whatever runs this test: it runs on Node.
 */
import type { ConnectionStats } from "../../connection.ts";
import { assert, assertEquals, testWhere } from "../harness.ts";
import {
  Child,
  currentRuntime,
  type RuntimeName,
  runtimePath,
  RUNTIMES,
  scriptArguments,
} from "../harness/child.ts";
import { missingBrowser, withPage } from "./browser.ts";

/** What both ends say afterwards. */
interface Told {
  readonly extensions: string;
  readonly echoes: boolean;
  readonly sentBytes: number;
  readonly server: string;
}

/** Runs in the page: sends texts and bytes, which must come back. */
async function talk(): Promise<Told> {
  const socket = new WebSocket(`ws://${location.host}/echo`);
  socket.binaryType = "arraybuffer";
  const next = (type: string) =>
    new Promise<Event>((resolve) =>
      socket.addEventListener(type, resolve, { once: true })
    );
  const ask = async (data: string | Uint8Array<ArrayBuffer>) => {
    const answer = next("message") as Promise<MessageEvent>;
    socket.send(data);
    return (await answer).data as string | ArrayBuffer;
  };
  await next("open");
  let echoes = true;
  let sentBytes = 0;
  for (let index = 0; index < 60; index++) {
    const text = `{"index":${index},"of":"many"}`.repeat(1 + index ** 2);
    sentBytes += 2 * text.length;
    echoes &&= await ask(text) === text;
    const bytes = new TextEncoder().encode(text);
    const answer = await ask(bytes);
    echoes &&= answer instanceof ArrayBuffer &&
      new TextDecoder().decode(answer) === text;
  }
  const server = String(await ask("stats"));
  return { extensions: socket.extensions, echoes, sentBytes, server };
}

async function visit(runtime: RuntimeName): Promise<void> {
  const script = scriptArguments(runtime, "tests/browser/compressed_site.ts");
  await using child = new Child(runtimePath(runtime) ?? "", script);
  const port = await child.line();
  await withPage(async (page) => {
    await page.goto(`http://127.0.0.1:${port}/`);
    const told = await page.evaluate(talk);
    assert(told.echoes, "an echo differs");
    assertEquals(
      told.extensions,
      "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12",
    );
    const { extensions, stats } = JSON.parse(told.server) as {
      extensions: { name: string }[];
      stats: ConnectionStats;
    };
    assertEquals(extensions.map(({ name }) => name), ["permessage-deflate"]);
    const { payloadBytesReceived, payloadBytesSent } = stats;
    for (const bytes of [payloadBytesReceived, payloadBytesSent]) {
      assert(bytes < told.sentBytes / 10, `${bytes} of ${told.sentBytes}`);
    }
  });
}

if (currentRuntime === "node") {
  for (const runtime of RUNTIMES) {
    testWhere(
      runtimePath(runtime) === undefined ? runtime : missingBrowser,
      `PM-10: Chromium compresses with a site on ${runtime}`,
      () => visit(runtime),
    );
  }
}
