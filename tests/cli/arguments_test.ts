/** What the arguments mean, and that mistakes in them are refused. */
import { readFileSync } from "node:fs";
import { parseCommand, type TalkCommand } from "../../cli/arguments.ts";
import { HELP, VERSION } from "../../cli/help.ts";
import { UsageError } from "../../cli/usage.ts";
import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import { checkoutPath } from "../harness/child.ts";
import { assertExits, startCli } from "./talking.ts";

test("the version is that of the package", () => {
  const text = readFileSync(checkoutPath("deno.json"), "utf8");
  assertEquals(VERSION, JSON.parse(text).version);
});

test("the help names every option, and no other", () => {
  const source = ["arguments", "dial_arguments"]
    .map((name) => readFileSync(checkoutPath(`cli/${name}.ts`), "utf8"))
    .join("");
  const options = source.matchAll(/^ {2,4}"?([a-z-]+)"?: \{ type: "/gm);
  const wanted = new Set(Array.from(options, ([, name]) => `--${name}`));
  const named = new Set(HELP.match(/--[a-z][a-z-]*/g));
  assertEquals([...named].sort(), [...wanted].sort());
  assert(wanted.size > 20);
});

test("the help fits a terminal of 80 columns", () => {
  assertEquals(HELP.split("\n").filter((line) => line.length > 80), []);
});

test("defaults", () => {
  const talk = parseCommand(["wss://a.test/b"]) as TalkCommand;
  assertEquals(
    [talk.name, talk.url, talk.timeoutMs, talk.isOnce, talk.takesInput],
    ["talk", "wss://a.test/b", 10_000, false, true],
  );
  assertEquals(talk.dial.tls, undefined);
  assertEquals(talk.dial.compression, false);
  assertEquals(parseCommand(["serve"]), {
    name: "serve",
    port: 8080,
    hostname: "127.0.0.1",
    isBroadcast: false,
    origins: [],
    tls: undefined,
    dir: undefined,
  });
  const bench = parseCommand(["bench", "a.test"]);
  assert(bench.name === "bench");
  const { url, connections, inFlight, messageBytes, durationMs } = bench;
  assertEquals(
    [url, connections, inFlight, messageBytes, durationMs],
    ["ws://a.test", 10, 1, 64, 5_000],
  );
});

test("--help and --version go before what is missing", () => {
  for (const command of [[], ["serve"], ["bench"]]) {
    assertEquals(parseCommand([...command, "-h"]), { name: "help" });
    assertEquals(parseCommand([...command, "--version"]), { name: "version" });
  }
});

test("mistakes are refused", () => {
  for (
    const args of [
      [],
      ["a.test", "b.test"],
      ["a.test", "--nonsense"],
      ["a.test", "--header"],
      ["a.test", "--header", "no colon"],
      ["a.test", "--header", ": no name"],
      ["a.test", "--header", "a b: c"],
      ["a.test", "--header", "a: b\r\nc: d"],
      ["a.test", "--auth", "nobody"],
      ["a.test", "--ca", "/nothing/here"],
      ["a.test", "--ca", "deno.json", "--insecure"],
      ["a.test", "--timeout", "soon"],
      ["a.test", "--timeout", "-1"],
      ["a.test", "--once=yes"],
      ["serve", "a", "b"],
      ["serve", "--port", "65536"],
      ["serve", "--port", "http"],
      ["serve", "--echo", "--broadcast"],
      ["serve", "--json"],
      ["bench"],
      ["bench", "a.test", "--connections", "0"],
      ["bench", "a.test", "--size", "1.5"],
      ["bench", "a.test", "--once"],
    ]
  ) {
    assertThrows(() => parseCommand(args), UsageError);
  }
  assertThrows(
    () => parseCommand(["bench", "a.test", "--connections", "0"]),
    UsageError,
    "--connections is no whole number from 1 on: 0",
  );
});

test("WS29: --help and --version end with 0, mistakes with 2", async () => {
  await using version = startCli("--version");
  assertEquals(await version.line(), `sockeye ${VERSION}`);
  await assertExits(version, 0);
  await using help = startCli("--help");
  assertEquals(await help.line(), HELP.split("\n")[0]);
  await assertExits(help, 0);
  for (
    const args of [
      [],
      ["--nonsense\x1b[2J"],
      ["ftp://a.test"],
      ["ws://a.test/#b"],
      ["-H", "Upgrade: x", "ws://a.test"],
      ["-s", "not a token", "ws://a.test"],
      ["bench", "ftp://a.test"],
    ]
  ) {
    await using child = startCli(...args);
    await assertExits(child, 2);
    assert(/^[^\p{Cc}]+\nTry --help\.\n$/u.test(child.stderr), child.stderr);
  }
});

test("WS29: what is wrong with the arguments is said in one line, without secrets", () => {
  const wrong = [
    ["a.test", "--timeout", "-1"],
    ["a.test", "--header", "Authorization secret"],
    ["a.test", "--header", "Authorization: sec\0secret"],
    ["a.test", "--header", "A\nB: secret"],
    ["a.test", "--auth", "secret"],
  ];
  for (const args of wrong) {
    const { message } = assertThrows(() => parseCommand(args), UsageError);
    assert(message.length > 0 && message.length < 80, message);
    assert(!/secret|[\r\n]|Did you/.test(message), message);
  }
});
