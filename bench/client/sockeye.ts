/**
 * Sockeye's `dial` with a handler, all other options at default, which is the form
 * of the runtimes' own `onmessage`. Runs on Deno, Bun and Node.
 */
import { dial, Handler } from "@sockeye/sockeye";
import { runClient } from "./task.ts";

await runClient({
  async talk(url, talk) {
    await dial(url, {
      handler: class extends Handler {
        override open() {
          for (let sent = 0; sent < talk.inFlight; sent++) {
            this.connection.send(talk.next());
          }
        }
        override message(data: string | Uint8Array) {
          talk.returned(data);
          this.connection.send(talk.next());
        }
      },
    });
  },
  async dial(url) {
    const connection = await dial(url);
    await connection.close();
  },
});
