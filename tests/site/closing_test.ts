/** How connections end, over real sockets (CL). */
import { type CloseInfo, Handler, type Site } from "../../server.ts";
import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import {
  closeCode,
  closePayload,
  frame,
  parseFrames,
} from "../harness/frame.ts";
import {
  type RawClient,
  rawConnect,
  rawUpgrade,
} from "../harness/raw_client.ts";
import { upgradeRequest } from "../harness/raw_client.ts";
import { pause, serve, type Served, until } from "./served.ts";

/** A handler that reports how its connections ended; it echoes. */
class Reports {
  readonly infos: CloseInfo[] = [];
  readonly setup = (site: Site): void => {
    const { infos } = this;
    class Reporting extends Handler {
      override message(data: string | Uint8Array): void {
        this.connection.send(data);
      }
      override close(info: CloseInfo): void {
        infos.push(info);
      }
    }
    site.addHandler("/report", Reporting);
  };

  /** Takes the report of the one connection that has ended. */
  async next(): Promise<CloseInfo> {
    await until(() => this.infos.length > 0, "the close hook");
    await pause(5);
    assertEquals(this.infos.length, 1);
    return this.infos.pop()!;
  }
}

async function readClose(client: RawClient): Promise<Uint8Array> {
  const { opcode, payload } = await client.readFrame();
  assertEquals(opcode, 8);
  return payload;
}

function close(payload: Uint8Array | string): Uint8Array {
  return frame({ opcode: "close", payload, mask: true });
}

test("CL-1, CL-3: valid close codes are echoed, others answered with 1002", async () => {
  const reports = new Reports();
  await serve({ setup: reports.setup }, async ({ port }) => {
    const valid = [1000, 1001, 1002, 1003, 1007, 1008, 1011, 1014, 3000, 4999];
    const invalid = [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535];
    for (const code of valid) {
      await using client = await rawUpgrade(port, "/report");
      client.write(close(closePayload(code, "bye")));
      assertEquals(await readClose(client), closePayload(code, "bye"));
      client.end();
      const info = await reports.next();
      assertEquals(
        [info.code, info.reason, info.wasClean, info.cause],
        [code, "bye", true, "peer"],
      );
    }
    const bad: [Uint8Array | string, number][] = invalid.map((
      code,
    ) => [closePayload(code), 1002]);
    bad.push(["x", 1002], [closePayload(1000, Uint8Array.of(0xff)), 1007]);
    for (const [payload, code] of bad) {
      await using client = await rawUpgrade(port, "/report");
      client.write(close(payload));
      assertEquals(closeCode(await readClose(client)), code);
      client.end();
      const info = await reports.next();
      assertEquals(
        [info.code, info.wasClean, info.cause, info.sent?.code],
        [1006, false, "protocol-error", code],
      );
    }
    await using client = await rawUpgrade(port, "/report");
    client.write(close(""));
    assertEquals((await readClose(client)).length, 0);
    client.end();
    const { code, wasClean } = await reports.next();
    assertEquals([code, wasClean], [1005, true]);
  });
});

test("CL-2: a peer that ignores our Close and goes on is dropped in time", async () => {
  const reports = new Reports();
  await serve({ setup: reports.setup, closeTimeoutMs: 200 }, async (served) => {
    const { client, connection } = await served.pair("/report");
    const start = performance.now();
    const closed = connection.close(1000);
    const data = frame({
      payload: new Uint8Array(1_000),
      opcode: 2,
      mask: true,
    });
    const chatter = setInterval(() => client.write(data), 5);
    try {
      assertEquals(closeCode(await readClose(client)), 1000);
      assertEquals((await within(closed, "the end")).code, 1006);
      await within(client.closed, "the reset");
    } finally {
      clearInterval(chatter);
    }
    assert(performance.now() - start >= 150, "too early");
    const info = await reports.next();
    assertEquals(
      [info.cause, info.wasClean, info.sent?.code],
      ["close-timeout", false, 1000],
    );
  });
});

test("CL-4: data after a Close, and a second Close, are ignored", async () => {
  const reports = new Reports();
  await serve({ setup: reports.setup }, async ({ port }) => {
    await using client = await rawUpgrade(port, "/report");
    client.write(
      frame({ payload: "before", mask: true }),
      close(closePayload(1000)),
      frame({ payload: "after", mask: true }),
      close(closePayload(4000)),
    );
    assertEquals((await client.readFrame()).payload.length, 6);
    assertEquals(closeCode(await readClose(client)), 1000);
    assertEquals((await client.readToEnd()).length, 0);
    client.end();
    assertEquals((await reports.next()).code, 1000);
  });
});

test("CL-5: a half-close gives 1006, once, after what was asked is answered", async () => {
  const reports = new Reports();
  await serve({ setup: reports.setup }, async ({ port }) => {
    const whole = frame({ payload: "whole", mask: true });
    const starts = [
      new Uint8Array(),
      whole.subarray(0, 1),
      whole.subarray(0, 8),
      frame({ payload: "part", fin: false, mask: true }),
    ];
    for (const start of starts) {
      await using client = await rawConnect(port);
      client.write(upgradeRequest("/report"), whole, start);
      client.end();
      await client.readHead();
      assertEquals((await client.readFrame()).payload.length, 5);
      await client.readToEnd();
      const info = await reports.next();
      assertEquals(
        [info.code, info.wasClean, info.cause],
        [1006, false, "transport-error"],
      );
    }
  });
});

test("CL-6: a reset gives 1006 once, wherever it falls", async () => {
  const reports = new Reports();
  await serve({ setup: reports.setup }, async (served) => {
    const { port } = served;
    const whole = frame({
      payload: new Uint8Array(1_000),
      opcode: 2,
      mask: true,
    });
    // Before the 101 there is nothing to report.
    await using early = await rawConnect(port);
    await early.writeAll(new TextEncoder().encode("GET /report HTTP/1.1\r\n"));
    early.reset();
    await early.closed;
    for (const size of [0, 1, 3, 500]) {
      await using client = await rawUpgrade(port, "/report");
      await client.writeAll(whole.subarray(0, size));
      client.reset();
      const { code, cause } = await reports.next();
      assertEquals([size, code, cause], [size, 1006, "transport-error"]);
    }
    await using closing = await openBy(served, async (client, connection) => {
      void connection.close(4000);
      await readClose(client);
    });
    closing.reset();
    const during = await reports.next();
    assertEquals([during.code, during.sent?.code], [1006, 4000]);
    await using writing = await openBy(served, async (client, connection) => {
      client.pause();
      connection.send(new Uint8Array(8_000_000));
      await pause(10);
    });
    writing.reset();
    assertEquals((await reports.next()).cause, "transport-error");
  });
});

type Pair = Awaited<ReturnType<Served["pair"]>>;

async function openBy(
  served: Served,
  use: (
    client: Pair["client"],
    connection: Pair["connection"],
  ) => Promise<void>,
): Promise<RawClient> {
  const { client, connection } = await served.pair("/report");
  await use(client, connection);
  return client;
}

test("CL-7: both sides close at once, and a ping crosses: clean", async () => {
  const reports = new Reports();
  await serve({ setup: reports.setup }, async (served) => {
    const { client, connection } = await served.pair("/report");
    client.write(
      frame({ opcode: "ping", mask: true }),
      close(closePayload(1000)),
    );
    const closed = connection.close(1000);
    // The Pong may come after the Close frame: only the peer's forbids it
    // (RFC 6455, section 5.5.2).
    const frames = parseFrames(await client.readToEnd());
    assertEquals(frames.map(({ opcode }) => opcode).sort(), [10, 8]);
    const { payload } = frames.find(({ opcode }) => opcode === 8)!;
    assertEquals(closeCode(payload), 1000);
    client.end();
    const info = await closed;
    assertEquals([info.code, info.wasClean], [1000, true]);
    assertEquals(await reports.next(), info);
    await client.closed;
  });
});

test("CL-8: the server ends the stream first", async () => {
  const reports = new Reports();
  await serve({ setup: reports.setup }, async (served) => {
    const { client, connection } = await served.pair("/report");
    const closed = connection.close(1000);
    assertEquals(closeCode(await readClose(client)), 1000);
    // Not before the peer has answered.
    await pause(20);
    assert(!client.ended);
    client.write(close(closePayload(1000)));
    await client.readToEnd();
    client.end();
    assertEquals((await closed).cause, "local");
    await client.closed;
  });
});

test("CL-9: a close that may not be sent is refused, and changes nothing", async () => {
  await serve({}, async (served) => {
    const { client, connection } = await served.pair("/echo");
    for (const code of [0, 999, 1005, 1006, 1015, 2999, 5000, 1000.5]) {
      assertThrows(() => connection.close(code), RangeError);
    }
    assertThrows(() => connection.close(1000, "é".repeat(62)), RangeError);
    assertThrows(() => connection.close(1000, "\ud800"), TypeError);
    assertThrows(() => connection.close("1000" as never), TypeError);
    assertThrows(() => connection.send(5 as never), TypeError);
    assertThrows(() => connection.ping(new Uint8Array(126)), RangeError);
    assertEquals(connection.readyState, 1);
    client.sendFrame({ payload: "still here" });
    assertEquals((await client.readFrame()).payload.length, 10);
    await client[Symbol.asyncDispose]();
  });
});

test("what was sent before a close arrives, also after a terminate elsewhere", async () => {
  await serve({}, async (served) => {
    const { client, connection } = await served.pair("/echo");
    const other = await served.pair("/echo");
    connection.send(new Uint8Array(500_000));
    connection.send("last");
    void connection.close(4000, "done");
    other.connection.terminate();
    assertEquals(connection.send("dropped"), false);
    assertEquals((await client.readFrame()).payload.length, 500_000);
    assertEquals((await client.readFrame()).payload.length, 4);
    assertEquals(closeCode(await readClose(client)), 4000);
    assertEquals((await other.client.readToEnd()).length, 0);
    const info = await other.connection.closed;
    assertEquals([info.cause, info.code], ["local", 1006]);
    await client[Symbol.asyncDispose]();
    await other.client[Symbol.asyncDispose]();
  });
});
