/**
 * Looks at who asks, logs all four callbacks, and answers what it hears.
 *
 *     deno run -A examples/logger.ts
 *     bun run examples/logger.ts
 *     node examples/logger.ts
 *
 * A client has to name itself in a header, bring a session cookie, and speak one of
 * two subprotocols; a page, which a browser names in `Origin`, has to be ours.
 *
 * @module
 */

import process from "node:process";
import {
  type CloseInfo,
  type ConnectionRequest,
  Handler,
  Site,
  type UpgradeAcceptance,
  type UpgradeInfo,
} from "@sockeye/sockeye";

/** Session cookies and whose they are; a real site asks its database. */
const SESSIONS = new Map([["4f2a", "Ann"], ["9c81", "Bob"]]);

function refuse(status: number, why: string): Response {
  console.log(`Client refused: ${why}`);
  return new Response(`${why}\n`, { status });
}

class Logger extends Handler<{ user: string }> {
  static upgrade(
    request: ConnectionRequest,
    { remoteAddress, cookies }: UpgradeInfo,
  ): Response | UpgradeAcceptance<{ user: string }> {
    const peer = remoteAddress.transport === "tcp"
      ? `${remoteAddress.hostname}:${remoteAddress.port}`
      : remoteAddress.path;
    console.log(`Client connecting: ${peer}`);

    if (!request.headers.has("x-client")) {
      return refuse(400, "no X-Client header");
    }
    const user = SESSIONS.get(cookies.get("session") ?? "");
    if (user === undefined) return refuse(401, "no such session");
    return { data: { user }, headers: { "set-cookie": "seen=1; HttpOnly" } };
  }

  override open() {
    const { data, subprotocol } = this.connection;
    console.log(`WebSocket connection open: ${data.user}, ${subprotocol}`);
  }

  override message(data: string | Uint8Array) {
    console.log(
      typeof data === "string"
        ? `Text message received: ${data}`
        : `Binary message received: ${data.length} bytes`,
    );
    this.connection.send(data);
  }

  override close({ code, reason, wasClean }: CloseInfo) {
    const how = wasClean ? "cleanly" : "abruptly";
    console.log(`WebSocket connection closed ${how}: ${code} ${reason}`);
  }
}

const site = new Site();
site.addHandler("/log", Logger, {
  // Beside the pages of the site's own host.
  origins: ["https://app.example"],
  // The best first.
  subprotocols: ["log.2", "log.1"],
  subprotocolRequired: true,
});

const { PORT = "8080", HOST = "127.0.0.1" } = process.env;
const server = await site.listen({ port: Number(PORT), hostname: HOST });
if (server.addr.transport === "tcp") {
  console.log(`Listening on ws://localhost:${server.addr.port}/log`);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => server.shutdown());
}
