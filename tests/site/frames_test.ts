/** Hostile and odd frames, over real sockets (FR, UT, CT). */
import { Handler, type HandlerOptions, type Site } from "../../server.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { closePayload, frame } from "../harness/frame.ts";
import { rawConnect, rawUpgrade } from "../harness/raw_client.ts";
import { upgradeRequest } from "../harness/raw_client.ts";
import { pause, readClose, serve } from "./served.ts";

/** A handler that writes down what it is told. */
function logging(log: string[]): (site: Site) => void {
  class Logging extends Handler {
    override message(data: string | Uint8Array): void {
      log.push(`${data}`);
    }
    override error(error: Error): void {
      log.push(`${error.name} ${(error as { reason?: string }).reason}`);
    }
  }
  return (site) => site.addHandler("/log", Logging);
}

function text(payload: string | Uint8Array): Uint8Array {
  return frame({ payload, mask: true });
}

test("FR-7, FR-10: after a breach no handler is called, not even in the same read", async () => {
  const log: string[] = [];
  await serve({ setup: logging(log) }, async ({ port }) => {
    const cases: [Uint8Array, number, string][] = [
      [frame({ payload: "" }), 1002, "mask-required"],
      [frame({ payload: "unmasked" }), 1002, "mask-required"],
      [frame({ opcode: "close" }), 1002, "mask-required"],
      // Detected at the second byte.
      [Uint8Array.of(0x81, 0x05), 1002, "mask-required"],
      [frame({ rsv: 4, mask: true }), 1002, "reserved-bits"],
      [frame({ opcode: 11, mask: true }), 1002, "reserved-opcode"],
      [frame({ opcode: 0, mask: true }), 1002, "unexpected-continuation"],
      [
        frame({ payload: "x", lengthForm: 64, mask: true }),
        1002,
        "length-not-minimal",
      ],
      [
        frame({ length: 1n << 63n, lengthForm: 64, mask: true }),
        1002,
        "length-too-big",
      ],
      // FR-1: before a byte of the payload.
      [
        frame({ length: 2_000_000, mask: true }).subarray(0, 10),
        1009,
        "message-too-big",
      ],
      [
        frame({ opcode: "ping", fin: false, mask: true }),
        1002,
        "fragmented-control",
      ],
      [
        frame({ opcode: "close", payload: closePayload(1005), mask: true }),
        1002,
        "invalid-close-code",
      ],
    ];
    for (const [bytes, code, reason] of cases) {
      await using client = await rawConnect(port);
      client.write(
        upgradeRequest("/log"),
        text("before"),
        bytes,
        text("after"),
      );
      await client.readHead();
      assertEquals([await readClose(client), reason], [code, reason]);
      assertEquals((await client.readToEnd()).length, 0);
      assertEquals(log.splice(0), ["before", `ProtocolError ${reason}`]);
    }
  });
});

test("UT-1: invalid UTF-8 fails at the byte, without waiting for the end", async () => {
  const log: string[] = [];
  await serve({ setup: logging(log) }, async ({ port }) => {
    const cases = [
      [frame({ payload: Uint8Array.of(0x61, 0xff), fin: false, mask: true })],
      // Announces 100 bytes, sends two.
      [frame({ payload: Uint8Array.of(0xc0, 0xaf), length: 100, mask: true })],
      [
        frame({ payload: Uint8Array.of(0xed), fin: false, mask: true }),
        frame({
          opcode: 0,
          payload: Uint8Array.of(0xa0),
          fin: false,
          mask: true,
        }),
      ],
      [text(Uint8Array.of(0xe2, 0x82))],
      [text(Uint8Array.of(0xf4, 0x90, 0x80, 0x80))],
    ];
    for (const frames of cases) {
      await using client = await rawUpgrade(port, "/log");
      for (const bytes of frames) await client.writeAll(bytes);
      assertEquals(await readClose(client), 1007);
      assertEquals(log.splice(0), ["ProtocolError invalid-utf8"]);
    }
    // A character split over frames, and a byte order mark, are as sent.
    await using client = await rawUpgrade(port, "/echo");
    client.write(
      frame({
        payload: Uint8Array.of(0xef, 0xbb, 0xbf, 0xe2),
        fin: false,
        mask: true,
      }),
      frame({ opcode: 0, payload: Uint8Array.of(0x82, 0xac), mask: true }),
    );
    const { payload } = await client.readFrame();
    assertEquals([...payload], [0xef, 0xbb, 0xbf, 0xe2, 0x82, 0xac]);
  });
});

test("FR-8: what follows a breach is dropped, and the socket goes in time", async () => {
  const log: string[] = [];
  const setup = logging(log);
  await serve({ setup, closeTimeoutMs: 200 }, async ({ port }) => {
    await using client = await rawUpgrade(port, "/log");
    client.sendFrame({ opcode: 3 });
    assertEquals(await readClose(client), 1002);
    const start = performance.now();
    const junk = new Uint8Array(65_536).fill(0x81);
    let isGone = false;
    void client.closed.then(() => isGone = true);
    while (!isGone && performance.now() - start < 9_000) {
      await client.writeAll(junk);
      await pause(1);
    }
    assert(performance.now() - start < 9_000, "the socket stayed");
    assertEquals(log, ["ProtocolError reserved-opcode"]);
  });
});

test("HT-10: a request after the 101 is a broken frame", async () => {
  const log: string[] = [];
  const root = (): Response => {
    log.push("root");
    return new Response("root");
  };
  await serve({ setup: logging(log), root }, async ({ port }) => {
    await using client = await rawUpgrade(port, "/log");
    client.write("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    assertEquals(await readClose(client), 1002);
    assertEquals((await client.readToEnd()).length, 0);
    assertEquals(log.length, 1);
    assert(log[0]!.startsWith("ProtocolError "));
  });
});

test("FR-11: thousands of frames in one write are echoed in order", async () => {
  await serve({}, async ({ port }) => {
    await using client = await rawUpgrade(port);
    const count = 20_000;
    const all = new Uint8Array(count * 8);
    for (let i = 0; i < count; i++) {
      all.set([0x82, 0x82, 0, 0, 0, 0, i >> 8, i & 255], i * 8);
    }
    client.write(all);
    const echoed = await client.readBytes(count * 4);
    for (let i = 0; i < count; i++) {
      const at = i * 4;
      const number = echoed[at + 2]! * 256 + echoed[at + 3]!;
      if (echoed[at] !== 0x82 || number !== (i & 0xffff)) {
        throw new Error(`Message ${i} is ${number}`);
      }
    }
  });
});

test("FG-7, FG-8: fragments around control frames make one message", async () => {
  const limits: HandlerOptions = { maxFragments: 4, maxMessageBytes: 8 };
  const log: string[] = [];
  const setup = (site: Site): void => {
    class Limited extends Handler {
      override message(data: string | Uint8Array): void {
        log.push(`${data}`);
      }
    }
    site.addHandler("/few", Limited, limits);
  };
  const part = (
    payload: string,
    opcode: "text" | "continuation",
    fin = false,
  ) => frame({ payload, opcode, fin, mask: true });
  await serve({ setup }, async ({ port }) => {
    await using client = await rawUpgrade(port, "/few");
    client.write(
      part("", "text"),
      frame({ opcode: "ping", payload: "1", mask: true }),
      part("ab", "continuation"),
      frame({ opcode: "pong", mask: true }),
      part("", "continuation"),
      part("cdefgh", "continuation", true),
      text("12345678"),
    );
    assertEquals((await client.readFrame()).opcode, 10);
    client.write(part("1234", "text"), part("56789", "continuation"));
    assertEquals(await readClose(client), 1009);
    await using other = await rawUpgrade(port, "/few");
    other.write(part("", "text"), ...Array(4).fill(part("", "continuation")));
    assertEquals(await readClose(other), 1008);
    assertEquals(log, ["abcdefgh", "12345678"]);
  });
});
