/**
 * Sockeye's `dial`, all options at default, without a handler: a connection is an
 * async iterable of messages. Runs on Deno, Bun and Node.
 */
import { dial } from "@sockeye/sockeye";
import { runClient } from "./task.ts";

await runClient({
  async talk(url, talk) {
    const connection = await dial(url);
    for (let sent = 0; sent < talk.inFlight; sent++) {
      connection.send(talk.next());
    }
    for await (const message of connection) {
      talk.returned(message);
      connection.send(talk.next());
    }
  },
  async dial(url) {
    await using _connection = await dial(url);
  },
});
