/** `examples/multicore.ts`: several threads on one port. */
import process from "node:process";
import { assert, testWhere } from "../harness.ts";
import { Example, receiveText } from "./example.ts";

// Elsewhere the kernel may give every connection to the same one.
const missing = process.platform === "linux" ? undefined : "Linux";

testWhere(
  missing,
  "AB18: multicore.ts answers from several threads on one port",
  async () => {
    await using example = await Example.run("multicore");
    const threads = new Set<string>();
    for (let count = 0; count < 200 && threads.size < 2; count++) {
      await using connection = await example.dial("/thread");
      threads.add(await receiveText(connection));
    }
    assert(threads.size >= 2, `200 connections came to ${[...threads]}`);
  },
);
