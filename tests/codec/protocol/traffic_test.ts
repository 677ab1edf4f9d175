/** How much of what a protocol receives and sends is payload (AB23). */
import { prepareMessage, Protocol, type Role } from "../../../codec.ts";
import { assertEquals, test } from "../../harness.ts";
import { concat } from "../../harness/bytes.ts";
import { closePayload, frame } from "../../harness/frame.ts";

/** Around each length at which a header grows. */
const LENGTHS = [0, 1, 124, 125, 126, 127, 65_535, 65_536, 70_000];

/** Takes all output, in copies. */
function takeAll(protocol: Protocol): Uint8Array<ArrayBuffer> {
  const chunks = [];
  for (let chunk; (chunk = protocol.takeOutput()) !== undefined;) {
    chunks.push(new Uint8Array(chunk));
  }
  return concat(...chunks);
}

/** Gives bytes in steps; returns how many there were. */
function give(protocol: Protocol, bytes: Uint8Array, step: number): number {
  for (let at = 0; at < bytes.length; at += step) {
    protocol.receive(bytes.slice(at, at + step));
    protocol.takeEvents();
  }
  return bytes.length;
}

/** Sends messages of all kinds and lengths; returns frames and payload bytes. */
function sendAll(sender: Protocol): { dataFrames: number; payload: number } {
  let dataFrames = 0;
  let payload = 0;
  for (const length of LENGTHS) {
    const bytes = new Uint8Array(length);
    const text = "a".repeat(length);
    sender.sendBinary(bytes);
    sender.sendText(text);
    // The first letter makes it a byte longer than a text of ASCII.
    if (length > 0) sender.sendText(`ä${text.slice(2)}`);
    sender.sendPrepared(prepareMessage(bytes));
    sender.sendPrepared(prepareMessage(text));
    sender.sendFragment(bytes, false);
    sender.sendFragment(bytes, true);
    dataFrames += length > 0 ? 7 : 6;
    const odd = length === 0 ? 0 : length === 1 ? 2 : length;
    payload += length * 6 + odd;
  }
  sender.ping(Uint8Array.of(1, 2, 3));
  sender.pong(new Uint8Array(125));
  return { dataFrames, payload: payload + 3 + 125 };
}

test("AB23: payload bytes are told from framing, for both roles, however cut", () => {
  for (const role of ["server", "client"] as Role[]) {
    for (const step of [11, 1_000, Infinity]) {
      const sender = new Protocol({ role });
      const receiver = new Protocol({
        role: role === "server" ? "client" : "server",
      });
      assertEquals(sender.payloadBytesSent(0), 0);
      assertEquals(receiver.payloadBytesReceived(0), 0);
      const { dataFrames, payload } = sendAll(sender);
      assertEquals(sender.controlFramesSent, 2);
      // What waits counts as well.
      assertEquals(sender.payloadBytesSent(dataFrames), payload);
      const received = give(receiver, takeAll(sender), step);
      assertEquals(sender.payloadBytesSent(dataFrames), payload);
      assertEquals(receiver.payloadBytesReceived(received), payload);
      assertEquals(receiver.framesReceived, dataFrames + 2);
    }
  }
});

test("AB23: a part of a header is no payload, nor is what follows a Close frame", () => {
  const protocol = new Protocol({ role: "server" });
  const bytes = concat(
    frame({ payload: "abc", mask: true }),
    frame({ opcode: "close", payload: closePayload(1000), mask: true }),
    frame({ payload: "too late", mask: true }),
  );
  let received = 0;
  const payload: number[] = [];
  for (const byte of bytes) {
    received += give(protocol, Uint8Array.of(byte), 1);
    payload.push(protocol.payloadBytesReceived(received));
  }
  assertEquals(payload.slice(0, 9), [0, 0, 0, 0, 0, 0, 1, 2, 3]);
  assertEquals(payload.slice(9, 17), [3, 3, 3, 3, 3, 3, 4, 5]);
  assertEquals(new Set(payload.slice(17)), new Set([5]));
  assertEquals(protocol.framesReceived, 2);
});

test("AB23: what is dropped was sent; a protocol that did nothing tells 0", () => {
  const protocol = new Protocol({ role: "client" });
  assertEquals(protocol.controlFramesSent, 0);
  protocol.sendBinary(new Uint8Array(10));
  protocol.close(1000, "bye");
  protocol.abandon();
  assertEquals(protocol.controlFramesSent, 1);
  assertEquals(protocol.payloadBytesSent(1), 10 + 5);
  // Nothing leaves any more, and nothing counts.
  protocol.ping();
  protocol.pong();
  protocol.close();
  assertEquals(protocol.controlFramesSent, 1);
});
