/**
 * Holds the import rule: who may import whom. Everything the layers promise
 * (a pure codec, a runtime that knows no WebSocket) stands on it.
 */
import { readdirSync, readFileSync } from "node:fs";
import { assertEquals, test } from "./harness.ts";

const ROOT = new URL("../", import.meta.url);

/** A layer: files it consists of, and what they may import (`type` only where said). */
interface Rule {
  readonly files: RegExp;
  readonly may: readonly RegExp[];
  readonly mayType?: readonly RegExp[];
}

const CODEC = /^codec\//;
const DOORS_ABOVE = [
  /^codec\.ts$/,
  /^connection\.ts$/,
  /^runtime\/transport\.ts$/,
];

/** The first rule whose `files` matches counts. A file without a rule is a mistake. */
const RULES: readonly Rule[] = [
  { files: CODEC, may: [CODEC] },
  { files: /^codec\.ts$/, may: [CODEC] },
  {
    files: /^runtime\/(node\w*|zlib|text|hash)\.ts$/,
    may: [/^runtime\//, /^node:/],
  },
  { files: /^runtime\//, may: [/^runtime\//] },
  {
    files: /^connection\.ts$/,
    may: [
      /^codec\.ts$/,
      /^connection\//,
      /^runtime\/(transport|message_deflate|text|memory)\.ts$/,
    ],
  },
  {
    files: /^connection\//,
    may: [
      /^codec\.ts$/,
      /^connection\//,
      /^runtime\/(transport|message_deflate|text|memory)\.ts$/,
    ],
    mayType: [/^connection\.ts$/],
  },
  {
    files: /^server(\.ts|\/)/,
    // A host's WebSocket is an object: what it says is made bytes in `server/hosted`.
    may: [...DOORS_ABOVE, /^runtime\/host\.ts$/, /^server\//],
  },
  {
    files: /^client(\.ts|\/)/,
    may: [...DOORS_ABOVE, /^runtime\/hash\.ts$/, /^client\//],
    mayType: [/^client\.ts$/],
  },
  {
    files: /^testing(\.ts|\/)/,
    may: [...DOORS_ABOVE, /^(server|client)\.ts$/, /^testing\//],
  },
  {
    files: /^cli(\.ts|\/)/,
    may: [/^(server|client|connection)\.ts$/, /^cli\//, /^node:/],
  },
  {
    files: /^websocket(\.ts|\/)/,
    may: [
      /^(client(\/(options|target_url))?|codec|connection)\.ts$/,
      /^websocket\//,
    ],
  },
  { files: /^mod\.ts$/, may: [/^(server|client|codec|connection)\.ts$/] },
  {
    files: /^(examples|docs)\//,
    may: [/^@sockeye\/sockeye(\/|$)/, /^node:/, /^@std\//],
  },
  {
    files: /^(tests|bench)\//,
    may: [/^(?!mod\.ts$|examples\/)/],
  },
];

/** Files that may do what no rule allows. */
const EXCEPTIONS: Readonly<Record<string, RegExp>> = {
  "tests/exports_test.ts": /^mod\.ts$/,
};

/** Blanks out comments; strings are kept, since specifiers are strings. */
function stripComments(source: string): string {
  return source.replaceAll(
    /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[^]|[^`\\])*`)|\/\*[^]*?\*\/|\/\/[^\n]*/g,
    (_match, literal?: string) => literal ?? " ",
  );
}

/** Collects the specifiers of static and dynamic imports and of re-exports. */
function imports(source: string): { specifier: string; type: boolean }[] {
  const code = stripComments(source);
  const found = code.matchAll(
    /(?:^|[;\n])\s*(?:import|export)\s+(type\s)?(?:[\w*{}\s,$]+?\sfrom\s*)?["']([^"'\n]+)["']|\bimport\s*\(\s*["'`]([^"'`\n]+)["'`]/g,
  );
  return Array.from(found, (match) => ({
    specifier: match[2] ?? match[3] ?? "",
    type: match[1] !== undefined,
  }));
}

/** Path from the root for a relative specifier; others stay as they are. */
function resolve(file: string, specifier: string): string {
  if (!specifier.startsWith(".")) return specifier;
  return new URL(specifier, `file:///${file}`).pathname.slice(1);
}

/** Names each import of `file` that breaks the rule. */
function violations(file: string, source: string): string[] {
  const rule = RULES.find(({ files }) => files.test(file));
  if (rule === undefined) return [`${file} belongs to no layer`];
  return imports(source).flatMap(({ specifier, type }) => {
    const target = resolve(file, specifier);
    const may = [...rule.may, ...(type ? rule.mayType ?? [] : [])];
    if (may.some((pattern) => pattern.test(target))) return [];
    if (EXCEPTIONS[file]?.test(target)) return [];
    return [`${file} imports ${target}`];
  });
}

/** Names each runtime global that `file` touches while it is being loaded. */
function globalsAtTopLevel(file: string, source: string): string[] {
  if (/^(tests|bench|examples)\//.test(file)) return [];
  // What runs at load time starts at the first column, as `deno fmt` has it.
  return stripComments(source).split("\n")
    .filter((line) => /^\S.*(?<![\w.])(Deno|Bun)\s*[.[]/.test(line))
    .filter((line) =>
      !/^(\)|(export\s+)?(async\s+)?(function|type|interface)\b)/.test(line)
    )
    .map((line) => `${file} at top level: ${line}`);
}

/** Globals that would tie the codec to a runtime, a clock or an output. */
function impurities(file: string, source: string): string[] {
  if (!CODEC.test(file)) return [];
  const code = stripComments(source).replaceAll(
    /(["'`])(?:\\.|(?!\1).)*\1/g,
    '""',
  );
  const found = code.matchAll(
    /(?<![\w.#$])(Deno|Bun|process|Buffer|console|setTimeout|setInterval|queueMicrotask|performance|Date|fetch)\b(?!\??:)/g,
  );
  return Array.from(found, (match) => `${file} uses ${match[1]}`);
}

/**
 * Timers and times that do not come from `connection/clock.ts`: tests could not
 * move them by hand.
 */
function clocks(file: string, source: string): string[] {
  if (!/^(connection|server|client)(\.ts|\/)/.test(file)) return [];
  if (file === "connection/clock.ts") return [];
  const code = stripComments(source).replaceAll(
    /(["'])(?:\\.|(?!\1).)*\1/g,
    '""',
  );
  const found = code.matchAll(
    /(?<![\w.#$])(setTimeout|setInterval|performance\.now)\b/g,
  );
  return Array.from(found, (match) => `${file} uses ${match[1]}`);
}

/** All rules at once. */
function check(file: string, source: string): string[] {
  return [violations, globalsAtTopLevel, impurities, clocks]
    .flatMap((rule) => rule(file, source));
}

function* typeScriptFiles(folder = ""): Generator<string> {
  for (
    const entry of readdirSync(new URL(`./${folder}`, ROOT), {
      withFileTypes: true,
    })
  ) {
    if (entry.name === "node_modules" || entry.name.startsWith(".")) continue;
    if (entry.isDirectory()) yield* typeScriptFiles(`${folder}${entry.name}/`);
    else if (entry.name.endsWith(".ts")) yield folder + entry.name;
  }
}

test("every file imports only what its layer may", () => {
  const culprits = [...typeScriptFiles()].flatMap((file) =>
    check(file, readFileSync(new URL(file, ROOT), "utf8"))
  );
  assertEquals(culprits, []);
});

/** One planted violation, or none: file, source, what must be named. */
const PLANTED: readonly (readonly [string, string, readonly string[]])[] = [
  ["codec/mask.ts", 'import { x } from "node:zlib";', [
    "codec/mask.ts imports node:zlib",
  ]],
  ["cli/talk.ts", 'import "../runtime/node.ts";', [
    "cli/talk.ts imports runtime/node.ts",
  ]],
  ["codec/mask.ts", 'import "../runtime/text.ts";', [
    "codec/mask.ts imports runtime/text.ts",
  ]],
  ["codec/mask.ts", 'export * from "../codec.ts";', [
    "codec/mask.ts imports codec.ts",
  ]],
  ["codec/a/b.ts", 'const x = await import("npm:ws");', [
    "codec/a/b.ts imports npm:ws",
  ]],
  ["codec/mask.ts", 'import {\n  a,\n  b,\n} from "jsr:@std/x";', [
    "codec/mask.ts imports jsr:@std/x",
  ]],
  [
    "codec/mask.ts",
    '// import "node:fs";\n/* import "x" */\nimport "./utf8.ts";',
    [],
  ],
  ["codec/mask.ts", "/** A Date. */\nfunction f() {\n  return Date.now();\n}", [
    "codec/mask.ts uses Date",
  ]],
  ["codec/mask.ts", 'throw new Error("Date: setTimeout");', []],
  ["runtime/bun.ts", 'import "node:net";', ["runtime/bun.ts imports node:net"]],
  ["runtime/node_tls.ts", 'import "node:tls";', []],
  ["runtime/node.ts", 'import "../codec.ts";', [
    "runtime/node.ts imports codec.ts",
  ]],
  ["runtime/deno.ts", "const l = Deno.listen;", [
    "runtime/deno.ts at top level: const l = Deno.listen;",
  ]],
  ["runtime/deno.ts", "function f(\n  a: A,\n): Deno.Conn {\n}", []],
  ["runtime/bun.ts", "export const f = () => {\n  Bun.listen();\n};", []],
  ["connection.ts", 'import "./codec/frame.ts";', [
    "connection.ts imports codec/frame.ts",
  ]],
  ["connection/pump.ts", 'import type { C } from "../connection.ts";', []],
  ["connection/pump.ts", 'import { C } from "../connection.ts";', [
    "connection/pump.ts imports connection.ts",
  ]],
  ["server.ts", 'import { dial } from "./client.ts";', [
    "server.ts imports client.ts",
  ]],
  ["client.ts", 'import "./runtime/node.ts";', [
    "client.ts imports runtime/node.ts",
  ]],
  ["server/head.ts", 'import { S } from "../mod.ts";', [
    "server/head.ts imports mod.ts",
  ]],
  ["testing/wire.ts", 'import { Link } from "../connection/link.ts";', [
    "testing/wire.ts imports connection/link.ts",
  ]],
  ["server.ts", 'import { settle } from "./testing.ts";', [
    "server.ts imports testing.ts",
  ]],
  ["examples/echo.ts", 'import { Site } from "../mod.ts";', [
    "examples/echo.ts imports mod.ts",
  ]],
  ["examples/echo.ts", 'import { Site } from "@sockeye/sockeye";', []],
  ["tests/x_test.ts", 'import "../mod.ts";', [
    "tests/x_test.ts imports mod.ts",
  ]],
  ["tests/exports_test.ts", 'import "../mod.ts";', []],
  ["server/x.ts", "function f() {\n  setTimeout(g, 5);\n}", [
    "server/x.ts uses setTimeout",
  ]],
  ["client.ts", "const f = () => performance.now();", [
    "client.ts uses performance.now",
  ]],
  ["connection/x.ts", "currentClock().setTimeout(f, 5);", []],
  ["utils.ts", "", ["utils.ts belongs to no layer"]],
];

test("a planted violation is named, and nothing else is", () => {
  for (const [file, source, culprits] of PLANTED) {
    assertEquals(check(file, source), [...culprits], `${file}: ${source}`);
  }
});
