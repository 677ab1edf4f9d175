/**
 * Compressed messages over sockets, in both roles: what is marked, what is not, and
 * what breaks the rules (RFC 7692, section 6).
 */
import { deflateRawSync } from "node:zlib";
import { assert, assertEquals, test } from "../harness.ts";
import { concat } from "../harness/bytes.ts";
import { within } from "../harness/deadline.ts";
import { closePayload } from "../harness/frame.ts";
import { type End, type Role, testBoth, withEnd } from "./ends.ts";
import { deflated, ZlibPeer } from "./zlib_peer.ts";

const LONG = "a text that is long enough to be worth it, ".repeat(20);

/** Asserts that the next message is that, and goes out so. */
async function assertSent(
  { read }: End,
  text: string,
  rsv: number,
): Promise<void> {
  const frame = await read();
  assertEquals([frame.text, frame.rsv, frame.fin], [text, rsv, true]);
}

testBoth(
  "B-6: a message is compressed unless it says otherwise",
  {},
  async (end) => {
    const { connection } = end;
    connection.send(LONG);
    await assertSent(end, LONG, 4);
    connection.send(LONG, { compress: false });
    await assertSent(end, LONG, 0);
    connection.send(new TextEncoder().encode(LONG), { compress: true });
    await assertSent(end, LONG, 4);
  },
);

test("PM-12: what is sent with compress: false is in no context", async () => {
  const secret = "token=5f1d7a840b6c4c1e9a573d2f81c6e0b9;".repeat(4);
  const guess = `what an attacker guesses is ${secret}, `.repeat(2);
  // How long a guess is on the wire, after the secret has been sent so.
  const lengthAfter = async (
    role: Role,
    options: { compress: boolean } | undefined,
  ): Promise<number> => {
    let length = 0;
    const extension = "permessage-deflate";
    await withEnd(role, { extension }, async ({ connection, raw }) => {
      if (options !== undefined) {
        connection.send(secret, options);
        const { rsv } = await raw.readFrame();
        assertEquals(rsv === 4, options.compress);
      }
      connection.send(guess);
      length = (await raw.readFrame()).payload.length;
    });
    return length;
  };
  for (const role of ["server", "client"] as const) {
    const never = await lengthAfter(role, undefined);
    const apart = await lengthAfter(role, { compress: false });
    const together = await lengthAfter(role, { compress: true });
    assertEquals(apart, never);
    assert(together < never, `${together} is not less than ${never}`);
  }
});

test("ws compresses an 11-byte reply", async () => {
  for (const role of ["server", "client"] as const) {
    const extension = "permessage-deflate";
    await withEnd(role, { extension }, async (end) => {
      end.connection.send("hello world");
      await assertSent(end, "hello world", 0);
      end.connection.send("x".repeat(127));
      await assertSent(end, "x".repeat(127), 0);
      end.connection.send("x".repeat(128));
      await assertSent(end, "x".repeat(128), 4);
    });
  }
});

testBoth(
  "EX1: thresholdBytes says from where on a message is compressed",
  { compression: { thresholdBytes: 1_000 } },
  async (end) => {
    end.connection.send("x".repeat(999));
    await assertSent(end, "x".repeat(999), 0);
    end.connection.send("x".repeat(1_000));
    await assertSent(end, "x".repeat(1_000), 4);
  },
);

testBoth(
  "EX1: with level 0 what comes is inflated, and nothing compressed",
  { compression: { level: 0 } },
  async (end) => {
    end.connection.send(LONG);
    await assertSent(end, LONG, 0);
    end.sendCompressed(LONG);
    assertEquals(await end.connection.receive(), LONG);
  },
);

testBoth("EX3: uncompressed messages may be mixed in", {}, async (end) => {
  const { connection } = end;
  for (let round = 0; round < 3; round++) {
    end.sendCompressed(LONG);
    end.send({ payload: "plain" }, { opcode: "binary", payload: "b" });
    end.sendCompressed("short");
    end.send({ rsv: 4, opcode: "binary", payload: deflated("bytes") });
    assertEquals(await connection.receive(), LONG);
    assertEquals(await connection.receive(), "plain");
    assertEquals(await connection.receive(), concat("b"));
    assertEquals(await connection.receive(), "short");
    assertEquals(await connection.receive(), concat("bytes"));
  }
});

testBoth("EX3: an empty message, compressed or not", {}, async (end) => {
  const { connection } = end;
  // RFC 7692, section 7.2.3.6, and what zlib makes of nothing.
  const empty = [Uint8Array.of(0x00), Uint8Array.of(0x02, 0x00), concat("")];
  for (const payload of empty) {
    end.send({ rsv: 4, payload });
    assertEquals(await connection.receive(), "");
    end.send({ rsv: 4, opcode: "binary", payload });
    assertEquals(await connection.receive(), new Uint8Array());
  }
  connection.send("");
  await assertSent(end, "", 0);
});

testBoth(
  "EX3, FG-7: a compressed message in fragments, cut anywhere",
  {},
  async (end) => {
    const payload = deflated(LONG);
    for (let at = 0; at <= payload.length; at++) {
      end.send(
        { rsv: 4, fin: false, payload: payload.subarray(0, at) },
        { opcode: "continuation", payload: payload.subarray(at) },
      );
      assertEquals(await end.connection.receive(), LONG);
    }
  },
);

testBoth(
  "PM-5: Ping and Pong, before and within, leave compression alone",
  {},
  async (end) => {
    const { connection, raw } = end;
    end.send({ opcode: "ping", payload: "1" }, { opcode: "pong" });
    assertEquals((await raw.readFrame()).opcode, 10);
    const payload = deflated(LONG);
    end.send(
      { rsv: 4, fin: false, payload: payload.subarray(0, 5) },
      { opcode: "ping", payload: "2" },
      { opcode: "continuation", fin: false, payload: payload.subarray(5, 6) },
      { opcode: "pong", payload: "none" },
      { opcode: "continuation", payload: payload.subarray(6) },
    );
    assertEquals(await connection.receive(), LONG);
    const pong = await raw.readFrame();
    assertEquals([pong.opcode, pong.rsv], [10, 0]);
    connection.send(LONG);
    await assertSent(end, LONG, 4);
  },
);

testBoth(
  "PM-3: RSV1 without negotiation is a breach",
  { extension: undefined },
  async (end) => {
    assertEquals(end.connection.extensions, []);
    end.connection.send(LONG);
    await assertSent(end, LONG, 0);
    end.sendCompressed(LONG);
    const { code, info } = await end.readClose();
    assertEquals([code, info.cause], [1002, "protocol-error"]);
  },
);

test("PM-4: RSV1 on a control frame or a continuation is a breach", async () => {
  const payload = deflated("Hello");
  const breaches = ["ping", "pong", "close", "continuation"] as const;
  for (const role of ["server", "client"] as const) {
    for (const opcode of breaches) {
      await withEnd(role, {}, async (end) => {
        const isFragment = opcode === "continuation";
        if (isFragment) end.send({ rsv: 4, fin: false, payload });
        end.send(
          {
            rsv: 4,
            opcode,
            payload: opcode === "close" ? closePayload(1000) : payload,
          },
          // Were that frame to arm it, this one would be inflated.
          { payload },
        );
        const { code, info } = await end.readClose();
        assertEquals([opcode, code], [opcode, 1002]);
        assertEquals(info.cause, "protocol-error");
        assertEquals(end.connection.stats.messagesReceived, 0);
      });
    }
  }
});

test("PM-4: RSV2 and RSV3 stay a breach, also where compression is on", async () => {
  for (const role of ["server", "client"] as const) {
    for (const rsv of [1, 2, 3, 5, 6, 7]) {
      await withEnd(role, {}, async (end) => {
        end.send({ rsv, payload: deflated("Hello") });
        assertEquals((await end.readClose()).code, 1002);
      });
    }
  }
});

testBoth(
  "PM-7: a message that ends with BFINAL is delivered",
  {},
  async (end) => {
    for (const text of ["Hello", LONG]) {
      const final = new Uint8Array(deflateRawSync(text));
      end.send({ rsv: 4, payload: concat(final, Uint8Array.of(0)) });
      assertEquals(await end.connection.receive(), text);
      end.send({ rsv: 4, payload: final });
      assertEquals(await end.connection.receive(), text);
    }
  },
);

testBoth("PM-8: corrupt data ends in 1007", {}, async (end) => {
  end.sendCompressed("before");
  end.send({ rsv: 4, payload: Uint8Array.of(0xff, 0xff, 0xff, 0xff) });
  assertEquals(await end.connection.receive(), "before");
  const { code, info } = await end.readClose();
  assertEquals([code, info.cause], [1007, "protocol-error"]);
});

testBoth(
  "PM-8: text that inflates to what is not UTF-8 ends in 1007",
  {},
  async (end) => {
    end.send({ rsv: 4, payload: deflated(Uint8Array.of(0x61, 0xff, 0x62)) });
    assertEquals((await end.readClose()).code, 1007);
  },
);

testBoth(
  "PM-1, B-7: the limit counts what is inflated, and a bomb ends in 1009",
  { maxMessageBytes: 10_000 },
  async (end) => {
    const { connection } = end;
    end.sendCompressed("x".repeat(10_000));
    assertEquals(await connection.receive(), "x".repeat(10_000));
    end.sendCompressed("x".repeat(10_001));
    const { code, info } = await end.readClose();
    assertEquals([code, info.cause], [1009, "too-big"]);
  },
);

testBoth("PM-1: a bomb in fragments ends in 1009", {}, async (end) => {
  const bomb = deflated(new Uint8Array(64 * 1_048_576));
  const half = bomb.length >> 1;
  end.send(
    { rsv: 4, opcode: "binary", fin: false, payload: bomb.subarray(0, half) },
    { opcode: "continuation", payload: bomb.subarray(half) },
  );
  assertEquals((await end.readClose()).code, 1009);
});

for (
  const extension of [
    "permessage-deflate",
    "permessage-deflate; server_no_context_takeover",
    "permessage-deflate; client_no_context_takeover",
  ]
) {
  testBoth(
    `PM-10: 1,000 messages each way, ${extension}`,
    {
      extension,
      compression: {
        serverMaxWindowBits: 15,
        clientMaxWindowBits: 15,
        thresholdBytes: 0,
      },
    },
    async (end) => {
      const { connection, raw, role } = end;
      const server = {
        bits: 15,
        alone: extension.includes("server_no_context"),
      };
      const client = {
        bits: 15,
        alone: extension.includes("client_no_context"),
      };
      const [ours, theirs] = role === "server"
        ? [server, client]
        : [client, server];
      await using peer = new ZlibPeer(theirs, ours);
      for (let index = 0; index < 1_000; index++) {
        const text = JSON.stringify({ index, square: index ** 2, text: "ab" });
        const payload = await peer.compress(new TextEncoder().encode(text));
        end.send({ rsv: 4, payload });
        assertEquals(await connection.receive(), text);
        connection.send(text);
        const frame = await raw.readFrame();
        const bytes = frame.rsv === 4
          ? peer.inflate(frame.payload)
          : frame.payload;
        assertEquals(new TextDecoder().decode(bytes), text);
      }
    },
  );
}

testBoth("PM-11: messages, then Close, keep their order", {}, async (end) => {
  const { connection } = end;
  const texts = Array.from({ length: 1_000 }, (_, index) => `${index} ${LONG}`);
  for (const text of texts) connection.send(text);
  connection.close(1000, "done");
  for (const text of texts) assertEquals((await end.read()).text, text);
  const close = await end.read();
  assertEquals(close.opcode, 8);
});

testBoth(
  "PM-11: terminate() after 1,000 messages calls nobody",
  {},
  async (end) => {
    const { connection } = end;
    for (let index = 0; index < 1_000; index++) connection.send(LONG);
    connection.terminate();
    const info = await within(connection.closed, "the end");
    assertEquals([info.cause, info.wasClean], ["local", false]);
    assertEquals(connection.send(LONG), false);
  },
);

testBoth(
  "PM-11: a reset while messages are inflated ends in order",
  {},
  async (end) => {
    const { connection, raw } = end;
    for (let index = 0; index < 100; index++) end.sendCompressed(LONG);
    assertEquals(await connection.receive(), LONG);
    raw.reset();
    const info = await within(connection.closed, "the end");
    assertEquals(info.cause, "transport-error");
  },
);

testBoth(
  "EX3: sendStream() compresses, RSV1 on the first frame alone",
  { extension: "permessage-deflate" },
  async (end) => {
    const { connection, raw } = end;
    await using peer = new ZlibPeer(
      { bits: 15, alone: true },
      { bits: 15, alone: false },
    );
    // What is not worth it is among them, and several messages, for the context.
    const chunks = [LONG, "short", "", LONG, "x"];
    for (let round = 0; round < 4; round++) {
      await connection.sendStream(chunks);
      connection.send(LONG);
      const frames = [];
      for (let at = 0; at < chunks.length; at++) {
        frames.push(await raw.readFrame());
      }
      assertEquals(
        frames.map(({ rsv, opcode, fin }) => [rsv, opcode, fin]),
        [
          [4, 1, false],
          [0, 0, false],
          [0, 0, false],
          [0, 0, false],
          [0, 0, true],
        ],
      );
      const whole = peer.inflate(concat(...frames.map((f) => f.payload)));
      assertEquals(new TextDecoder().decode(whole), chunks.join(""));
      const next = await raw.readFrame();
      assertEquals(next.rsv, 4);
      const text = new TextDecoder().decode(peer.inflate(next.payload));
      assertEquals(text, LONG);
    }
  },
);

testBoth(
  "EX3: sendStream() leaves a message as it is where it is told to, or not worth it",
  {},
  async (end) => {
    const { connection, raw } = end;
    await connection.sendStream([LONG, LONG], { compress: false });
    await connection.sendStream(["short", LONG]);
    for (const text of [LONG, LONG, "short", LONG]) {
      const { rsv, payload } = await raw.readFrame();
      assertEquals([rsv, new TextDecoder().decode(payload)], [0, text]);
    }
  },
);

testBoth(
  "B-6: sendStream() refuses what is no option",
  {},
  ({ connection }) => {
    let thrown: unknown;
    try {
      void connection.sendStream(
        [],
        { compres: false } as unknown as { compress: boolean },
      );
    } catch (error) {
      thrown = error;
    }
    assert(thrown instanceof TypeError, String(thrown));
    return Promise.resolve();
  },
);
