/** What may be handed over for sending, and what becomes of it. */
import { runInNewContext } from "node:vm";
import { mayCompress, toBytes, toMessage } from "../../connection/sendable.ts";
import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
  test,
} from "../harness.ts";

test("toMessage() takes text and bytes of any kind, and exactly those", () => {
  const buffer = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7).buffer;
  assertEquals(toMessage("x"), "x");
  const view = new Uint8Array(buffer, 1, 2);
  assertStrictEquals(toMessage(view), view);
  const cases: [unknown, number[]][] = [
    [buffer, [0, 1, 2, 3, 4, 5, 6, 7]],
    [new DataView(buffer, 2, 3), [2, 3, 4]],
    [new Uint16Array(buffer, 2, 1), [2, 3]],
    [new Uint8ClampedArray(buffer, 7), [7]],
    [new Float32Array(buffer, 4), [4, 5, 6, 7]],
    [new Float64Array(0), []],
  ];
  for (const [data, expected] of cases) {
    const message = toMessage(data);
    assert(message instanceof Uint8Array);
    assertEquals([...message], expected);
  }
});

test("toMessage() takes bytes of another realm", () => {
  for (
    const code of [
      "new Uint8Array([1, 2, 3])",
      "new Uint8Array([1, 2, 3]).buffer",
      "new DataView(new Uint8Array([0, 1, 2, 3]).buffer, 1)",
    ]
  ) {
    const message = toMessage(runInNewContext(code));
    assert(message instanceof Uint8Array, code);
    assertEquals([...message], [1, 2, 3]);
  }
  const shared = runInNewContext("new SharedArrayBuffer(3)");
  assertThrows(() => toMessage(shared), TypeError);
  const posing = Object.create(ArrayBuffer.prototype);
  assertThrows(() => toMessage(posing), TypeError, "neither a string nor");
});

test("toBytes() and toMessage() refuse the rest", () => {
  for (
    const data of [5, 5n, null, undefined, {}, [1], true, () => 0, Symbol()]
  ) {
    assertThrows(() => toMessage(data), TypeError, "Cannot send");
    assertThrows(() => toBytes("ping", data), TypeError, "Cannot ping");
  }
  assertThrows(() => toBytes("ping", "text"), TypeError);
  assertThrows(() => toMessage(new SharedArrayBuffer(4)), TypeError);
  assertThrows(() => toMessage(new String("x")), TypeError);
});

test("send options are checked", () => {
  assertEquals(mayCompress(undefined), true);
  assertEquals(mayCompress({}), true);
  assertEquals(mayCompress({ compress: false }), false);
  for (const options of [null, 5, { compress: 0 }, { compres: true }]) {
    assertThrows(
      () => mayCompress(options as { compress?: boolean }),
      TypeError,
    );
  }
});
