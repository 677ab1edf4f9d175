/** The examples, as a user runs them, each on the runtime that this test runs on. */
import { assert, assertEquals, test, testWhere } from "../harness.ts";
import { Child } from "../harness/child.ts";
import { closeCode } from "../harness/frame.ts";
import { rawConnect, rawUpgrade } from "../harness/raw_client.ts";
import { Example } from "../examples/example.ts";
import { EchoSite } from "./echo_site.ts";
import { PEERS } from "./peers.ts";

function runExample(name: string, ...args: readonly string[]): Child {
  return Child.running(`examples/${name}.ts`, args);
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

/** Examples that have the last word, with what `ws` tells them and hears. */
const TALKS: Readonly<
  Record<string, { path: string; says: string[]; hears: unknown[] }>
> = {
  counter_handler: {
    path: "/counter",
    says: Array.from({ length: 10 }, () => "play"),
    hears: [
      "hello world",
      ...Array.from(
        { length: 9 },
        (_, index) => index % 2 === 0 ? "Now we're even" : "That was odd",
      ),
      "Enough play",
      { closed: [1000, ""] },
    ],
  },
  hello: {
    path: "/hello",
    says: ["κόσμε"],
    hears: ["Hello κόσμε!", { closed: [1000, ""] }],
  },
  counter: {
    path: "/counter",
    says: ["plus", "plus", "minus", "times"],
    hears: [
      '{"type":"value","value":0}',
      '{"type":"users","count":1}',
      '{"type":"value","value":1}',
      '{"type":"value","value":2}',
      '{"type":"value","value":1}',
      { closed: [1008, "plus or minus"] },
    ],
  },
  rate_limit: {
    path: "/strict",
    says: Array.from({ length: 100 }, () => "x"),
    hears: Array.from({ length: 10 }, () => "x"),
  },
};

const ws = PEERS.find(({ name }) => name === "ws on Node");

for (const [name, { path, says, hears }] of Object.entries(TALKS)) {
  testWhere(
    ws?.missing,
    `A6: ws on Node talks to examples/${name}.ts`,
    async () => {
      await using example = await Example.run(name);
      const url = `ws://127.0.0.1:${example.port}${path}`;
      await using peer = ws!.start(["talk", url, ...says]);
      for (const wanted of hears) assertEquals(await peer.json(), wanted);
      await peer.exited;
    },
  );
}
