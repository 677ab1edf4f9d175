/**
 * Run by `frozen_test.ts` in processes of their own: clients that read what they
 * are sent, as long as they are not frozen.
 *
 * Arguments: the port, then paths and how many clients connect to each. On each
 * line of input it says what everyone has got so far.
 */
import process from "node:process";
import { rawUpgrade } from "../harness/raw_client.ts";

const [port, ...groups] = process.argv.slice(2);

/** Numbers of the messages that each has got; binary ones do not count. */
const received: { path: string; numbers: number[] }[] = [];

async function listen(path: string): Promise<void> {
  const client = await rawUpgrade(Number(port), path);
  const numbers: number[] = [];
  received.push({ path, numbers });
  void (async () => {
    try {
      while (true) {
        const { opcode, payload } = await client.readFrame(120_000);
        if (opcode !== 1) continue;
        const text = new TextDecoder().decode(payload.subarray(0, 20));
        numbers.push(Number.parseInt(text));
      }
    } catch {
      // It was closed, or dropped.
    }
  })();
}

for (let at = 0; at < groups.length; at += 2) {
  for (let n = 0; n < Number(groups[at + 1]); n++) await listen(groups[at]!);
}
console.log(JSON.stringify("ready"));
process.stdin.on("data", () => console.log(JSON.stringify(received)));
