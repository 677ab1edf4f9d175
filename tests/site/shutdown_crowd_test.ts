/**
 * The end of a server whose clients are busy, stuck, or half-way in, in a process
 * of its own that has to end by itself (LC-7, LC-8; a twentieth of the crowd).
 */
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { Child } from "../harness/child.ts";
import { within } from "../harness/deadline.ts";
import { closeCode } from "../harness/frame.ts";
import {
  type RawClient,
  rawConnect,
  rawUpgrade,
  upgradeRequest,
} from "../harness/raw_client.ts";
import { assertRefused, until } from "./served.ts";

interface Report {
  readonly open: number;
  readonly tookMs: number;
  readonly ends: Record<
    string,
    { cause: string; code: number; wasClean: boolean; sent: number }
  >;
}

const LIVE = 250;
const FEW = 3;

function startSite(timeoutMs: number): Child {
  return Child.running("tests/site/shutdown_child.ts", [`${timeoutMs}`]);
}

/** Sends numbers, reads them back, and answers the Close frame. */
class LiveClient {
  readonly client: RawClient;
  /** What came: messages, and the code of the Close frame. */
  received = 0;
  code: number | undefined;
  #sent = 0;

  constructor(client: RawClient) {
    this.client = client;
  }

  talk(): void {
    if (this.code !== undefined) return;
    this.client.sendFrame({ payload: `${this.#sent++}` });
  }

  async listen(): Promise<void> {
    let echoes = 0;
    while (true) {
      const { opcode, payload } = await this.client.readFrame(20_000);
      if (opcode === 8) {
        this.code = closeCode(payload);
        this.client.sendFrame({ opcode: "close", payload });
        this.client.end();
        await this.client.readToEnd();
        return;
      }
      this.received++;
      const text = new TextDecoder().decode(payload);
      if (text !== "last words") assertEquals(text, `${echoes++}`);
    }
  }
}

async function several<T>(
  count: number,
  make: (n: number) => Promise<T>,
): Promise<T[]> {
  const made: T[] = [];
  // Not all at once: the kernel's queue is short.
  while (made.length < count) {
    const batch = Array.from(
      { length: Math.min(25, count - made.length) },
      (_, n) => make(made.length + n),
    );
    made.push(...await Promise.all(batch));
  }
  return made;
}

async function dispose(clients: readonly RawClient[]): Promise<void> {
  await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
}

test("LC-7: a crowd that talks is shut down in time, and nothing is lost", async () => {
  const timeoutMs = 5_000;
  await using child = startSite(timeoutMs);
  const port = await child.json<number>();
  const everyone: RawClient[] = [];
  const open = async (path: string) => {
    const client = await rawUpgrade(port, path);
    everyone.push(client);
    return client;
  };
  try {
    const stuck = await several(FEW, (n) => open(`/stuck/s${n}`));
    for (const client of stuck) client.pause();
    const streaming = await several(FEW, (n) => open(`/streaming/f${n}`));
    const partial = await several(FEW, () => rawConnect(port));
    const undecided = await several(FEW, () => rawConnect(port));
    everyone.push(...partial, ...undecided);
    for (const client of partial) {
      client.write(upgradeRequest("/live/x").slice(0, 50));
    }
    for (const client of undecided) client.write(upgradeRequest("/undecided"));
    const live = await several(
      LIVE,
      async (n) => new LiveClient(await open(`/live/${n}`)),
    );
    // Some are in the middle of a message of their own.
    const talking = live.slice(FEW);
    for (const { client } of live.slice(0, FEW)) {
      client.sendFrame({ payload: "half a message", fin: false });
    }
    const ends = live.map((one) => one.listen());
    let turn = 0;
    const talk = setInterval(() => {
      for (let n = 0; n < 20; n++) talking[turn++ % talking.length]!.talk();
    }, 20);
    const received = () => live.reduce((sum, one) => sum + one.received, 0);
    await until(() => received() > LIVE + 200, "some talk");
    child.signal("SIGTERM");
    await Promise.race(ends);
    await assertRejects(() => rawConnect(port));
    for (const client of partial) {
      assertRefused(new TextDecoder().decode(await client.readToEnd()), 503);
      client.end();
    }
    for (const client of streaming) {
      const first = await client.readFrame();
      assertEquals([first.opcode, first.fin], [1, false]);
      const { opcode, payload } = await client.readFrame();
      assertEquals([opcode, closeCode(payload)], [8, 1001]);
      client.sendFrame({ opcode: "close", payload });
      client.end();
    }
    await within(Promise.all(ends), "all who listen", 20_000);
    clearInterval(talk);
    const report = await child.json<Report>();
    assertEquals(report.open, LIVE + 2 * FEW);
    // As long as those who are stuck may take, and not the 10 seconds that one may
    // take by default.
    assert(report.tookMs > timeoutMs - 50, `${report.tookMs} ms`);
    assert(report.tookMs < timeoutMs + 4_500, `${report.tookMs} ms`);
    for (const [n, { code, received }] of live.entries()) {
      assertEquals(code, 1001);
      const sent = received;
      const end = { cause: "shutdown", code: 1001, wasClean: true, sent };
      assertEquals(report.ends[`${n}`], end, `client ${n}`);
    }
    for (let n = 0; n < FEW; n++) {
      assertEquals(report.ends[`s${n}`]?.cause, "close-timeout");
      assertEquals(report.ends[`f${n}`]?.cause, "shutdown");
    }
    for (const client of undecided) await client.readToEnd();
    await child.assertEnds();
  } finally {
    await dispose(everyone);
  }
});

test("LC-8: with no time at all a crowd is dropped at once", async () => {
  await using child = startSite(0);
  const port = await child.json<number>();
  const clients: RawClient[] = [];
  try {
    clients.push(...await several(LIVE, (n) => rawUpgrade(port, `/live/${n}`)));
    const stuck = await several(FEW, (n) => rawUpgrade(port, `/stuck/s${n}`));
    for (const client of stuck) client.pause();
    clients.push(...stuck, ...await several(FEW, () => rawConnect(port)));
    child.signal("SIGTERM");
    const { open, tookMs, ends } = await child.json<Report>();
    assertEquals(open, LIVE + FEW);
    // Not the 10 seconds that it may take by default.
    assert(tookMs < 8_000, `${tookMs} ms`);
    assertEquals(Object.keys(ends).length, LIVE + FEW);
    await child.assertEnds();
    for (const client of stuck) client.resume();
    await Promise.all(clients.map((client) => client.readToEnd()));
  } finally {
    await dispose(clients);
  }
});
