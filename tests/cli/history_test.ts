/** Lines of earlier sessions. */
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { History, historyPath, MAX_LINES } from "../../cli/history.ts";
import { assertEquals, test } from "../harness.ts";

function inFolder(body: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "sockeye-cli-"));
  try {
    body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("WS29: history: what was added is loaded, the newest first", () => {
  inFolder((folder) => {
    const path = join(folder, "new", "sockeye", "history");
    const history = new History(path);
    assertEquals(history.load(), []);
    for (const line of ["one", "two ü", "two ü", "one"]) history.add(line);
    assertEquals(new History(path).load(), ["one", "two ü", "one"]);
    // Two sessions at a time keep both.
    new History(path).add("three");
    history.add("four");
    assertEquals(new History(path).load().slice(0, 2), ["four", "three"]);
  });
});

test("WS29: history: nobody else can read it", () => {
  inFolder((folder) => {
    const path = join(folder, "sockeye", "history");
    new History(path).add("one");
    assertEquals(statSync(path).mode & 0o777, 0o600);
    assertEquals(statSync(join(folder, "sockeye")).mode & 0o777, 0o700);
    chmodSync(path, 0o644);
    assertEquals(new History(path).load(), ["one"]);
    assertEquals(statSync(path).mode & 0o777, 0o600);
  });
});

test("WS29: history: what begins with a blank, is long, or drives a terminal stays out", () => {
  inFolder((folder) => {
    const path = join(folder, "history");
    const history = new History(path);
    const out = ["", " secret", "\tsecret", "x".repeat(5_000), "a\x1b[2Jb"];
    for (const line of out) history.add(line);
    history.add("kept");
    assertEquals(readFileSync(path, "utf8"), "kept\n");
    writeFileSync(path, "one\n\x1b[2J\ntwo\n");
    assertEquals(new History(path).load(), ["two", "one"]);
  });
});

test("WS29: history: it is bounded", () => {
  inFolder((folder) => {
    const path = join(folder, "history");
    const lines = Array.from({ length: 2 * MAX_LINES + 1 }, (_, i) => `${i}`);
    writeFileSync(path, lines.map((line) => `${line}\n`).join(""));
    const newest = lines.slice(-MAX_LINES);
    assertEquals(new History(path).load(), [...newest].reverse());
    assertEquals(readFileSync(path, "utf8"), `${newest.join("\n")}\n`);
    assertEquals(statSync(path).mode & 0o777, 0o600);
    assertEquals(readdirSync(folder), ["history"]);
  });
});

test("WS29: history: where it cannot be kept nothing happens", () => {
  inFolder((folder) => {
    writeFileSync(join(folder, "file"), "");
    for (const path of [join(folder, "file", "history"), folder]) {
      const history = new History(path);
      history.add("one");
      assertEquals(history.load(), []);
    }
  });
});

test("WS29: history: where the file is", () => {
  const tail = join("sockeye", "history");
  assertEquals(historyPath({ XDG_STATE_HOME: "/s", HOME: "/h" }), `/s/${tail}`);
  assertEquals(
    historyPath({ XDG_STATE_HOME: "s", HOME: "/h" }),
    `/h/.local/state/${tail}`,
  );
  assertEquals(
    historyPath({ XDG_STATE_HOME: "", HOME: "/h" }),
    `/h/.local/state/${tail}`,
  );
  assertEquals(historyPath({}), undefined);
});
