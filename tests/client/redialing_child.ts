/** Redials, and has nothing more to do: the process has to end by itself. */
import process from "node:process";
import { redial } from "../../client.ts";

const url = process.env["SOCKEYE_TEST_URL"] ?? "";
const how = process.env["SOCKEYE_TEST_HOW"] ?? "";
// Each would keep the process for a minute, were it left behind.
const options = { firstDelayMs: 60_000, random: () => 0.99 };

if (how === "break") {
  for await (const connection of redial(url, options)) {
    connection.send("hello");
    console.log(JSON.stringify(await connection.receive()));
    break;
  }
} else if (how === "close") {
  const durable = redial(url, options).connect({ outbox: {} });
  durable.send("hello");
  for await (const message of durable) {
    console.log(JSON.stringify(message));
    void durable.close();
  }
} else if (how === "refusal" || how === "giving up") {
  const wrong = how === "refusal"
    ? new URL("/nothing-here", url)
    : "ws://127.0.0.1:9/";
  const limited = { delays: () => [1, 1], giveUpAfterMs: 60_000 };
  try {
    for await (const _ of redial(wrong, limited)) { /* Never. */ }
  } catch {
    console.log(JSON.stringify("hello"));
  }
} else {
  const controller = new AbortController();
  const { signal } = controller;
  const nowhere = "ws://127.0.0.1:9/";
  const durable = redial(nowhere, { ...options, signal }).connect({
    connectFailed() {
      console.log(JSON.stringify("hello"));
      // By then it waits.
      setTimeout(() => {
        if (how === "abort") controller.abort();
        else void durable.close();
      }, 50);
    },
  });
  await durable.closed;
}
