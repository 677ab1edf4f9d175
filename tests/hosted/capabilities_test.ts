/**
 * What hosts do otherwise than a socket, row by row of the table in
 * docs/hosted.md. What throws is in tests/ways.
 */
import {
  type CloseInfo,
  type Connection,
  Handler,
  UnsupportedError,
} from "../../server.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { closeCode, closePayload, frame } from "../harness/frame.ts";
import {
  type RawClient,
  rawConnect,
  upgradeRequest,
} from "../harness/raw_client.ts";
import { pause, readText, until } from "../site/served.ts";
import { onHost, testHosted } from "./served.ts";

const MIB = 1_048_576;

/** What an end was, briefly. */
function brief({ cause, code, wasClean, sent }: CloseInfo): unknown[] {
  return [cause, code, wasClean, sent?.code];
}

test("an error says which capability it is about, and why it is not there", () => {
  const error = new UnsupportedError("ping", "deno");
  assertEquals([error.name, error.capability, error.message], [
    "UnsupportedError",
    "ping",
    "Cannot ping on a hosted connection: Deno's WebSockets have no Ping",
  ]);
});

class Stuck extends Handler {
  override async message(): Promise<void> {
    await stuck.promise;
    late.push(this.connection.send("late"));
  }
}
let stuck: PromiseWithResolvers<void>;
const late: boolean[] = [];

testHosted("receiveQueue: what nobody handles is bounded, and ends with 1013", {
  setup: (site) => site.addHandler("/stuck", Stuck, { closeTimeoutMs: 200 }),
}, async (hosted) => {
  stuck = Promise.withResolvers();
  const { client, connection } = await hosted.pair("/stuck");
  await using _client = client;
  const message = frame({
    opcode: "binary",
    payload: new Uint8Array(500_000),
    mask: true,
  });
  let sent = 0;
  while (connection.readyState === 1) {
    assert(sent < 100 * MIB, "everything is taken");
    await client.writeAll(message);
    sent += message.length;
  }
  assert(sent > 16 * MIB, `${sent} bytes were too many`);
  stuck.resolve();
  const info = await within(connection.closed, "the end");
  assertEquals([info.cause, info.sent?.code], ["backpressure", 1013]);
  assert(info.error?.message.includes("cannot be told to read less"));
});

testHosted("receiveQueue: small messages count for what they cost", {
  setup: (site) => site.addHandler("/stuck", Stuck, { closeTimeoutMs: 200 }),
}, async (hosted) => {
  stuck = Promise.withResolvers();
  const { client, connection } = await hosted.pair("/stuck");
  await using _client = client;
  const one = frame({ payload: "x", mask: true });
  const many = new Uint8Array(one.length * 10_000);
  for (let at = 0; at < many.length; at += one.length) many.set(one, at);
  let count = 0;
  while (connection.readyState === 1) {
    assert(count < 1_000_000, "everything is taken");
    await client.writeAll(many);
    count += 10_000;
  }
  stuck.resolve();
  const info = await within(connection.closed, "the end");
  assertEquals([info.cause, info.sent?.code], ["backpressure", 1013]);
});

testHosted(
  "sendStream: a message in fragments is held until it is whole, up to a limit",
  {
    setup: (site) =>
      site.addHandler("/limited", Handler, { sendMaxBytes: 100_000 }),
  },
  async (hosted) => {
    const { client, connection } = await hosted.pair("/limited");
    await using _client = client;
    await connection.sendStream(["a", "b".repeat(90_000), "c"]);
    const { fin, opcode, payload } = await client.readFrame();
    assertEquals([fin, opcode, payload.length], [true, 1, 90_002]);
    const chunk = new Uint8Array(20_000);
    const sent = connection.sendStream(Array.from({ length: 9 }, () => chunk));
    sent.catch(() => {});
    const close = await client.readFrame();
    assertEquals([close.opcode, closeCode(close.payload)], [8, 1011]);
    client.sendFrame({ opcode: "close", payload: close.payload });
    const info = await within(connection.closed, "the end");
    assert(info.error?.message.includes("can only send it whole"));
  },
);

testHosted(
  "maxMessageBytes: what is over the host's own limit is dropped by it",
  {
    setup: (site) => site.addHandler("/big", Handler),
  },
  async (hosted) => {
    const { client, connection } = await hosted.pair("/big");
    await using _client = client;
    const length = onHost({ deno: 64 * MIB + 1, bun: 16 * MIB + 1 });
    client.write(
      frame({
        opcode: "binary",
        payload: new Uint8Array(9),
        mask: true,
        length,
      }),
    );
    const info = await within(connection.closed, "the end");
    assertEquals([info.cause, info.code, info.wasClean], [
      "too-big",
      1006,
      false,
    ]);
    assert(info.error !== undefined);
  },
);

testHosted("maxFragments: a host joins any number of them", {
  setup: (site) => site.addHandler("/few", Handler, { maxFragments: 3 }),
}, async (hosted) => {
  const { client, connection } = await hosted.pair("/few");
  await using _client = client;
  client.sendFrame({ payload: "a", fin: false });
  for (let i = 0; i < 10; i++) {
    client.sendFrame({ opcode: "continuation", payload: "b", fin: i === 9 });
  }
  await until(() => connection.stats.messagesReceived === 1, "the message");
});

const traced: string[] = [];

testHosted(
  "frames: a message is one, and on Deno no Ping is seen",
  {
    onFrame: ({ direction, opcode }) => {
      traced.push(`${direction} ${opcode}`);
    },
  },
  async (hosted) => {
    const { client, connection } = await hosted.pair();
    await using _client = client;
    traced.length = 0;
    client.sendFrame({ payload: "a", fin: false });
    client.sendFrame({ opcode: "continuation", payload: "b" });
    assertEquals(await readText(client), "ab");
    client.sendFrame({ opcode: "ping" });
    assertEquals((await client.readFrame()).opcode, 10);
    const pings = onHost({ deno: [], bun: ["received ping", "sent pong"] });
    await until(() => traced.length === 2 + pings.length, "all frames");
    assertEquals(traced, ["received text", "sent text", ...pings]);
    const { framesReceived, framesSent } = connection.stats;
    const more = pings.length / 2;
    assertEquals([framesReceived, framesSent], [1 + more, 1 + more]);
  },
);

testHosted(
  "breaches: a peer that breaks the protocol is the host's to end",
  {},
  async (hosted) => {
    for (
      const bytes of [
        frame({ rsv: 4, mask: true, payload: "x" }),
        frame({ opcode: 3, mask: true }),
        frame({ opcode: "continuation", mask: true }),
        frame({ opcode: "close", mask: true, payload: closePayload(1004) }),
        frame({ opcode: "close", mask: true, payload: Uint8Array.of(3) }),
        frame({ opcode: "ping", mask: true, fin: false }),
      ]
    ) {
      const { client, connection } = await hosted.pair();
      await using _client = client;
      client.write(bytes);
      const info = await within(connection.closed, "the end");
      assertEquals([info.cause, info.code, info.wasClean], [
        "protocol-error",
        1006,
        false,
      ]);
      assert(info.error!.message.length > 5);
    }
    const { client, connection } = await hosted.pair();
    await using _client = client;
    client.write(frame({ payload: "unmasked" }));
    const { opcode } = await client.readFrame();
    assertEquals(opcode, onHost({ deno: 1, bun: 8 }));
    await client[Symbol.asyncDispose]();
    await connection.closed;
  },
);

testHosted("peerCloses: after the peer's Close frame nothing can be sent", {
  setup: (site) => site.addHandler("/stuck", Stuck),
}, async (hosted) => {
  stuck = Promise.withResolvers();
  late.length = 0;
  const { client, connection } = await hosted.pair("/stuck");
  await using _client = client;
  client.sendFrame({ payload: "takes long" });
  client.sendFrame({ opcode: "close", payload: closePayload(1000, "bye") });
  assertEquals((await client.readFrame()).opcode, 8);
  const info = await within(connection.closed, "the end");
  assertEquals(brief(info), ["peer", 1000, true, 1000]);
  assertEquals(info.received, { code: 1000, reason: "bye" });
  stuck.resolve();
  await until(() => late.length > 0, "the hook");
  assertEquals(late, [false]);
});

async function closedBy(
  connection: Connection,
  client: RawClient,
  answer: (client: RawClient) => void,
): Promise<CloseInfo> {
  const closed = connection.close(1000, "bye");
  assertEquals((await client.readFrame()).opcode, 8);
  answer(client);
  return await within(closed, "the end");
}

testHosted(
  "closeAnswer: what the peer answers is not always told",
  {},
  async (hosted) => {
    const clean = ["local", 3333, true, 1000];
    const unheard = ["local", 1006, false, 1000];
    const answers: readonly (readonly [
      (client: RawClient) => void,
      unknown[],
    ])[] = [
      [
        (client) =>
          client.sendFrame({ opcode: "close", payload: closePayload(3333) }),
        onHost({ deno: clean, bun: unheard }),
      ],
      [
        (client) => {
          client.sendFrame({ payload: "one more" });
          client.sendFrame({ opcode: "close", payload: closePayload(3333) });
        },
        unheard,
      ],
      [(client) => client.sendFrame({ opcode: "close" }), unheard],
      [(client) => client.end(), unheard],
    ];
    for (const [answer, expected] of answers) {
      const { client, connection } = await hosted.pair();
      await using _client = client;
      const info = await closedBy(connection, client, answer);
      assertEquals(brief(info), expected);
    }
  },
);

testHosted(
  "pingHooks: a handler that waits for Pings in vain is reported, once",
  {
    setup: (site) =>
      site.addHandler(
        "/pings",
        class extends Handler {
          override ping(): void {}
        },
      ),
  },
  async (hosted) => {
    for (let i = 0; i < 2; i++) {
      const { client } = await hosted.pair("/pings");
      await using _client = client;
      client.sendFrame({ opcode: "ping" });
      assertEquals((await client.readFrame()).opcode, 10);
    }
    assertEquals(hosted.errors.length, onHost({ deno: 1, bun: 0 }));
    for (const error of hosted.errors) {
      assert(error instanceof UnsupportedError);
      assertEquals(error.capability, "pingHooks");
    }
  },
);

testHosted("head: a request of HTTP/1.0 is let in", {}, async (hosted) => {
  await using client = await rawConnect(hosted.port);
  client.write(upgradeRequest().replace("HTTP/1.1", "HTTP/1.0"));
  assert(/^HTTP\/1\.\d 101 /.test(await client.readHead()));
});

testHosted(
  "head: a target of another host is refused where it can be seen",
  {},
  async (hosted) => {
    await using client = await rawConnect(hosted.port);
    client.write(upgradeRequest("http://other.example/echo"));
    const status = onHost({ deno: "400", bun: "101" });
    assert((await client.readHead()).startsWith(`HTTP/1.1 ${status} `));
  },
);

testHosted(
  "compression: what is offered is not agreed on",
  { compression: true },
  async (hosted) => {
    await using client = await rawConnect(hosted.port);
    client.write(upgradeRequest("/echo", {
      "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
    }));
    const head = await client.readHead();
    assert(head.startsWith("HTTP/1.1 101 "), head);
    assert(!/sec-websocket-extensions/i.test(head), head);
    client.sendFrame({ payload: "plain" });
    const { rsv, payload } = await client.readFrame();
    assertEquals([rsv, payload.length], [0, 5]);
  },
);

testHosted("early: frames sent before an answer that takes time", {
  setup: (site) =>
    site.addHandler(
      "/slow",
      class extends Handler {
        static upgrade(): Promise<void> {
          return pause(50);
        }
        override message(data: string | Uint8Array): void {
          this.connection.send(data);
        }
      },
    ),
}, async (hosted) => {
  await using client = await rawConnect(hosted.port);
  client.write(upgradeRequest("/slow"), frame({ payload: "hi", mask: true }));
  const status = onHost({ deno: "101", bun: "400" });
  assert((await client.readHead()).startsWith(`HTTP/1.1 ${status} `));
  if (status === "101") assertEquals(await readText(client), "hi");
});

testHosted(
  "bufferedAmount: what the host holds counts from 64 KiB",
  {},
  async (hosted) => {
    const { client, connection } = await hosted.pair();
    await using _client = client;
    client.pause();
    assertEquals(connection.send(new Uint8Array(60_000)), true);
    await pause(5);
    assertEquals(connection.bufferedAmount, 0);
    for (let i = 0; i < 200; i++) connection.send(new Uint8Array(65_536));
    await pause(20);
    assert(connection.bufferedAmount > 65_536);
    client.resume();
    await within(connection.drained, "room");
  },
);

testHosted(
  "what waits for a hosted connection is told of its end",
  {},
  async (hosted) => {
    const { client, connection } = await hosted.pair();
    client.pause();
    for (let i = 0; i < 300; i++) connection.send(new Uint8Array(65_536));
    const drained = connection.drained;
    await client[Symbol.asyncDispose]();
    await assertRejects(() => within(drained, "the rejection"));
  },
);
