/**
 * Clients that read what `frozen.ts` publishes, in a process of their own that it
 * can stop. Arguments: port, path, how many.
 *
 * They say `{}` when all are connected, and on each line of input what came since
 * the last one.
 */
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import process from "node:process";

const [port, path, count] = process.argv.slice(2);

/** Bytes of a header where the payload has 126 to 65,535 bytes. */
const HEADER_BYTES = 4;

const sockets: Socket[] = [];
/** How often each has got one. */
const counts: number[] = [];
let delaysMs: number[] = [];
let disorder = 0;

function open(at: number): Promise<void> {
  const socket = connect({ host: "127.0.0.1", port: Number(port) });
  socket.setNoDelay(true);
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n` +
      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  socket.on("error", () => {});
  sockets.push(socket);
  counts[at] = 0;
  return new Promise((resolve) => {
    let rest = Buffer.alloc(0);
    let isOpen = false;
    let last = -1;
    socket.on("data", (chunk: Buffer) => {
      let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      if (!isOpen) {
        const end = bytes.indexOf("\r\n\r\n");
        if (end >= 0) {
          isOpen = true;
          bytes = bytes.subarray(end + 4);
          resolve();
        }
      }
      const now = performance.timeOrigin + performance.now();
      while (isOpen && bytes.length >= HEADER_BYTES) {
        const end = HEADER_BYTES + bytes.readUInt16BE(2);
        if (bytes.length < end) break;
        delaysMs.push(now - bytes.readDoubleBE(HEADER_BYTES));
        const number = bytes.readUInt32BE(HEADER_BYTES + 8);
        if (number <= last) disorder++;
        last = number;
        counts[at]!++;
        bytes = bytes.subarray(end);
      }
      rest = Buffer.from(bytes);
    });
  });
}

for (let n = 0; n < Number(count); n++) await open(n);
console.log("{}");

process.stdin.on("data", () => {
  delaysMs.sort((a, b) => a - b);
  const at = (part: number) => delaysMs[Math.floor(delaysMs.length * part)];
  console.log(JSON.stringify({
    least: Math.min(...counts),
    most: Math.max(...counts),
    disorder,
    medianMs: at(0.5),
    p99Ms: at(0.99),
  }));
  counts.fill(0);
  delaysMs = [];
});
