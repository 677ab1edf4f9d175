/** `onFrame` on a site and on a dialled connection (WS16; logFrames). */
import { dial, type DialOptions } from "../../client.ts";
import type {
  Connection,
  FrameTrace,
  Site,
  SiteOptions,
} from "../../server.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { concat } from "../harness/bytes.ts";
import { within } from "../harness/deadline.ts";
import { closePayload, frame } from "../harness/frame.ts";
import {
  rawConnect,
  rawUpgrade,
  upgradeRequest,
} from "../harness/raw_client.ts";
import { readText, serve, until } from "./served.ts";

/** A frame in one line. */
function line({ direction, opcode, fin, code, preview }: FrameTrace): string {
  const more = fin ? "" : "+";
  return `${direction} ${opcode}${more} ${code ?? preview}`;
}

/** Collects frames by connection. */
class Frames {
  readonly #lines: Map<Connection, string[]> = new Map();
  readonly listener = (frame: FrameTrace, connection: Connection): void => {
    const lines = this.#lines.get(connection) ?? [];
    this.#lines.set(connection, [...lines, line(frame)]);
  };

  of(connection: Connection): string[] {
    return this.#lines.get(connection) ?? [];
  }
}

test("WS16: onFrame tells each frame of each connection, both ways", async () => {
  const frames = new Frames();
  await serve({ onFrame: frames.listener }, async (served) => {
    const { client, connection } = await served.pair("/echo");
    const { client: other, connection: otherConnection } = await served.pair(
      "/echo",
    );
    client.write(
      frame({ payload: "hel", fin: false, mask: true }),
      frame({ opcode: "ping", payload: Uint8Array.of(7), mask: true }),
      frame({ opcode: "continuation", payload: "lo", mask: true }),
    );
    await client.readFrame();
    assertEquals(await readText(client), "hello");
    client.sendFrame({ opcode: "close", payload: closePayload(3001) });
    await client.readFrame();
    assertEquals(frames.of(connection), [
      "received text+ hel",
      "received ping 07",
      "received continuation lo",
      "sent pong 07",
      "sent text hello",
      "received close 3001",
      "sent close 3001",
    ]);
    other.sendFrame({ opcode: "binary", payload: Uint8Array.of(1) });
    await other.readFrame();
    assertEquals(frames.of(otherConnection), [
      "received binary 01",
      "sent binary 01",
    ]);
    await client[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
  });
});

test("WS16: what shares a segment with the request, and what a constructor sends, is told", async () => {
  const frames = new Frames();
  let kept: Connection | undefined;
  const setup = (site: Site): void => {
    site.addHandler("/greet", {
      open(connection) {
        kept = connection;
        connection.send("hi");
      },
      message: (connection, data) => void connection.send(data),
    });
  };
  await serve({ setup, onFrame: frames.listener }, async ({ port }) => {
    await using client = await rawConnect(port);
    client.write(
      concat(upgradeRequest("/greet"), frame({ payload: "early", mask: true })),
    );
    await client.readHead();
    assertEquals([await readText(client), await readText(client)], [
      "hi",
      "early",
    ]);
    assertEquals([...frames.of(kept!)].sort(), [
      "received text early",
      "sent text early",
      "sent text hi",
    ]);
  });
});

test("WS16: frames that break the protocol are told too", async () => {
  const frames = new Frames();
  await serve({ onFrame: frames.listener }, async (served) => {
    const { client, connection } = await served.pair("/echo");
    client.write(frame({ payload: "not masked" }));
    await client.readFrame();
    assertEquals(frames.of(connection), [
      "received text not masked",
      "sent close 1002",
    ]);
    await client[Symbol.asyncDispose]();
  });
});

test("WS16: onFrame that throws is reported, and harms nothing", async () => {
  const onFrame = (frame: FrameTrace): void => {
    if (frame.opcode === "binary") throw new Error("of the listener");
  };
  await serve({ onFrame }, async (served) => {
    await using client = await rawUpgrade(served.port, "/echo");
    client.sendFrame({ opcode: "binary", payload: Uint8Array.of(1) });
    assertEquals((await client.readFrame()).opcode, 2);
    assertEquals(served.takeErrors(), ["of the listener", "of the listener"]);
  });
});

test("WS16: onFrame of dial(), with counters and back-pressure as without", async () => {
  const frames = new Frames();
  await serve({}, async ({ port, site }) => {
    const onFrame = frames.listener;
    const url = `ws://127.0.0.1:${port}/echo`;
    const connection = await dial(url, { onFrame });
    connection.send("hello");
    assertEquals(await connection.receive(), "hello");
    await connection.ping(Uint8Array.of(9));
    const big = new Uint8Array(1_000_000).fill(1);
    connection.send(big);
    await within(connection.drained, "the buffer to drain");
    assertEquals(await connection.receive(), big);
    const { payloadBytesSent, framesSent, bytesSent } = connection.stats;
    assertEquals([payloadBytesSent, framesSent], [5 + 1 + 1_000_000, 3]);
    assert(bytesSent > 1_000_000);
    assert(connection.remoteAddress.transport === "tcp");
    assertEquals(connection.remoteAddress.port, port);
    const info = await connection.close(1000, "done");
    assertEquals([info.code, info.wasClean], [1000, true]);
    const ones = `${Array(25).fill("01").join(" ")}…`;
    assertEquals(frames.of(connection), [
      "sent text hello",
      "received text hello",
      "sent ping 09",
      "received pong 09",
      `sent binary ${ones}`,
      `received binary ${ones}`,
      "sent close 1000",
      "received close 1000",
    ]);
    await until(() => site.connections.size === 1, "the end");
  });
});

test("AP-1: onFrame must be a function", async () => {
  for (const onFrame of [null, {}, "x", true]) {
    const options = { onFrame } as unknown as SiteOptions & DialOptions;
    await assertRejects(() => dial("ws://127.0.0.1:1/", options), TypeError);
    await assertRejects(() => serve(options, async () => {}), TypeError);
  }
});

test("WS16: what a listener sends comes whole, behind what it was told of", async () => {
  const texts: string[] = [];
  const setup = (site: Site): void => {
    site.addHandler("/take", {
      message: (_, data) => void texts.push(data as string),
    });
  };
  // Long ones leave within the call of `send`, short ones behind it.
  const lengths = [10, 200_000, 5, 70_000, 300_000, 1];
  await serve({ setup }, async ({ port }) => {
    let count = 0;
    const connection = await dial(`ws://127.0.0.1:${port}/take`, {
      onFrame({ direction, opcode }, connection) {
        if (direction !== "sent" || opcode !== "text" || count === 60) return;
        const length = lengths[count % lengths.length]!;
        connection.send(`b${count++}`.padEnd(length, "."));
      },
    });
    const expected = lengths.map((length, index) =>
      `a${index}`.padEnd(length, ".")
    );
    for (const text of expected) connection.send(text);
    await until(() => texts.length === 60 + lengths.length, "all texts");
    const { code } = await connection.close();
    assertEquals(code, 1000);
    assertEquals(texts.filter((text) => text.startsWith("a")), expected);
    const others = texts.filter((text) => text.startsWith("b"));
    assert(
      others.every((text, index) =>
        text === `b${index}`.padEnd(lengths[index % lengths.length]!, ".")
      ),
      "they are not as they were sent",
    );
  });
});

test("WS16: a listener may close or drop the connection", async () => {
  const setup = (site: Site): void => {
    site.addHandler("/take", { message: () => {} });
  };
  await serve({ setup }, async ({ port }) => {
    for (const ends of ["close", "terminate"] as const) {
      const connection = await dial(`ws://127.0.0.1:${port}/take`, {
        onFrame({ opcode }, connection) {
          if (opcode === "text") void connection[ends]();
        },
      });
      connection.send("x".repeat(200_000));
      connection.send("y");
      const { code } = await connection.closed;
      assertEquals(code, ends === "close" ? 1000 : 1006);
    }
  });
});
