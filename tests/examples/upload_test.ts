/** `examples/upload.ts` and `upload_client.ts` (AB21, WS32). */
import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { HandshakeError } from "../../client.ts";
import { until } from "../site/served.ts";
import { Example, receiveText, runExample } from "./example.ts";

/** Runs the example with a folder that is removed afterwards. */
async function withFolder(
  body: (example: Example, folder: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "sockeye-upload-"));
  try {
    const taken = join(folder, "taken");
    await using example = await Example.run("upload", { args: [taken] });
    await body(example, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("AB21: upload.ts takes files that are larger than a message may be", async () => {
  await withFolder(async (example, folder) => {
    const bytes = randomBytes(20_000_001);
    const path = join(folder, "a file.bin".replace(" ", "_"));
    writeFileSync(path, bytes);
    const args = [`ws://127.0.0.1:${example.port}`, path];
    await using client = runExample("upload_client", { args });
    assertEquals(await client.line(), "20000001 bytes");
    await client.assertEnds();
    const taken = readFileSync(join(folder, "taken", "a_file.bin"));
    assert(taken.equals(bytes), "the file is another");
    await using again = runExample("upload_client", { args });
    assertEquals((await again.exited).code, 1);
    assertEquals(again.stderr.trim(), "Not taken: it is there already");
    await example.assertEndsOn("SIGTERM", "/upload/other");
  });
});

test("WS32: upload.ts keeps nothing of a file that was broken off", async () => {
  await withFolder(async (example, folder) => {
    const path = join(folder, "taken", "part");
    const connection = await example.dial("/upload/part");
    const gate = Promise.withResolvers<void>();
    const sent = connection.sendStream(async function* () {
      yield new Uint8Array(100_000);
      yield new Uint8Array(100_000);
      await gate.promise;
    }());
    await until(() => existsSync(path), "the file");
    connection.terminate();
    gate.resolve();
    await sent.catch(() => {});
    await until(() => !existsSync(path), "the end of the file");
    await example.assertEndsOn("SIGINT", "/upload/other");
  });
});

test("upload.ts refuses names that lead elsewhere, and text", async () => {
  await withFolder(async (example) => {
    for (const name of ["..%2fx", ".x", "a%2fb", "%5c", "a%00"]) {
      const error = await assertRejects(() => example.dial(`/upload/${name}`));
      assert(error instanceof HandshakeError, name);
      assertEquals(error.status, 400);
    }
    const connection = await example.dial("/upload/text");
    connection.send("text");
    const { code, reason } = await within(connection.closed, "the close");
    assertEquals([code, reason], [1003, "bytes only"]);
    const next = await example.dial("/upload/small");
    next.send(new Uint8Array(3));
    assertEquals(await receiveText(next), "3 bytes");
    await next.close();
    await example.assertEndsOn("SIGTERM", "/upload/other");
  });
});
