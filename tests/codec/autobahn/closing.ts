/** Group 7: the closing handshake, its codes and its reasons. */
import { concat, hex } from "../../harness/bytes.ts";
import type { FrameOptions } from "../../harness/frame.ts";
import {
  type Case,
  close,
  closes,
  fails,
  numbered,
  type Part,
  repeated,
  send,
  text,
} from "./case.ts";

const HELLO = "Hello World!";

/** Whatever follows a Close frame is ignored. */
function afterClose(...ignored: readonly FrameOptions[]): Part {
  return send([close(), ...ignored], [closes(1000)]);
}

const LONG = repeated("BAsd7&jh23", 262_144);

const order = numbered("7.1", [
  send([{ payload: HELLO }], [text(HELLO)]),
  afterClose({ opcode: "close" }),
  afterClose({ opcode: "ping" }),
  afterClose({ payload: HELLO }),
  send(
    [
      { fin: false, payload: "fragment1" },
      close(),
      { opcode: "continuation", payload: "fragment2" },
    ],
    [closes(1000)],
  ),
  // The suite leaves the outcome open. Here messages are answered in order.
  send(
    [{ payload: LONG }, { payload: HELLO }, close(), { opcode: "ping" }],
    [text(LONG), text(HELLO), closes(1000)],
  ),
]);

const lengths = numbered("7.3", [
  send([{ opcode: "close" }], [closes()]),
  send([{ opcode: "close", payload: "a" }], [fails()]),
  send([close()], [closes(1000)]),
  send([close(1000, HELLO)], [closes(1000)]),
  send([close(1000, repeated("*", 123))], [closes(1000)]),
  send([close(1000, repeated("*", 124))], [fails()]),
]);

/** κόσμε, a surrogate, "edited". */
const BAD_REASON = concat(
  hex("ce ba e1 bd b9 cf 83 ce bc ce b5 ed a0 80"),
  "edited",
);

const reasons = numbered("7.5", [
  // The suite takes 1002 too; 1007 is what section 8.1 of RFC 6455 asks for.
  send([close(1000, BAD_REASON)], [fails(1007)]),
]);

const VALID = [
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011],
  ...[3000, 3999, 4000, 4999],
];
const INVALID = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];

/** Group 7. */
export const closingCases: readonly Case[] = [
  ...order,
  ...lengths,
  ...reasons,
  ...numbered("7.7", VALID.map((code) => send([close(code)], [closes(code)]))),
  ...numbered("7.9", INVALID.map((code) => send([close(code)], [fails()]))),
  // The suite leaves the outcome open. Section 7.4.2 defines no such codes.
  ...numbered(
    "7.13",
    [5000, 65_535].map((code) => send([close(code)], [fails()])),
  ),
];
