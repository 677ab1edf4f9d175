/**
 * Run by `blocked_test.ts` in a process of its own: clients that answer each Ping
 * after a while.
 *
 * Arguments: the port, how many clients connect, and how long they take, in
 * milliseconds.
 */
import process from "node:process";
import { type RawClient, rawUpgrade } from "../harness/raw_client.ts";

const [port, count, delayMs] = process.argv.slice(2).map(Number);

async function answer(client: RawClient): Promise<void> {
  try {
    while (true) {
      const { opcode, payload } = await client.readFrame(60_000);
      if (opcode !== 9) continue;
      setTimeout(() => client.sendFrame({ opcode: "pong", payload }), delayMs);
    }
  } catch {
    // It was closed: the server's side of the test says why.
  }
}

for (let n = 0; n < count!; n++) {
  void answer(await rawUpgrade(port!, "/asked"));
}
console.log(JSON.stringify("ready"));
