/**
 * One message for many, among whom some compress: it is compressed once for all
 * who agreed on the same, and fits into the context of each.
 */
import { type Connection, Handler, type Site } from "../../server.ts";
import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import { sameBytes } from "../harness/bytes.ts";
import { type RawClient, rawUpgrade } from "../harness/raw_client.ts";
import { serve } from "../site/served.ts";
import { ZlibPeer } from "./zlib_peer.ts";

const HEADER = "Sec-WebSocket-Extensions";
const ROUNDS = 50;

/** What a peer offers, what of it is agreed on for the server, and whether at all. */
const KINDS = [
  { offer: undefined, bits: 15, alone: true },
  { offer: "permessage-deflate", bits: 12, alone: false },
  { offer: "permessage-deflate", bits: 12, alone: false },
  {
    offer: "permessage-deflate; server_no_context_takeover",
    bits: 12,
    alone: true,
  },
  {
    offer: "permessage-deflate; server_max_window_bits=9",
    bits: 9,
    alone: false,
  },
] as const;

/** A peer, and the site's side of it. */
interface Member {
  readonly raw: RawClient;
  readonly peer: ZlibPeer;
  readonly connection: Connection;
}

function news(round: number): string {
  const lines = Array.from(
    { length: 12 },
    (_, line) => `line ${line} of the news of round ${round * 7919 % 1000}`,
  );
  return lines.join("\n");
}

/** Reads a message; says how it arrived. */
async function read(
  { raw, peer }: Member,
): Promise<{ text: string; payload: Uint8Array; isCompressed: boolean }> {
  const { rsv, opcode, payload } = await raw.readFrame();
  assert(opcode === 1 && (rsv === 0 || rsv === 4), `${opcode} ${rsv}`);
  const isCompressed = rsv === 4;
  const bytes = isCompressed ? peer.inflate(payload) : payload;
  return { text: new TextDecoder().decode(bytes), payload, isCompressed };
}

test("AB22: a message for many is compressed once for each kind of peer", async () => {
  const opened: Connection[] = [];
  class Listener extends Handler {
    override open(): void {
      opened.push(this.connection);
      this.connection.subscribe("news");
    }
  }
  const setup = (site: Site) => site.addHandler("/member", Listener);
  await serve({ compression: true, setup }, async ({ site, port }) => {
    const members: Member[] = [];
    for (const { offer, bits, alone } of KINDS) {
      const raw = await rawUpgrade(port, "/member", { [HEADER]: offer });
      const direction = { bits, alone };
      members.push({
        raw,
        peer: new ZlibPeer({ bits: 15, alone: true }, direction),
        connection: opened[members.length]!,
      });
    }
    for (let round = 0; round < ROUNDS; round++) {
      // The first of those who compress has a context of its own as well.
      const own = `for you alone, in round ${round}: ${news(round)}`;
      members[1]!.connection.send(own);
      assertEquals((await read(members[1]!)).text, own);

      const text = news(round);
      const count = round % 2 === 0
        ? site.broadcast(text, { path: "/member" })
        : site.publish("news", text);
      assertEquals(count.sent, KINDS.length);
      const got = [];
      for (const member of members) got.push(await read(member));
      for (const one of got) assertEquals(one.text, text);
      assertEquals(
        got.map(({ isCompressed }) => isCompressed),
        KINDS.map(({ offer }) => offer !== undefined),
      );
      // Contexts differ, and what was sent does not.
      assert(sameBytes(got[1]!.payload, got[2]!.payload), `round ${round}`);
    }
    for (const { raw } of members) await raw[Symbol.asyncDispose]();
  });
});

test("AB22, PM-12: what is too short, not to be compressed, or behind a stream, arrives as well", async () => {
  const opened: Connection[] = [];
  const setup = (site: Site) =>
    site.addHandler("/member", async (connection) => {
      opened.push(connection);
      await connection.closed;
    });
  await serve({ compression: true, setup }, async ({ site, port }) => {
    await using raw = await rawUpgrade(port, "/member", {
      [HEADER]: "permessage-deflate",
    });
    const peer = new ZlibPeer(
      { bits: 15, alone: true },
      { bits: 12, alone: false },
    );
    const [connection] = opened;
    const member = { raw, peer, connection: connection! };
    site.broadcast("short", { path: "/member" });
    const short = await read(member);
    assertEquals([short.text, short.isCompressed], ["short", false]);

    // What is secret leaves no trace, however it goes to many.
    connection!.subscribe("news");
    site.broadcast(news(2), { path: "/member", compress: false });
    site.publish("news", news(2), { compress: false });
    for (let index = 0; index < 2; index++) {
      const plain = await read(member);
      assertEquals([plain.text, plain.isCompressed], [news(2), false]);
    }
    assertThrows(
      () => site.broadcast("", { compress: 1 as unknown as boolean }),
      TypeError,
      "compress is not a boolean",
    );

    const gate = Promise.withResolvers<void>();
    const streamed = connection!.sendStream(async function* () {
      yield "streamed";
      await gate.promise;
    }());
    site.broadcast(news(1), { path: "/member" });
    site.broadcast(news(2), { path: "/member", compress: false });
    gate.resolve();
    await streamed;
    let text = "";
    for (let fin = false; !fin;) {
      const frame = await raw.readFrame();
      fin = frame.fin;
      text += new TextDecoder().decode(frame.payload);
    }
    assertEquals(text, "streamed");
    const later = await read(member);
    assertEquals([later.text, later.isCompressed], [news(1), true]);
    const plain = await read(member);
    assertEquals([plain.text, plain.isCompressed], [news(2), false]);
  });
});
