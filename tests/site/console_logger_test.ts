/** The logger that is ready-made (WS16). */
import {
  type Address,
  consoleLogger,
  type LogLevel,
  type Site,
  type SiteEvent,
} from "../../server.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertThrows,
  test,
} from "../harness.ts";
import { closePayload } from "../harness/frame.ts";
import {
  rawConnect,
  rawUpgrade,
  upgradeRequest,
} from "../harness/raw_client.ts";
import { serve, until } from "./served.ts";

/** What a logger writes of events, without the time. */
function written(
  level: LogLevel | undefined,
  ...events: SiteEvent[]
): string[] {
  const lines: string[] = [];
  const logger = consoleLogger({
    ...(level && { level }),
    write: (line) => void lines.push(line),
  });
  for (const event of events) logger(event);
  return lines.map((line) => {
    assertMatch(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [a-z]+ +\S/);
    return line.slice(25);
  });
}

const ADDRESS: Address = {
  transport: "tcp",
  hostname: "192.0.2.1",
  port: 5000,
};
const SIX: Address = { transport: "tcp", hostname: "2001:db8::1", port: 80 };

test("WS16: one line for each event of a real site, from opened to shut down", async () => {
  const lines: [string, LogLevel][] = [];
  const onEvent = consoleLogger({
    level: "debug",
    write: (line, level) => void lines.push([line.slice(25), level]),
  });
  const find = (pattern: RegExp) => lines.find(([line]) => pattern.test(line));
  const setup = (site: Site): void => {
    site.addHandler("/failing", {
      message: () => {
        throw new Error("planted");
      },
    });
  };
  await serve({ setup, onEvent }, async (served) => {
    const { port } = served;
    await using client = await rawUpgrade(port, "/failing?token=secret");
    const from = `127.0.0.1:${client.localPort}`;
    client.sendFrame({ payload: "x" });
    await client.readFrame();
    client.sendFrame({ opcode: "close", payload: closePayload(1011) });
    client.end();
    await using other = await rawConnect(port);
    other.write(upgradeRequest("/nowhere?token=secret"));
    await other.readToEnd();
    other.end();
    await until(() => find(/ closed .*\/failing/) !== undefined, "the end");
    const [, id = ""] = /opened (\S+) \/failing/.exec(
      lines.map(([line]) => line).join("\n"),
    ) ?? [];
    const expected: [RegExp, LogLevel][] = [
      [RegExp(`^info  listening on 127.0.0.1:${port}$`), "info"],
      [RegExp(`^debug accepted /failing from ${from}$`), "debug"],
      [RegExp(`^info  opened ${id} /failing from ${from}$`), "info"],
      [RegExp(`^error error on ${id}: Error: planted\n    at `), "error"],
      [
        RegExp(
          `^warn  closed ${id} /failing from ${from} after \\d+ ms: local, ` +
            'received 1011, sent 1011 "internal error", Error: planted; ' +
            "in 1 messages, \\d+ bytes; out 0 messages, \\d+ bytes$",
        ),
        "warn",
      ],
      [/^info {2}refused \/nowhere from [\d.:]+: 404 not-found$/, "info"],
    ];
    for (const [pattern, level] of expected) {
      assertEquals(find(pattern)?.[1], level, `${pattern} in ${lines}`);
    }
    assert(lines.every(([line]) => !line.includes("secret")));
    assertEquals(served.takeErrors(), ["planted"]);
  });
  assert(find(/^info {2}shutting down .* with 1001, within 1000 ms$/));
  assertEquals(
    lines.at(-1)![0].replace(/\d+$/, ""),
    "info  shut down 127.0.0.1:",
  );
});

test("WS16: a peer can forge no line and drive no terminal", () => {
  const evil = "/a\r\n2026-01-01T00:00:00.000Z info  all is well\x1b[2J";
  const lines = written(
    "debug",
    {
      type: "refused",
      reason: "not-found",
      status: 404,
      path: evil,
      remoteAddress: SIX,
    },
    { type: "error", error: new Error(`bad\nvalue: ${evil}`) },
  );
  assertEquals(
    lines[0],
    "info  refused /a\\u{d}\\u{a}2026-01-01T00:00:00.000Z info  all is " +
      "well\\u{1b}[2J from [2001:db8::1]:80: 404 not-found",
  );
  assert(!lines[1]!.includes("\x1b") && !lines[1]!.includes("\r"));
  const [message, ...stack] = lines[1]!.split("\n");
  assert(message!.startsWith("error error: Error: bad\\u{a}value: /a"));
  for (const line of stack) assert(line.startsWith("    at "), line);
});

test("WS16: levels leave out what is less", () => {
  const accepted = {
    type: "accepted",
    request: { method: "GET", url: "ws://x/", headers: new Headers() },
    path: "/",
    route: "/",
    remoteAddress: ADDRESS,
    subprotocol: "chat",
  } as const;
  const refused = {
    type: "refused",
    reason: "shutting-down",
    status: 503,
    remoteAddress: ADDRESS,
  } as const;
  const listening = {
    type: "listening",
    address: { transport: "unix", path: "/run/x\n" },
  } as const;
  const error = { type: "error", error: new RangeError("x") } as const;
  error.error.stack = "RangeError: x";
  const all = [accepted, refused, listening, error] as const;
  const lines = [
    "debug accepted / from 192.0.2.1:5000, subprotocol chat",
    "info  listening on unix:/run/x\\u{a}",
    "warn  refused from 192.0.2.1:5000: 503 shutting-down",
    "error error: RangeError: x",
  ];
  const sorted = (level?: LogLevel) => written(level, ...all).sort();
  assertEquals(sorted("debug"), [...lines].sort());
  assertEquals(sorted("info"), lines.slice(1).sort());
  assertEquals(sorted(), lines.slice(1).sort());
  assertEquals(sorted("warn"), lines.slice(2).sort());
  assertEquals(sorted("error"), lines.slice(3));
});

test("WS16: without a write lines go to the console, by their level", () => {
  const { log, warn, error } = console;
  const calls: string[] = [];
  console.log = () => void calls.push("log");
  console.warn = () => void calls.push("warn");
  console.error = () => void calls.push("error");
  try {
    const logger = consoleLogger();
    logger({ type: "finished", address: ADDRESS });
    logger({
      type: "refused",
      reason: "handler-failed",
      status: 500,
      remoteAddress: ADDRESS,
    });
    logger({ type: "error", error: new Error("x"), id: "a-1" });
  } finally {
    Object.assign(console, { log, warn, error });
  }
  assertEquals(calls, ["log", "warn", "error"]);
});

test("AP-1: consoleLogger refuses options that are unknown or wrong", () => {
  for (
    const options of [null, 5, { levl: "info" }, { level: "trace" }, {
      write: 1,
    }]
  ) {
    assertThrows(
      () => consoleLogger(options as unknown as { level: LogLevel }),
      TypeError,
    );
  }
});
