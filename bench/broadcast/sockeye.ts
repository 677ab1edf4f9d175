/** A room on Sockeye: `site.broadcast`. Runs on Deno, Bun and Node. */
import { Handler, Site } from "@sockeye/sockeye";
import { announce } from "../servers/control.ts";

const site = new Site();

class Member extends Handler {
  override message(data: string | Uint8Array): void {
    site.broadcast(data);
  }
}

site.addHandler("/room", Member);
const server = await site.listen({ port: 0, hostname: "127.0.0.1" });
const { addr } = server;
if (addr.transport === "tcp") announce(addr.port);
