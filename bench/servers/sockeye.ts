/** Echo on Sockeye, with a handler class as a user writes it. Runs on Deno, Bun and Node. */
import { Handler, Site } from "@sockeye/sockeye";
import { announce, DEFLATE, KEEPS_MESSAGES, TLS } from "./control.ts";

const kept: unknown[] = [];

class Echo extends Handler {
  override message(data: string | Uint8Array): void {
    this.connection.send(data);
  }
}

class Keep extends Handler {
  override message(data: string | Uint8Array): void {
    kept.push(data);
  }
}

const site = new Site({ compression: DEFLATE !== undefined });
site.addHandler("/echo", KEEPS_MESSAGES ? Keep : Echo);
const server = await site.listen({
  port: 0,
  hostname: "127.0.0.1",
  ...(TLS && { tls: TLS }),
});
const { addr } = server;
if (addr.transport === "tcp") announce(addr.port);
