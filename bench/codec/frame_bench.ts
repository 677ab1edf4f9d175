/** Frame headers, read and written, against code that spells the RFC out. */
import {
  FrameHeader,
  MAX_HEADER_BYTES,
  writeHeader,
} from "../../codec/frame.ts";
import { parseHeader } from "../../tests/harness/frame.ts";
import { benchPair, SIZES } from "./pair.ts";
import { KEY, KEY_WORD } from "./payload.ts";
import { writeHeaderPlainly } from "./plain_frame.ts";

/** Headers in a row; their payloads are left out. */
const COUNT = 64;
const FIRST = 0x82;

function read(bytes: Uint8Array, header: FrameHeader): number {
  let sum = 0;
  for (let at = 0; at < bytes.length;) {
    at = header.read(bytes, at);
    sum += header.payloadBytes + header.opcode;
    header.next();
  }
  return sum;
}

function readPlainly(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length;) {
    const { opcode, size, payloadAt } = parseHeader(bytes, at)!;
    sum += size - (payloadAt - at) + opcode;
    at = payloadAt;
  }
  return sum;
}

for (const size of SIZES) {
  const ours = new Uint8Array(COUNT * MAX_HEADER_BYTES);
  const theirs = new Uint8Array(COUNT * MAX_HEADER_BYTES);
  const view = new DataView(theirs.buffer);
  benchPair(`write ${COUNT} headers, ${size} bytes`, {
    sockeye() {
      let at = 0;
      for (let n = 0; n < COUNT; n++) {
        at = writeHeader(ours, at, FIRST, size, KEY_WORD);
      }
      return ours.subarray(0, at);
    },
    plain() {
      let at = 0;
      const header = { first: FIRST, size, key: KEY };
      for (let n = 0; n < COUNT; n++) at = writeHeaderPlainly(view, at, header);
      return theirs.subarray(0, at);
    },
  });
}

for (const size of SIZES) {
  const stream = new Uint8Array(COUNT * MAX_HEADER_BYTES);
  let end = 0;
  for (let n = 0; n < COUNT; n++) {
    end = writeHeader(stream, end, FIRST, size, KEY_WORD);
  }
  const bytes = stream.slice(0, end);
  const header = new FrameHeader("server", false);
  benchPair(`read ${COUNT} headers, ${size} bytes`, {
    sockeye: () => read(bytes, header),
    plain: () => readPlainly(bytes),
  });
}
