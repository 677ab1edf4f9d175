/** `examples/files.ts`, which takes `@std/http` and `@std/path` from JSR. */
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import {
  assert,
  assertEquals,
  assertionSource,
  testWhere,
} from "../harness.ts";
import { checkoutPath, currentRuntime } from "../harness/child.ts";
import { Example, receiveText } from "./example.ts";

// `serveDir` needs Deno, where `@std/assert` has been asked for already.
const missing = currentRuntime !== "deno"
  ? "Deno"
  : assertionSource === "@std/assert"
  ? undefined
  : "JSR";

testWhere(
  missing,
  "SI1, SI14: files.ts lists and serves files, and echoes, on one port",
  async () => {
    await using example = await Example.run("files", {
      args: [checkoutPath("examples")],
    });
    const listing = await example.get("/");
    assertEquals(listing.response.status, 200);
    assert(listing.body.includes("files.ts"), listing.body);
    const file = await fetch(`http://127.0.0.1:${example.port}/files.ts`);
    assertEquals(
      Buffer.from(await file.arrayBuffer()).toString(),
      readFileSync(checkoutPath("examples/files.ts"), "utf8"),
    );
    assertEquals((await example.get("/nothing")).response.status, 404);
    assertEquals((await example.get("/..%2fdeno.json")).response.status, 404);
    await using connection = await example.dial("/echo");
    connection.send("hello");
    assertEquals(await receiveText(connection), "hello");
    await connection.close();
    await example.assertEndsOn("SIGTERM", "/echo");
  },
);
