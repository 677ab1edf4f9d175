/** Commands, and that every text can still be sent. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COMMANDS_HELP, parsePromptLine } from "../../cli/prompt_line.ts";
import { assert, assertEquals, assertMatch, test } from "../harness.ts";
import { serve } from "../site/served.ts";
import { assertExits, startCli } from "./talking.ts";

test("WS29: every text can be sent from the prompt", () => {
  for (const text of ["", "a", " /a", "\\/a", "@a", "/", "/a", "//", "/help"]) {
    const line = text.startsWith("/") ? `/${text}` : text;
    assertEquals(parsePromptLine(line), { kind: "text", text });
  }
});

test("WS29: what commands say", () => {
  const bytes = (...values: number[]) => ({
    kind: "binary",
    bytes: Uint8Array.from(values),
  });
  const close = (code?: number, reason?: string) => ({
    kind: "close",
    code,
    reason,
  });
  for (
    const [line, wanted] of [
      ["/binary 00fF", bytes(0, 255)],
      ["/binary  00 ff ", bytes(0, 255)],
      ["/binary", bytes()],
      ["/binary @a b", { kind: "file", path: "a b", isText: false }],
      ["/text @a", { kind: "file", path: "a", isText: true }],
      ["/ping", { kind: "ping", payload: undefined }],
      ["/ping a b", { kind: "ping", payload: "a b" }],
      ["/close", close()],
      ["/close 3000", close(3000)],
      ["/close 3000 not you", close(3000, "not you")],
      ["/help", { kind: "help" }],
    ] as const
  ) {
    assertEquals<unknown>(parsePromptLine(line), wanted, line);
  }
  for (
    const line of [
      ...["/", "/ a", "/nonsense", "/binary 0", "/binary 0 0 0", "/binary xx"],
      ...["/binary @", "/text", "/text a", "/text @", "/close you", "/Ping"],
    ]
  ) {
    assertEquals(parsePromptLine(line).kind, "mistake", line);
  }
});

test("WS29: --commands: bytes, files, pings and closes from a pipe", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sockeye-cli-"));
  try {
    const path = join(folder, "a file");
    writeFileSync(path, "one\ntwo\n");
    await serve({}, async ({ port }) => {
      const url = `ws://127.0.0.1:${port}/echo`;
      await using child = startCli("--commands", url);
      const lines = [
        ["/binary 00 ff", "< (binary) 00ff"],
        ["//slash", "< /slash"],
        [`/text @${path}`, "< one\\u{a}two\\u{a}"],
        [`/binary @${path}`, "< (binary) 6f6e650a74776f0a"],
      ] as const;
      for (const [said] of lines) child.say(said);
      for (const [, heard] of lines) assertEquals(await child.line(), heard);
      child.say("/help");
      child.say("/ping");
      child.say("/close 1000 that is all");
      await assertExits(child, 0);
      assert(child.stderr.includes(COMMANDS_HELP.join("\n")), child.stderr);
      assertMatch(child.stderr, /^Pong after \d+\.\d ms\.$/m);
      assertMatch(
        child.stderr,
        /^Connection closed: 1000 \(OK\) that is all\.$/m,
      );
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("WS29: a command that cannot be done is told, and makes the exit code 1", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sockeye-cli-"));
  try {
    const path = join(folder, "latin1");
    writeFileSync(path, Uint8Array.of(0xff));
    await serve({}, async ({ port }) => {
      const url = `ws://127.0.0.1:${port}/echo`;
      for (
        const line of [
          "/non\x1bsense",
          "/text @/nothing/here",
          `/text @${path}`,
          "/close 1006",
          `/ping ${"x".repeat(126)}`,
        ]
      ) {
        await using child = startCli("--commands", "--json", url);
        await child.line();
        child.say(line);
        const { type, reason } = await child.json<Record<string, unknown>>();
        assertEquals([type, reason], ["error", "bad-command"], line);
        child.say("still there");
        const message = await child.json<Record<string, unknown>>();
        assertEquals(message["text"], "still there");
        child.endInput();
        await assertExits(child, 1);
      }
      // Without it, a pipe has text alone.
      await using plain = startCli("--once", url);
      plain.say("/nonsense");
      assertEquals(await plain.line(), "< /nonsense");
      await assertExits(plain, 0);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
