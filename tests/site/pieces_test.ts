/** Messages in pieces over sockets, to a site and to one who dialled (AB21, WS32). */
import {
  ClosedError,
  Handler,
  type HandlerOptions,
  type Site,
  type StreamedMessage,
} from "../../server.ts";
import { dial } from "../../client.ts";
import { assert, assertEquals, assertStrictEquals, test } from "../harness.ts";
import { concat, sameBytes } from "../harness/bytes.ts";
import { within } from "../harness/deadline.ts";
import { frame } from "../harness/frame.ts";
import { seededRandom } from "../harness/random.ts";
import { cutEvery } from "../harness/split.ts";
import { pause, readClose, readText, serve, until } from "./served.ts";

/** Keeps the chunks of a text, and sends it back when it is whole. */
class Collector extends Handler<string[]> {
  override open(): void {
    this.connection.data = [];
  }

  override async stream(message: StreamedMessage): Promise<void> {
    for await (const chunk of message) this.connection.data.push(`${chunk}`);
    this.connection.send(this.connection.data.join(""));
  }
}

function collecting(options: HandlerOptions = {}): { setup(site: Site): void } {
  return { setup: (site) => site.addHandler("/pieces", Collector, options) };
}

test("AB21, UT-1: a text byte by byte, each character once it is whole", async () => {
  await serve(collecting(), async (served) => {
    const { client, connection } = await served.pair("/pieces");
    await using _client = client;
    const text = "aé€🐟";
    for (const chunk of cutEvery(frame({ mask: true, payload: text }), 1)) {
      await client.writeAll(chunk);
      await pause(2);
    }
    assertStrictEquals(await readText(client), text);
    const chunks = connection.data as string[];
    assertStrictEquals(chunks.join(""), text);
    assert(chunks.every((chunk) => !chunk.includes("\ufffd")), `${chunks}`);
  });
});

test("AB21: what has arrived is there before the frame is complete", async () => {
  await serve(collecting(), async (served) => {
    const { client, connection } = await served.pair("/pieces");
    await using _client = client;
    const text = "x".repeat(100_000);
    const bytes = frame({ mask: true, payload: text });
    client.write(bytes.subarray(0, 50_000));
    const arrived = () => (connection.data as string[]).join("").length;
    await until(() => arrived() === 50_000 - 14, "the first half");
    client.write(bytes.subarray(50_000));
    assertStrictEquals(await readText(client), text);
  });
});

test("AB21: a bad byte fails at once, and the hook hears of it", async () => {
  const ends: unknown[] = [];
  const setup = (site: Site) =>
    site.addHandler("/", {
      stream: async (_, message) => {
        try {
          for await (const chunk of message) ends.push(chunk);
        } catch (error) {
          ends.push(error);
        }
      },
    });
  await serve({ setup }, async (served) => {
    const { client } = await served.pair("/");
    await using _client = client;
    const payload = concat("ok", Uint8Array.of(0xff));
    const bytes = frame({ mask: true, payload, length: 1_000 });
    client.write(bytes.subarray(0, -1));
    await until(() => ends.length === 1, "the good bytes");
    client.write(bytes.subarray(-1));
    assertStrictEquals(await readClose(client), 1007);
    await until(() => ends.length === 2, "the end");
    const [text, error] = ends;
    assertStrictEquals(text, "ok");
    assert(error instanceof ClosedError);
    assertStrictEquals(error.info.cause, "protocol-error");
  });
});

test("WS32: who leaves a long message early gets the next one", async () => {
  const seen: unknown[] = [];
  const setup = (site: Site) =>
    site.addHandler("/", {
      async stream(connection, message) {
        for await (const chunk of message) {
          seen.push(chunk.length > 0);
          break;
        }
        connection.send("next");
      },
    }, { maxStreamBytes: Infinity });
  await serve({ setup }, async (served) => {
    const { client, connection } = await served.pair("/");
    await using _client = client;
    for (let round = 1; round <= 3; round++) {
      const payload = new Uint8Array(8_000_000);
      await client.writeAll(frame({ mask: true, opcode: "binary", payload }));
      assertStrictEquals(await readText(client), "next");
      const { messagesReceived } = connection.stats;
      assert(messagesReceived >= round - 1 && messagesReceived <= round);
    }
    assertEquals(seen, [true, true, true]);
  });
});

test("BP-3: who does not take the pieces of a message is sent no more", async () => {
  const gate = Promise.withResolvers<void>();
  let length = 0;
  const setup = (site: Site) =>
    site.addHandler("/", {
      async stream(connection, message) {
        await gate.promise;
        for await (const chunk of message) length += chunk.length;
        connection.send("done");
      },
    }, { maxStreamBytes: Infinity });
  await serve({ setup }, async (served) => {
    const { client, connection } = await served.pair("/");
    await using _client = client;
    const payload = new Uint8Array(30_000_000);
    client.write(frame({ mask: true, opcode: "binary", payload }));
    let before = -1;
    while (before !== connection.stats.bytesReceived) {
      before = connection.stats.bytesReceived;
      await pause(200);
    }
    // What one read may bring, on any runtime.
    assert(before > 0 && before < 2_000_000, `${before} bytes were read`);
    gate.resolve();
    assertStrictEquals(await readText(client), "done");
    assertStrictEquals(length, payload.length);
  });
});

test("a client that breaks off in a message is no error of the handler's", async () => {
  const thrown = Promise.withResolvers<unknown>();
  const setup = (site: Site) =>
    site.addHandler("/", {
      async stream(_, message) {
        try {
          await message.whole();
        } catch (error) {
          thrown.resolve(error);
          throw error;
        }
      },
    });
  await serve({ setup }, async (served) => {
    const { client, connection } = await served.pair("/");
    client.sendFrame({ payload: "a", fin: false });
    await until(() => connection.stats.framesReceived === 1, "the fragment");
    client.reset();
    const error = await within(thrown.promise, "the error");
    assert(error instanceof ClosedError);
    assertStrictEquals(error.info.cause, "transport-error");
    await connection.closed;
  });
});

test("a stream hook that throws closes with 1011", async () => {
  const setup = (site: Site) =>
    site.addHandler("/", {
      async stream(_, message) {
        for await (const _ of message) throw new Error("no room on the disk");
      },
    });
  await serve({ setup }, async (served) => {
    const { client } = await served.pair("/");
    await using _client = client;
    client.sendFrame({ payload: "a", fin: false });
    assertStrictEquals(await readClose(client), 1011);
    assertEquals(served.takeErrors(), ["no room on the disk"]);
  });
});

test("AB21: messages of any length and cut, both ways, compressed and not", async () => {
  const random = seededRandom(0xab21);
  for (const takeover of [true, false]) {
    for (const compression of [false, true]) {
      const compressing = compression && {
        thresholdBytes: 0,
        serverNoContextTakeover: !takeover,
        clientNoContextTakeover: !takeover,
      };
      const options = {
        compression: compressing,
        maxStreamBytes: Infinity,
      };
      const setup = (site: Site) =>
        site.addHandler("/mirror", {
          async stream(connection, message) {
            await connection.sendStream(message);
            if (message.binary) connection.send("bytes");
          },
        }, options);
      await serve({ setup }, async (served) => {
        const url = `ws://127.0.0.1:${served.port}/mirror`;
        await using connection = await dial(url, options);
        assertStrictEquals(connection.extensions.length, compression ? 1 : 0);
        for (let round = 0; round < 20; round++) {
          const length = 1 + random.below(round % 5 === 0 ? 300_000 : 3_000);
          const bytes = random.bytes(length).map((byte) => byte & 0x1f);
          if (round % 2 === 0) {
            connection.send(bytes);
            const back = await connection.receiveStream();
            const whole = await back.whole(Infinity);
            assert(back.binary && sameBytes(concat(whole), bytes));
            assertStrictEquals(await connection.receive(), "bytes");
          } else {
            const text = String.fromCharCode(...bytes.subarray(0, 9_000));
            const sent = `🐟${text}é`;
            void connection.sendStream(sent.match(/.{1,700}/gsu) ?? []);
            let got = "";
            for await (const chunk of await connection.receiveStream()) {
              got += chunk;
            }
            assertStrictEquals(got, sent);
          }
        }
      });
    }
  }
});

test("AB21: one who dials may take pieces by a handler, or by asking", async () => {
  let gate = Promise.withResolvers<void>();
  const setup = (site: Site) =>
    site.addHandler("/feed", async (connection) => {
      await connection.sendStream(async function* () {
        yield* ["one, ", "two, "];
        await gate.promise;
        yield "three";
      }());
      await connection.closed;
    });
  await serve({ setup }, async (served) => {
    const url = `ws://127.0.0.1:${served.port}/feed`;
    const texts = Promise.withResolvers<string>();
    await using handled = await dial(url, {
      handler: {
        stream: async (_, message) => texts.resolve(`${await message.whole()}`),
      },
    });
    gate.resolve();
    assertStrictEquals(await texts.promise, "one, two, three");
    gate = Promise.withResolvers();
    // From the first message on, for the option says so.
    await using asking = await dial(url, { maxStreamBytes: 1_000 });
    await until(() => asking.stats.framesReceived > 0, "the first fragment");
    const { readable } = await asking.receiveStream();
    let text = "";
    for await (const chunk of readable) {
      if (text === "") gate.resolve();
      text += chunk;
    }
    assertStrictEquals(text, "one, two, three");
    assertStrictEquals(handled.readyState, 1);
  });
});
