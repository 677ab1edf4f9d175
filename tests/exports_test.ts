/** What a user's `import` finds: the doors, and that they open. */
import { readFileSync } from "node:fs";
import { assert, assertEquals, test } from "./harness.ts";

const ROOT = new URL("../", import.meta.url);

/** The parts of the two manifests that must agree. */
interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly publish?: { readonly include: readonly string[] };
}

function read(file: string): string {
  return readFileSync(new URL(file, ROOT), "utf8");
}

const deno: Manifest = JSON.parse(read("deno.json"));
const node: Manifest = JSON.parse(read("package.json"));

test("package.json and deno.json export the same doors", () => {
  assertEquals(node.name, deno.name);
  assertEquals(node.exports, deno.exports);
});

test("every door opens", async () => {
  for (const [door, file] of Object.entries(deno.exports)) {
    const module: Record<string, unknown> = await import(
      new URL(file, ROOT).href
    );
    assert(Object.keys(module).length > 0, `${door} exports nothing`);
    assertEquals("default" in module, false, `${door} has a default export`);
  }
});

test("mod.ts hands out what the other doors do, and nothing twice", async () => {
  const front = await import("../mod.ts");
  const { Site } = await import("../server.ts");
  const { dial } = await import("../client.ts");
  const { Handler } = await import("../connection.ts");
  assertEquals([front.Site, front.dial, front.Handler], [Site, dial, Handler]);
});

test("the package name resolves to this checkout", async () => {
  // By a variable: the type checker of a runtime need not know the name.
  const name = deno.name;
  const bySelf: Record<string, unknown> = await import(name);
  const byPath: Record<string, unknown> = await import("../mod.ts");
  assertEquals(bySelf["Site"], byPath["Site"]);
});

test("every door's file is published", () => {
  const include = deno.publish?.include ?? [];
  assert(include.includes("*.ts"));
  for (const file of Object.values(deno.exports)) {
    assert(/^\.\/\w+\.ts$/.test(file), `${file} is not at the top`);
  }
});

/** Follows relative imports from the doors; returns the files reached. */
function published(): string[] {
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (
      const [, target = ""] of read(file).matchAll(
        /(?:from\s+|import\s*\(?\s*)"(\.[^"]+)"/g,
      )
    ) {
      visit(new URL(target, `file:///${file}`).pathname.slice(1));
    }
  };
  Object.values(deno.exports).forEach((file) => visit(file.slice(2)));
  return [...seen];
}

test("what the doors reach is in the published files", () => {
  const include = deno.publish?.include ?? [];
  for (const file of published()) {
    const folder = file.includes("/") ? `${file.split("/")[0]}/` : "*.ts";
    assert(include.includes(folder), `${file} would not be published`);
  }
});

/** The signature of each exported declaration, bodies left out. */
function exportedSignatures(source: string): string[] {
  const code = source.replaceAll(/\/\*[^]*?\*\/|\/\/[^\n]*/g, "");
  const functions = code.matchAll(
    /^export (?:async )?function [^]*?\{\n/gm,
  );
  const values = code.matchAll(/^export const [^=]*=/gm);
  const types = code.matchAll(
    /^export (?:interface|type) [^]*?(?=^(?:export|const|let|function|class|async|interface|type)\b|$(?![^]))/gm,
  );
  // Members of a class stand two blanks in; each up to its body or value.
  const members = Array.from(
    code.matchAll(/^export (?:abstract )?class [^]*?^\}/gm),
    ([body]) => body.matchAll(/^ {2}(?!private|#)[\w[][^{;=]*[{;=]/gm),
  );
  return [functions, values, types, ...members]
    .flatMap((matches) => Array.from(matches, (match) => match[0]));
}

/**
 * Types that TypeScript's DOM library has as globals, and those for Node and Bun
 * have not. Who checks a program against `"lib": ["esnext"]` would be told that our
 * declarations are wrong.
 */
const DOM_ONLY =
  /(?<![\w.#"])(?:HeadersInit|BodyInit|RequestInfo|BufferSource|BlobPart|EventInit|AddEventListenerOptions|EventListener(?:Object|OrEventListenerObject)?|ErrorEvent\w*|Transferable|UnderlyingSink|UnderlyingSource)\b/;

function runtimeTypes(file: string, source: string): string[] {
  return exportedSignatures(source)
    .filter((text) =>
      /(?<![\w.])(?:Deno|Bun|NodeJS)\./.test(text) ||
      /import\("node:/.test(text) || DOM_ONLY.test(text)
    )
    .map((text) => `${file}: ${text.trim()}`);
}

test("no exported signature names a type of one runtime, or of the DOM alone", () => {
  for (
    const file of published().filter((file) => !file.startsWith("runtime/"))
  ) {
    assertEquals(runtimeTypes(file, read(file)), []);
  }
});

test("a planted runtime type is found", () => {
  for (
    const source of [
      "export function f(x: Deno.Conn): void {\n}",
      "export const x: Bun.Socket = y;",
      "export interface I {\n  a: Deno.Addr;\n}",
      "export type T = Deno.Addr | string;\n",
      "export class C {\n  get(a: Deno.Addr): void {\n  }\n}",
      "export interface I {\n  headers?: HeadersInit;\n}",
      "export interface I extends EventInit {\n  a: string;\n}",
    ]
  ) {
    assertEquals(runtimeTypes("x.ts", source).length > 0, true, source);
  }
  assertEquals(
    runtimeTypes("x.ts", "export function f(): void {\n  Deno.exit();\n}"),
    [],
  );
});
