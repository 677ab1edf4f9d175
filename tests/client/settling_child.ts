/**
 * Dials as it is told, says what came of it, and has nothing more to do: the
 * process has to end by itself.
 */
import process from "node:process";
import { dial, type DialOptions, HandshakeError } from "../../client.ts";

const url = process.env["SOCKEYE_TEST_URL"] ?? "";
const how = process.env["SOCKEYE_TEST_HOW"] ?? "";
const options = JSON.parse(
  process.env["SOCKEYE_TEST_OPTIONS"] ?? "{}",
) as DialOptions;
const controller = new AbortController();
const { signal } = controller;
if (how === "abort") setTimeout(() => controller.abort(), 150);

function say(value: unknown): void {
  console.log(JSON.stringify(value));
}

try {
  const connection = await dial(url, { ...options, signal });
  connection.send("hello");
  say(await connection.receive());
  if (how === "close") say(await connection.close());
  else connection.terminate();
} catch (error) {
  const { name } = error as Error;
  say(error instanceof HandshakeError ? error.reason : name);
}
