/** The examples, as a user runs them, each on the runtime that this test runs on. */
import { assert, assertEquals, test } from "../harness.ts";
import {
  Child,
  currentRuntime,
  runtimePath,
  scriptArguments,
} from "../harness/child.ts";
import { closeCode } from "../harness/frame.ts";
import { rawConnect, rawUpgrade } from "../harness/raw_client.ts";
import { EchoSite } from "./echo_site.ts";

function runExample(name: string, ...args: readonly string[]): Child {
  const runtime = runtimePath(currentRuntime) ?? "";
  const script = scriptArguments(currentRuntime, `examples/${name}.ts`);
  return new Child(runtime, [...script, ...args]);
}

/** Waits for the line that says where the example listens. */
async function portOf(child: Child): Promise<number> {
  while (true) {
    const port = /:(\d+)/.exec(await child.line())?.[1];
    if (port !== undefined) return Number(port);
  }
}

test("examples/echo.ts echoes, and tells its clients 1001 on Ctrl-C", async () => {
  await using child = runExample("echo", "--port", "0");
  const port = await portOf(child);
  await using client = await rawUpgrade(port, "/echo");
  client.sendFrame({ payload: "hello" });
  const echo = await client.readFrame();
  assertEquals(new TextDecoder().decode(echo.payload), "hello");
  client.sendFrame({ opcode: "binary", payload: Uint8Array.of(1, 2, 3) });
  const { opcode, payload } = await client.readFrame();
  assertEquals([opcode, [...payload]], [2, [1, 2, 3]]);
  child.signal("SIGINT");
  const close = await client.readFrame();
  assertEquals([close.opcode, closeCode(close.payload)], [8, 1001]);
  client.sendFrame({ opcode: "close", payload: close.payload });
  client.end();
  await child.assertEnds();
});

test("examples/echo.ts serves its page, and 404 elsewhere", async () => {
  await using child = runExample("echo", "--port", "0");
  const port = await portOf(child);
  const get = async (path: string): Promise<string> => {
    await using client = await rawConnect(port);
    client.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`,
    );
    return new TextDecoder().decode(await client.readToEnd());
  };
  const page = await get("/");
  assert(page.startsWith("HTTP/1.1 200 "), page);
  assert(/content-type: text\/html/i.test(page), page);
  assert(page.includes("<script"), page);
  assert((await get("/nowhere")).startsWith("HTTP/1.1 404 "));
});

test("examples/client.ts sends its input and prints what comes", async () => {
  await using site = await EchoSite.open();
  await using child = runExample("client", site.url);
  child.say("first line");
  const lines: string[] = [];
  while (!lines.some((line) => line.includes("first line"))) {
    lines.push(await child.line());
  }
  child.endInput();
  await child.assertEnds();
  const info = await site.nextClose();
  assertEquals([info.code, info.wasClean], [1000, true]);
});
