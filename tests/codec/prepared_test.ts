import type { SharedTransform } from "../../codec/transform.ts";
import {
  preparedPayload,
  prepareMessage,
  sharedFrame,
} from "../../codec/prepared.ts";
import { assert, assertStrictEquals, test } from "../harness.ts";
import { concat, sameBytes } from "../harness/bytes.ts";
import { frame } from "../harness/frame.ts";

const LENGTHS = [0, 1, 80, 125, 126, 3_000, 49_152, 65_535, 65_536, 200_000];

test("prepareMessage() frames a text", () => {
  for (const length of LENGTHS) {
    for (const one of ["a", "é", "€"]) {
      const data = one.repeat(length);
      const message = prepareMessage(data);
      assertStrictEquals(message.data, data);
      const expected = frame({ payload: data });
      assert(sameBytes(message.frame, expected), `${one} × ${length}`);
    }
  }
});

test("prepareMessage() copies bytes into a frame", () => {
  for (const length of LENGTHS) {
    const data = new Uint8Array(length).fill(7);
    const expected = frame({ opcode: "binary", payload: data });
    const message = prepareMessage(data);
    data.fill(0);
    assert(sameBytes(message.frame, expected), `${length}`);
    const kept = message.data as Uint8Array;
    assert(sameBytes(kept, new Uint8Array(length).fill(7)), `${length}`);
  }
});

test("prepareMessage() gives each frame memory of its own", () => {
  const frames = [1, 2, 3].map((one) => prepareMessage(`${one}`).frame);
  const buffers = new Set(frames.map(({ buffer }) => buffer));
  assertStrictEquals(buffers.size, 3);
  assert(frames.every(({ length, buffer }) => length === buffer.byteLength));
  const expected = [1, 2, 3].map((one) => frame({ payload: `${one}` }));
  assert(sameBytes(concat(...frames), concat(...expected)));
});

test("preparedPayload() finds the payload behind each kind of header", () => {
  for (const length of LENGTHS) {
    const text = preparedPayload(prepareMessage("a".repeat(length)));
    assert(sameBytes(text, new Uint8Array(length).fill(97)), `${length}`);
    const bytes = preparedPayload(prepareMessage(new Uint8Array(length)));
    assert(sameBytes(bytes, new Uint8Array(length)), `${length}`);
  }
});

test("sharedFrame() changes a message once for all who share a transform", () => {
  let calls = 0;
  const halving: SharedTransform = {
    encode(payload) {
      calls++;
      return payload.length < 4 ? undefined : payload.slice(payload.length / 2);
    },
  };
  for (const data of ["abcd", new TextEncoder().encode("abcd")]) {
    const message = prepareMessage(data);
    const changed = sharedFrame(message, halving);
    assertStrictEquals(sharedFrame(message, halving), changed);
    const opcode = typeof data === "string" ? "text" : "binary";
    const expected = frame({ rsv: 4, opcode, payload: "cd" });
    assert(sameBytes(changed, expected));
    assert(sharedFrame(message, { ...halving }) !== changed);
  }
  assertStrictEquals(calls, 4);
  const short = prepareMessage("abc");
  assertStrictEquals(sharedFrame(short, halving), short.frame);
  assertStrictEquals(sharedFrame(short, halving), short.frame);
  assertStrictEquals(calls, 5);
});
