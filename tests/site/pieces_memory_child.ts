/**
 * A site that receives messages far larger than what it may take of memory, in a
 * process of its own, from a bare socket in the same: prints what came of each, one
 * object in a line. The argument is the size of a message, in MiB.
 */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import process from "node:process";
import { constants, deflateRawSync } from "node:zlib";
import { Handler, Site, type StreamedMessage } from "../../server.ts";
import { upgradeRequest } from "../harness/raw_client.ts";

const MIB = 1_048_576;
const size = Number(process.argv[2]) * MIB;
const DEFLATE = "permessage-deflate; client_no_context_takeover; " +
  "server_no_context_takeover";

/** What came of a message. */
interface Result {
  readonly binary: boolean;
  /** How much of it has arrived, in bytes or characters. */
  readonly length: number;
  /** Longest chunk, likewise. */
  readonly longest: number;
  /** By how much the process was larger than before, at most, in bytes. */
  readonly grownBytes: number;
}

let baseline = 0;
let results = Promise.withResolvers<Result>();

async function receive(message: StreamedMessage): Promise<void> {
  let length = 0;
  let longest = 0;
  let peak = 0;
  let count = 0;
  for await (const chunk of message) {
    // One who is slow at first lets everything come that comes unasked.
    if (count === 0) await new Promise((resolve) => setTimeout(resolve, 300));
    length += chunk.length;
    longest = Math.max(longest, chunk.length);
    if (count++ % 64 === 0) peak = Math.max(peak, process.memoryUsage().rss);
  }
  const { binary } = message;
  results.resolve({ binary, length, longest, grownBytes: peak - baseline });
}

class Taker extends Handler {
  override stream(message: StreamedMessage): Promise<void> {
    return receive(message);
  }
}

const options = { maxStreamBytes: Infinity, maxFragments: Infinity };
const site = new Site({ compression: true, ...options });
site.addHandler("/hook", Taker);
site.addHandler("/asked", async (connection) => {
  await receive(await connection.receiveStream());
});
const server = await site.listen({ port: 0, hostname: "127.0.0.1" });
if (server.addr.transport !== "tcp") throw new Error("Not on TCP");
const { port } = server.addr;

/** Header of a masked frame; the key is 0, so that the payload stays as it is. */
function header(first: number, bytes: number): Buffer {
  const head = Buffer.alloc(14);
  head[0] = first;
  head[1] = 0xff;
  head.writeBigUInt64BE(BigInt(bytes), 2);
  return head;
}

async function write(socket: Socket, bytes: Uint8Array): Promise<void> {
  if (!socket.write(bytes)) await once(socket, "drain");
}

/** Sends a message, and prints what came of it. */
async function measure(
  path: string,
  send: (socket: Socket) => Promise<void>,
): Promise<void> {
  results = Promise.withResolvers();
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  const headers = { "Sec-WebSocket-Extensions": DEFLATE };
  socket.write(upgradeRequest(path, headers));
  await once(socket, "data");
  baseline = process.memoryUsage().rss;
  await send(socket);
  console.log(JSON.stringify(await results.promise));
  socket.destroy();
}

const block = Buffer.alloc(65_536, "sockeye, ");
const blocks = size / block.length;

await measure("/hook", async (socket) => {
  await write(socket, header(0x82, size));
  for (let i = 0; i < blocks; i++) await write(socket, block);
});
await measure("/asked", async (socket) => {
  for (let i = 0; i < blocks; i++) {
    const fin = i === blocks - 1 ? 0x80 : 0;
    await write(socket, header(fin | (i === 0 ? 1 : 0), block.length));
    await write(socket, block);
  }
});
// A thousandth of the size, which is inflated a thousandfold.
const zeros = deflateRawSync(Buffer.alloc(MIB), {
  finishFlush: constants.Z_SYNC_FLUSH,
});
await measure("/hook", async (socket) => {
  const payload = Buffer.concat(Array(size / MIB).fill(zeros)).subarray(0, -4);
  await write(socket, header(0xc2, payload.length));
  await write(socket, payload);
});
await server.shutdown({ timeoutMs: 1_000 });
