/**
 * A handler that greets before it is asked, answers in turns, and closes after
 * the tenth message.
 *
 *     deno run -A examples/counter_handler.ts
 *     bun run examples/counter_handler.ts
 *     node examples/counter_handler.ts
 *
 * @module
 */

import process from "node:process";
import { type Connection, Handler, Site } from "@sockeye/sockeye";

class CounterHandler extends Handler {
  #counter = 0;

  constructor(connection: Connection) {
    super(connection);
    // What is sent in the constructor arrives first.
    connection.send("hello world");
  }

  override message() {
    this.#counter++;
    if (this.#counter === 10) {
      this.connection.send("Enough play");
      this.connection.close();
    } else if (this.#counter < 10) {
      const isOdd = this.#counter % 2 === 1;
      this.connection.send(isOdd ? "Now we're even" : "That was odd");
    }
  }

  override close() {
    console.log(`Connection closed after ${this.#counter} frames`);
  }
}

const site = new Site();
site.addHandler("/counter", CounterHandler);

const { PORT = "8080", HOST = "127.0.0.1" } = process.env;
const server = await site.listen({ port: Number(PORT), hostname: HOST });
if (server.addr.transport === "tcp") {
  console.log(`Listening on ws://localhost:${server.addr.port}/counter`);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => server.shutdown());
}
