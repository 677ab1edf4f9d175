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
  Site,
  type UpgradeInfo,
} from "@sockeye/sockeye";

const ROOM_NAME = /^[\p{L}\p{M}\p{N}_-]{1,32}$/u;
const USER_NAME = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,24}$/u;
const HISTORY_MESSAGES = 100;
const MAX_ROOMS = 1_000;

/** A room: what was said last, and who is here. */
class Room {
  readonly history: unknown[] = [];
  readonly guests = new Map<string, Guest>();

  /** Finds a room, or opens one; of the empty ones, those used last are kept. */
  static find(name: string): Room {
    const room = rooms.get(name) ?? new Room();
    rooms.delete(name);
    rooms.set(name, room);
    for (const [name, { guests }] of rooms) {
      if (rooms.size <= MAX_ROOMS) break;
      if (guests.size === 0) rooms.delete(name);
    }
    return room;
  }

  tell(event: unknown) {
    const text = JSON.stringify(event);
    for (const { connection } of this.guests.values()) connection.send(text);
  }
}

const rooms = new Map<string, Room>();

class Guest extends Handler<{ name: string }> {
  #room = new Room();

  static upgrade({ url }: ConnectionRequest, { params }: UpgradeInfo) {
    const name = new URL(url).searchParams.get("name")?.trim() ?? "";
    if (!ROOM_NAME.test(params.room ?? "") || !USER_NAME.test(name)) {
      return new Response("No such room, or no such name.\n", { status: 400 });
    }
    return { data: { name } };
  }

  override open() {
    const { data, params } = this.connection;
    const { guests, history } = this.#room = Room.find(params.room ?? "");
    const wanted = data.name;
    for (let n = 2; guests.has(data.name); n++) data.name = `${wanted} ${n}`;
    guests.set(data.name, this);
    const here = [...guests.keys()];
    const welcome = { type: "welcome", name: data.name, here, history };
    this.connection.send(JSON.stringify(welcome));
    this.#room.tell({ type: "joined", name: data.name, here });
  }

  override message(data: string | Uint8Array) {
    if (typeof data !== "string" || data.trim() === "") return;
    const { name } = this.connection.data;
    const said = { type: "said", name, text: data.trim(), atMs: Date.now() };
    this.#room.history.push(said);
    if (this.#room.history.length > HISTORY_MESSAGES) {
      this.#room.history.shift();
    }
    this.#room.tell(said);
  }

  override close() {
    const { name } = this.connection.data;
    this.#room.guests.delete(name);
    this.#room.tell({
      type: "left",
      name,
      here: [...this.#room.guests.keys()],
    });
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
site.addHandler("/rooms/:room", Guest, {
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
