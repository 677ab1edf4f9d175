/**
 * Run by `blocked_test.ts` in a process of its own: clients that answer Pings, whatever
 * the server's process is doing.
 *
 * Arguments: the port, and how many clients connect. On each line of input all of them
 * ask 20 times, and it says how long the answers took in milliseconds, `null` where
 * they were not the right ones.
 */
import process from "node:process";
import { type Connection, dial } from "../../client.ts";

const [port, count] = process.argv.slice(2);
const QUESTIONS = 20;

async function ask(connection: Connection): Promise<boolean> {
  for (let n = 0; n < QUESTIONS; n++) connection.send(`${n}`);
  for (let n = 0; n < QUESTIONS; n++) {
    if (await connection.receive() !== `${n}`) return false;
  }
  return true;
}

const connections = await Promise.all(
  Array.from(
    { length: Number(count) },
    () => dial(`ws://127.0.0.1:${port}/asked`, { pingIntervalMs: 0 }),
  ),
);
console.log(JSON.stringify("ready"));
process.stdin.on("data", async () => {
  const start = performance.now();
  const right = await Promise.all(connections.map(ask));
  const ms = performance.now() - start;
  console.log(JSON.stringify(right.every((is) => is) ? ms : null));
});
