/** What a person does at the prompt, on a real terminal. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection, Site } from "../../server.ts";
import { assert, assertEquals, testWhere } from "../harness.ts";
import { serve, until } from "../site/served.ts";
import { commandLine } from "./talking.ts";
import { missingTerminal, Terminal } from "./terminal.ts";

/** A connection as its server sees it, and what it was sent. */
class Peer {
  readonly received: (string | Uint8Array)[] = [];
  connection: Connection | undefined;

  readonly setup = (site: Site): void => {
    site.addHandler("/silent", {
      open: (connection) => {
        this.connection = connection;
      },
      message: (_connection, data) => void this.received.push(data),
    });
  };

  /** Waits until it was sent this, and nothing else. */
  async assertReceives(...messages: (string | Uint8Array)[]): Promise<void> {
    await until(
      () => this.received.length >= messages.length,
      "messages",
      20_000,
    );
    assertEquals(this.received, messages);
  }
}

/** Runs `body` with a terminal at the prompt, whose lines go to a peer. */
async function atPrompt(
  body: (terminal: Terminal, peer: Peer, url: string) => Promise<void>,
): Promise<void> {
  const peer = new Peer();
  await serve({ setup: peer.setup }, async ({ port }) => {
    const url = `ws://127.0.0.1:${port}/silent`;
    await using terminal = await Terminal.start(commandLine(url));
    await terminal.shows(`Connected to ${url}.`, ">");
    await body(terminal, peer, url);
  });
}

testWhere(
  missingTerminal,
  "WS29: keys that edit the line",
  () =>
    atPrompt(async (terminal, peer, url) => {
      const shows = (line: string) =>
        terminal.shows(`Connected to ${url}.`, `> ${line}`.trimEnd());
      await terminal.type("one two three");
      await terminal.press("C-w");
      await shows("one two");
      await terminal.press("C-a");
      await terminal.type("X");
      await shows("Xone two");
      await terminal.press("C-e");
      await terminal.type("Y");
      await shows("Xone two Y");
      await terminal.press("C-a", "Right", "C-k");
      await shows("X");
      await terminal.type("more");
      await terminal.press("C-u");
      await shows("");
      await terminal.type("kept");
      await terminal.press("Left", "BSpace", "Enter");
      await peer.assertReceives("ket");
    }),
);

testWhere(
  missingTerminal,
  "WS29: wide characters and emoji at the prompt, while messages come",
  () =>
    atPrompt(async (terminal, peer, url) => {
      const text = "日本語😀é";
      await terminal.type(text);
      await terminal.shows(`Connected to ${url}.`, `> ${text}`);
      peer.connection!.send("一二三 👍");
      await terminal.shows(
        `Connected to ${url}.`,
        "< 一二三 👍",
        `> ${text}`,
      );
      await terminal.press("Left", "BSpace");
      await terminal.shows(
        `Connected to ${url}.`,
        "< 一二三 👍",
        "> 日本語é",
      );
      await terminal.press("Enter");
      await peer.assertReceives("日本語é");
      // 2 + 24 * 2 columns are a row: the next one begins another.
      await terminal.type("字".repeat(30));
      await terminal.until((screen) =>
        screen.endsWith(`> ${"字".repeat(24)}\n${"字".repeat(6)}`)
      );
      peer.connection!.send("more");
      await terminal.until((screen) =>
        screen.endsWith(
          `> 日本語é\n< more\n> ${"字".repeat(24)}\n${"字".repeat(6)}`,
        )
      );
      await terminal.press("Enter");
      await peer.assertReceives("日本語é", "字".repeat(30));
    }),
);

testWhere(
  missingTerminal,
  "WS29: a window that changes its size tears nothing",
  () =>
    atPrompt(async (terminal, peer, url) => {
      const text = "0123456789".repeat(6);
      await terminal.type(text);
      const rows = (columns: number) => {
        const line = `> ${text}`;
        return [
          ...(line.match(new RegExp(`.{1,${columns}}`, "g")) as string[]),
        ].join("\n");
      };
      await terminal.until((screen) => screen.endsWith(rows(50)));
      for (const [index, columns] of [40, 70, 50].entries()) {
        await terminal.resize(columns, 16);
        await terminal.until((screen) => screen.endsWith(rows(columns)));
        // Once this is there, the program has heard of its size.
        await terminal.type("?");
        await terminal.until((screen) => screen.endsWith("?"));
        await terminal.press("BSpace");
        await terminal.until((screen) => screen.endsWith(rows(columns)));
        peer.connection!.send(`message ${index}`);
        const screen = await terminal.until((screen) =>
          screen.endsWith(`< message ${index}\n${rows(columns)}`)
        );
        // It stands there once.
        assertEquals(screen.match(/> 0123/g)?.length, 1, screen);
      }
      assert(url.length < 40);
      await terminal.press("Enter");
      await peer.assertReceives(text);
    }),
);

testWhere(
  missingTerminal,
  "WS29: a flood of messages leaves what is being typed alone",
  () =>
    atPrompt(async (terminal, peer) => {
      const { connection } = peer;
      let sent = 0;
      let isOver = false;
      const flood = (async () => {
        while (!isOver) {
          if (!connection!.send(`${sent++} ${"y".repeat(70)}`)) {
            await connection!.drained;
          }
          if (sent % 20 === 0) await new Promise((r) => setTimeout(r, 10));
        }
      })();
      const text = "typed in the middle of it all";
      for (const character of text) await terminal.type(character);
      await terminal.press("C-a");
      await terminal.type("is ");
      isOver = true;
      await flood;
      assert(sent > 100, `${sent}`);
      const last = `< ${sent - 1} ${"y".repeat(70)}`;
      await terminal.until((screen) =>
        screen.endsWith(
          `${last.slice(0, 50)}\n${last.slice(50)}\n> is ${text}`,
        )
      );
      await terminal.press("Enter");
      await peer.assertReceives(`is ${text}`);
    }),
);

testWhere(
  missingTerminal,
  "WS29: what is pasted is sent line by line, and the rest can be edited",
  () =>
    atPrompt(async (terminal, peer) => {
      await terminal.paste("one\n  two\n\nfour");
      await terminal.until((screen) => screen.endsWith("\n> four"));
      await terminal.type("!");
      await terminal.press("Enter");
      await peer.assertReceives("one", "  two", "", "four!");
      peer.received.length = 0;
      const lines = Array.from({ length: 500 }, (_, i) => `line ${i}`);
      await terminal.paste(`${lines.join("\n")}\n`);
      await peer.assertReceives(...lines);
    }),
);

testWhere(
  missingTerminal,
  "WS29: commands at the prompt",
  () =>
    atPrompt(async (terminal, peer) => {
      for (const line of ["/binary 00ff", "//binary", "/nonsense", "/ping"]) {
        await terminal.type(line);
        await terminal.press("Enter");
      }
      await terminal.until((screen) =>
        /Pong after [\d.]+ ms\.\n>$/.test(screen)
      );
      await peer.assertReceives(Uint8Array.of(0, 255), "/binary");
      await terminal.type("/close 1000 done");
      await terminal.press("Enter");
      const screen = await terminal.until((screen) => /ended/.test(screen));
      assert(screen.includes("No such command: /nonsense."), screen);
      assert(
        screen.endsWith("Connection closed: 1000 (OK) done.\nended with 0"),
        screen,
      );
    }),
);

testWhere(
  missingTerminal,
  "WS29: a terminal that cannot move its cursor has no prompt",
  async () => {
    await serve({}, async ({ port }) => {
      const url = `ws://127.0.0.1:${port}/echo`;
      await using terminal = await Terminal.start(commandLine(url), {
        TERM: "dumb",
      });
      await terminal.shows(`Connected to ${url}.`);
      await terminal.type("hello");
      await terminal.press("Enter");
      await terminal.shows(`Connected to ${url}.`, "hello", "< hello");
      await terminal.press("C-d");
      const screen = await terminal.until(
        (screen) => /ended/.test(screen),
        "-e",
      );
      assert(!screen.includes("\x1b"), screen);
      assert(screen.endsWith("1000 (OK).\nended with 0"), screen);
    });
  },
);

testWhere(
  missingTerminal,
  "WS29: history: lines come back the next time, unless they are not to",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "sockeye-cli-"));
    try {
      const env = { XDG_STATE_HOME: folder };
      const peer = new Peer();
      await serve({ setup: peer.setup }, async ({ port }) => {
        const url = `ws://127.0.0.1:${port}/silent`;
        const say = async (lines: readonly string[], ...args: string[]) => {
          await using terminal = await Terminal.start(
            commandLine(...args, url),
            env,
          );
          await terminal.until((screen) => screen.endsWith(">"));
          for (const line of lines) {
            await terminal.type(line);
            await terminal.press("Enter");
          }
          await terminal.press("C-d");
          await terminal.until((screen) => screen.endsWith("ended with 0"));
        };
        await say(["first", "second", " secret"]);
        await say(["third"], "--no-history");
        assertEquals(
          readFileSync(join(folder, "sockeye", "history"), "utf8"),
          "first\nsecond\n",
        );
        await using terminal = await Terminal.start(commandLine(url), env);
        await terminal.until((screen) => screen.endsWith(">"));
        await terminal.press("Up", "Up");
        await terminal.until((screen) => screen.endsWith("> first"));
        await terminal.press("Down");
        await terminal.until((screen) => screen.endsWith("> second"));
        peer.received.length = 0;
        await terminal.press("Enter");
        await peer.assertReceives("second");
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
