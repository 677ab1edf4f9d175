/** CI-15: a server that does not read makes those wait who write to a stream. */
import { dial } from "../../client.ts";
import { WebSocketStream } from "../../websocket.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { RawServer } from "../harness/raw_server.ts";
import { pause } from "../site/served.ts";

const MEBIBYTE = 1_048_576;
const CHUNK = new Uint8Array(65_536).map((_, at) => at * 31);

/** Ways to get a stream to write to, and how to let go of it. */
const WAYS: [
  name: string,
  open: (url: string) => Promise<[WritableStream<Uint8Array>, () => void]>,
][] = [
  ["writable", async (url) => {
    const connection = await dial(url);
    const writable = connection.writable as WritableStream<Uint8Array>;
    return [writable, () => connection.terminate()];
  }],
  ["WebSocketStream", async (url) => {
    const stream = new WebSocketStream(url);
    stream.closed.catch(() => {});
    const { writable } = await stream.opened;
    return [writable as WritableStream<Uint8Array>, () => {}];
  }],
];

for (const [way, open] of WAYS) {
  test(`CI-15: who writes by ${way} waits for a server that does not read`, async () => {
    await using server = await RawServer.listen();
    const opening = open(`ws://127.0.0.1:${server.port}/`);
    const raw = await server.acceptUpgrade();
    const [writable, drop] = await opening;
    const writer = writable.getWriter();
    raw.pause();
    let written = 0;
    let waiting: Promise<void> | undefined;
    while (waiting === undefined && written < 64 * MEBIBYTE) {
      const writing = writer.write(CHUNK).then(() => true);
      const isDone = await Promise.race([writing, pause(250)]);
      if (isDone !== true) waiting = writing.then(() => {});
      else written += CHUNK.length;
    }
    // The kernel's buffers, and a chunk: no more is kept for it.
    assert(waiting !== undefined, "it took it all");
    raw.resume();
    await within(waiting, "the write that waited");
    written += CHUNK.length;
    for (let at = 0; at < written; at += CHUNK.length) {
      const { opcode, payload } = await raw.readFrame();
      assertEquals([opcode, payload.length], [2, CHUNK.length]);
      if (at === 0) assertEquals(payload, CHUNK);
    }
    drop();
    raw.reset();
    await writer.closed.catch(() => {});
  });
}
