/** `examples/chat.ts`: rooms, names, history, and what is served beside. */
import type { Connection } from "../../client.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { Example, receiveJson } from "./example.ts";

interface Said {
  readonly type: "said";
  readonly name: string;
  readonly text: string;
  readonly atMs: number;
}

type Event = Said | {
  readonly type: "welcome" | "joined" | "left";
  readonly name: string;
  readonly here: readonly string[];
  readonly history?: readonly Said[];
};

function join(
  example: Example,
  room: string,
  name: string,
): Promise<Connection> {
  return example.dial(
    `/rooms/${encodeURIComponent(room)}?name=${encodeURIComponent(name)}`,
  );
}

/** Takes the next event, which must be of that type. */
async function next(
  connection: Connection,
  type: Event["type"],
): Promise<Event> {
  const event = await receiveJson<Event>(connection);
  assertEquals(event.type, type, JSON.stringify(event));
  return event;
}

async function nextText(connection: Connection): Promise<[string, string]> {
  const said = await next(connection, "said") as Said;
  return [said.name, said.text];
}

test("B-1: chat.ts keeps rooms apart, and tells who is here", async () => {
  await using example = await Example.run("chat");
  await using ann = await join(example, "küche", "Ann");
  const welcome = await next(ann, "welcome");
  assertEquals(welcome, {
    type: "welcome",
    name: "Ann",
    here: ["Ann"],
    history: [],
  });
  await using bob = await join(example, "küche", "Bob");
  assertEquals(await next(ann, "joined"), {
    type: "joined",
    name: "Bob",
    here: ["Ann", "Bob"],
  });
  await next(bob, "welcome");
  await using eve = await join(example, "garden", "Eve");
  await next(eve, "welcome");
  ann.send("  <b>hi</b> & \u2028 Grüße 🐟 ");
  eve.send("nobody hears me");
  const text = "<b>hi</b> & \u2028 Grüße 🐟";
  assertEquals(await nextText(ann), ["Ann", text]);
  assertEquals(await nextText(bob), ["Ann", text]);
  assertEquals(await nextText(eve), ["Eve", "nobody hears me"]);
  // Neither bytes nor nothing is a message.
  ann.send(Uint8Array.of(1));
  ann.send("   ");
  await bob.close();
  assertEquals(await next(ann, "left"), {
    type: "left",
    name: "Bob",
    here: ["Ann"],
  });
});

test("chat.ts gives each a name of its own, and the last hundred messages", async () => {
  await using example = await Example.run("chat");
  await using first = await join(example, "lobby", "Ann");
  await next(first, "welcome");
  for (let count = 1; count <= 105; count++) {
    first.send(`text ${count}`);
    assertEquals(await nextText(first), ["Ann", `text ${count}`]);
  }
  await using second = await join(example, "lobby", " Ann ");
  const welcome = await next(second, "welcome");
  assert(welcome.type === "welcome");
  assertEquals([welcome.name, welcome.here], ["Ann 2", ["Ann", "Ann 2"]]);
  const texts = welcome.history!.map(({ text }) => text);
  assertEquals([texts.length, texts[0], texts[99]], [
    100,
    "text 6",
    "text 105",
  ]);
  await first.close();
  // The room outlives its guests: who reloads finds it as it was.
  await second.close();
  await using again = await join(example, "lobby", "Ann");
  const found = await next(again, "welcome");
  assertEquals(found.type === "welcome" && found.history?.length, 100);
});

test("B-14: chat.ts refuses names and rooms that are none, and messages too long", async () => {
  await using example = await Example.run("chat");
  for (
    const [room, name] of [
      ["lobby", ""],
      ["lobby", " "],
      ["lobby", "a\nb"],
      ["lobby", "\u202eevil"],
      ["lobby", "n".repeat(25)],
      ["a b", "Ann"],
      ["r".repeat(33), "Ann"],
    ] as const
  ) {
    // A page sees no status of HTTP, but a close code.
    const connection = await join(example, room, name);
    const { code, reason } = await connection.closed;
    const what = room === "lobby" ? "name" : "room";
    assertEquals([code, reason], [4000, `No such ${what}.`], `${room} ${name}`);
  }
  await using ann = await join(example, "lobby", "Ann");
  ann.send("x".repeat(8_193));
  assertEquals((await ann.closed).code, 1009);
});

test("chat.ts serves its page, which may load and run nothing else", async () => {
  await using example = await Example.run("chat");
  for (
    const [path, type] of [
      ["/", "text/html"],
      ["/rooms/lobby", "text/html"],
      ["/page.css", "text/css"],
      ["/page.js", "text/javascript"],
    ] as const
  ) {
    const { response, body } = await example.get(path);
    assertEquals(response.status, 200, path);
    assertEquals(
      response.headers.get("content-type"),
      `${type}; charset=utf-8`,
    );
    const policy = response.headers.get("content-security-policy") ?? "";
    assert(policy.startsWith("default-src 'none'; script-src 'self';"), policy);
    assert(!policy.includes("unsafe"), policy);
    assert(!/https?:\/\/|innerHTML|\son\w+=|style=/.test(body), path);
  }
  assertEquals((await example.get("/chat.ts")).response.status, 404);
});
