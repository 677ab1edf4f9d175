/**
 * A chat with rooms: who is here, what was said last, and a page that finds its
 * way back by itself. Open it, and send a friend the link.
 *
 *     deno run -A examples/chat.ts
 *     bun run examples/chat.ts
 *     node examples/chat.ts
 *
 * With `HOST=0.0.0.0` in the environment others may come in.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import process from "node:process";
import {
  type ConnectionRequest,
  Handler,
  refuseAfterOpen,
  Site,
  type UpgradeDecision,
  type UpgradeInfo,
} from "@sockeye/sockeye";

const ROOM_NAME = /^[\p{L}\p{M}\p{N}_-]{1,32}$/u;
const USER_NAME = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,24}$/u;
const HISTORY_MESSAGES = 100;
const MAX_ROOMS = 1_000;

/** A room: what was said last, and who is here. */
interface Room {
  readonly history: unknown[];
  readonly names: Set<string>;
}

/** The room that was used last comes last. */
const rooms = new Map<string, Room>();

/** Finds a room, or opens one. Of too many, empty ones are given up. */
function findRoom(id: string): Room {
  const room = rooms.get(id) ?? { history: [], names: new Set() };
  rooms.delete(id);
  rooms.set(id, room);
  for (const [id, { names }] of rooms) {
    if (rooms.size <= MAX_ROOMS) break;
    if (names.size === 0) rooms.delete(id);
  }
  return room;
}

/** One who is in a room. The topic of the room has its name. */
class Guest extends Handler<{ id: string; name: string }> {
  static upgrade(
    _request: ConnectionRequest,
    { params, query }: UpgradeInfo,
  ): UpgradeDecision<{ id: string; name: string }> {
    const { id = "" } = params;
    const name = query.get("name")?.trim() ?? "";
    // A page sees nothing of an HTTP status, but it sees these.
    if (!ROOM_NAME.test(id)) return refuseAfterOpen(4000, "No such room.");
    if (!USER_NAME.test(name)) return refuseAfterOpen(4000, "No such name.");
    return { data: { id, name } };
  }

  override open() {
    const { data } = this.connection;
    const { history, names } = findRoom(data.id);
    const wanted = data.name;
    for (let n = 2; names.has(data.name); n++) data.name = `${wanted} ${n}`;
    names.add(data.name);
    const here = [...names];
    const welcome = { type: "welcome", name: data.name, here, history };
    this.connection.send(JSON.stringify(welcome));
    this.#tell({ type: "joined", name: data.name, here });
    this.connection.subscribe(data.id);
  }

  override message(data: string | Uint8Array) {
    if (typeof data !== "string" || data.trim() === "") return;
    const { id, name } = this.connection.data;
    const said = { type: "said", name, text: data.trim(), atMs: Date.now() };
    const { history } = findRoom(id);
    history.push(said);
    if (history.length > HISTORY_MESSAGES) history.shift();
    this.#tell(said);
  }

  override close() {
    const { id, name } = this.connection.data;
    const { names } = findRoom(id);
    names.delete(name);
    this.#tell({ type: "left", name, here: [...names] });
  }

  #tell(event: unknown) {
    this.connection.site.publish(
      this.connection.data.id,
      JSON.stringify(event),
    );
  }
}

/** The files of the page; nothing else may be loaded, and nothing run inline. */
const FILES = new Map([
  ["/", ["page.html", "text/html"]],
  ["/page.css", ["page.css", "text/css"]],
  ["/page.js", ["page.js", "text/javascript"]],
]);

const site = new Site({
  async root(request) {
    const { pathname } = new URL(request.url);
    // A room is a page too, so that its link can be sent.
    const path = pathname.startsWith("/rooms/") ? "/" : pathname;
    const [file, type] = FILES.get(path) ?? [];
    if (!file || !type) return new Response("Not found.\n", { status: 404 });
    const url = new URL(`chat/${file}`, import.meta.url);
    return new Response(await readFile(url, "utf8"), {
      headers: {
        "content-type": `${type}; charset=utf-8`,
        "content-security-policy":
          "default-src 'none'; script-src 'self'; style-src 'self'; " +
          "connect-src 'self'; img-src data:; base-uri 'none'; " +
          "form-action 'none'; frame-ancestors 'none'",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
      },
    });
  },
});
// A message is a few lines of text; who is gone is noticed within 15 seconds.
site.addHandler("/rooms/:id", Guest, {
  maxMessageBytes: 8_192,
  pingIntervalMs: 10_000,
  pingTimeoutMs: 5_000,
});

const { PORT = "8080", HOST = "127.0.0.1" } = process.env;
const server = await site.listen({ port: Number(PORT), hostname: HOST });
if (server.addr.transport === "tcp") {
  console.log(`Listening on http://localhost:${server.addr.port}/`);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => server.shutdown());
}
