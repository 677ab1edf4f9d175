/** The command line on a terminal. */
import type { Site } from "../../server.ts";
import { assert, assertEquals, testWhere } from "../harness.ts";
import { serve, until } from "../site/served.ts";
import { commandLine } from "./talking.ts";
import { missingTerminal, Terminal } from "./terminal.ts";

function addSilent(site: Site): void {
  site.addHandler("/silent", { message: () => {} });
}

testWhere(
  missingTerminal,
  "WS29: messages that come do not tear what is being typed",
  async () => {
    await serve({ setup: addSilent }, async ({ port, site }) => {
      const url = `ws://127.0.0.1:${port}/silent`;
      await using terminal = await Terminal.start(commandLine(url));
      await terminal.shows(`Connected to ${url}.`, ">");
      await terminal.type("half typed");
      await terminal.shows(`Connected to ${url}.`, "> half typed");
      const connection = [...site.connections].find(({ request }) =>
        request.url.endsWith("/silent")
      );
      assert(connection !== undefined);
      connection.send("one");
      connection.send("two\x1b[2J");
      await terminal.shows(
        `Connected to ${url}.`,
        "< one",
        "< two\\u{1b}[2J",
        "> half typed",
      );
      // Over two rows, with the cursor in the first.
      await terminal.type(", and long enough for a second row");
      await terminal.press("Home");
      await terminal.type("X");
      await terminal.type("Y".repeat(20));
      const text = `> X${
        "Y".repeat(20)
      }half typed, and long enough for a second row`;
      await terminal.shows(
        `Connected to ${url}.`,
        "< one",
        "< two\\u{1b}[2J",
        text.slice(0, 50),
        text.slice(50),
      );
      connection.send("three");
      connection.send("four");
      await terminal.shows(
        `Connected to ${url}.`,
        "< one",
        "< two\\u{1b}[2J",
        "< three",
        "< four",
        text.slice(0, 50),
        text.slice(50),
      );
      await terminal.type("Z");
      await terminal.press("Enter");
      await until(
        () => connection.stats.messagesReceived === 1,
        "the line",
      );
      assertEquals(
        connection.stats.payloadBytesReceived,
        text.length - 2 + 1,
      );
    });
  },
);

testWhere(
  missingTerminal,
  "WS29: earlier lines come back, and Ctrl-D closes",
  async () => {
    await serve({}, async ({ port }) => {
      const url = `ws://127.0.0.1:${port}/echo`;
      await using terminal = await Terminal.start(commandLine(url));
      await terminal.shows(`Connected to ${url}.`, ">");
      for (const text of ["first", "second ü"]) {
        await terminal.type(text);
        await terminal.press("Enter");
        await terminal.until((screen) => screen.includes(`< ${text}`));
      }
      await terminal.press("Up", "Up");
      await terminal.until((screen) => screen.endsWith("> first"));
      await terminal.press("Enter");
      await terminal.shows(
        `Connected to ${url}.`,
        "> first",
        "< first",
        "> second ü",
        "< second ü",
        "> first",
        "< first",
        ">",
      );
      await terminal.press("C-d");
      const screen = await terminal.until((screen) => /ended/.test(screen));
      assert(
        screen.endsWith("\nConnection closed: 1000 (OK).\nended with 0"),
        screen,
      );
    });
  },
);

testWhere(
  missingTerminal,
  "WS29: Ctrl-C closes, and what was being typed is not sent",
  async () => {
    await serve({}, async ({ port }) => {
      const url = `ws://127.0.0.1:${port}/echo`;
      await using terminal = await Terminal.start(commandLine(url));
      await terminal.shows(`Connected to ${url}.`, ">");
      await terminal.type("never sent");
      await terminal.press("C-c");
      const screen = await terminal.until((screen) => /ended/.test(screen));
      assert(
        screen.endsWith("Connection closed: 1000 (OK).\nended with 0"),
        screen,
      );
      assert(!screen.includes("< "), screen);
    });
  },
);

testWhere(
  missingTerminal,
  "WS29: colours on a terminal, unless NO_COLOR is set",
  async () => {
    await serve({}, async ({ port }) => {
      for (const isColoured of [true, false]) {
        await using terminal = await Terminal.start(
          commandLine(`ws://127.0.0.1:${port}/echo`),
          isColoured ? {} : { NO_COLOR: "1" },
        );
        await terminal.until((screen) => screen.endsWith(">"));
        await terminal.type("hello");
        await terminal.press("Enter");
        await terminal.until((screen) => screen.endsWith("< hello\n>"));
        const screen = await terminal.until(() => true, "-e");
        assertEquals(screen.includes("\x1b[36m< hello"), isColoured, screen);
        assertEquals(screen.includes("\x1b["), isColoured, screen);
      }
    });
  },
);

testWhere(
  missingTerminal,
  "WS29: the server closes, and the prompt goes",
  async () => {
    const setup = (site: Site) =>
      site.addHandler("/policy", {
        message: (connection) => void connection.close(1008, "enough"),
      });
    await serve({ setup }, async ({ port }) => {
      const url = `ws://127.0.0.1:${port}/policy`;
      await using terminal = await Terminal.start(commandLine(url));
      await terminal.shows(`Connected to ${url}.`, ">");
      await terminal.type("hello");
      await terminal.press("Enter");
      await terminal.shows(
        `Connected to ${url}.`,
        "> hello",
        "Connection closed: 1008 (policy violation) enough.",
        "ended with 1",
      );
    });
  },
);

testWhere(
  missingTerminal,
  "bench: a line lives while it measures",
  async () => {
    await serve({}, async ({ port }) => {
      await using terminal = await Terminal.start(commandLine(
        ...["bench", "-c", "2", "--duration", "60"],
        `ws://127.0.0.1:${port}/echo`,
      ));
      await terminal.until((screen) => /\d s {2}\d+ messages\/s/.test(screen));
      await terminal.press("C-c");
      const screen = await terminal.until((screen) => /ended/.test(screen));
      assert(!screen.includes("messages/s"), screen);
      assert(/ended with 0$/.test(screen), screen);
    });
  },
);
