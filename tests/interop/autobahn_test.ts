/**
 * The quick Autobahn groups, 1 to 7, again over real sockets: a bare client
 * against our site, and our dialer against a bare server.
 */
import { dial } from "../../client.ts";
import type { CloseInfo, Connection } from "../../connection.ts";
import {
  type Case,
  close,
  closes,
  type Part,
  type Reply,
  send,
} from "../codec/autobahn/case.ts";
import { bySubgroup, conformanceCases } from "../codec/autobahn/cases.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { sameBytes } from "../harness/bytes.ts";
import { Canary } from "../harness/canary.ts";
import { within } from "../harness/deadline.ts";
import { type RawClient, rawUpgrade } from "../harness/raw_client.ts";
import { RawServer } from "../harness/raw_server.ts";
import { EchoSite } from "./echo_site.ts";

/** Plays a case over a bare socket; returns the last reply. */
async function play(
  { id, parts }: Case,
  socket: RawClient,
  mask: boolean,
): Promise<Reply> {
  const step = async (part: Part): Promise<Reply | undefined> => {
    for (const chunk of part.chunks(mask)) await socket.writeAll(chunk);
    for (const { opcode, payload } of part.replies) {
      const frame = await socket.readFrame();
      assertEquals(
        [frame.opcode, frame.maskKey === undefined],
        [opcode, mask],
        `${id}: wrong frame`,
      );
      const matter = opcode === 8
        ? frame.payload.subarray(0, 2)
        : frame.payload;
      assert(sameBytes(matter, payload), `${id}: wrong payload`);
    }
    return part.replies.at(-1);
  };
  let last: Reply | undefined;
  for (const part of parts) last = await step(part);
  if (last?.opcode === 8) return last;
  return await step(send([close()], [closes(1000)])) ?? closes(1000);
}

/** Asserts that the close report tells what the case was about. */
function assertReported(info: CloseInfo, last: Reply, id: string): void {
  const [high, low] = last.payload;
  const code = high === undefined || low === undefined
    ? 1005
    : high * 256 + low;
  assertEquals(
    [info.cause, info.sent?.code, info.wasClean],
    [last.fails ? "protocol-error" : "peer", code, !last.fails],
    `${id}: wrong report`,
  );
}

/** The cases by subgroup. */
const GROUPS = bySubgroup(conformanceCases);

test("Autobahn 1 to 7 over sockets: our site", async () => {
  await using site = await EchoSite.open();
  await using canary = await Canary.open(site.port);
  for (const [, group] of GROUPS) {
    for (const one of group) {
      await using client = await rawUpgrade(site.port);
      const last = await play(one, client, true);
      // The server ends first (section 7.1.1), with nothing after its Close.
      const rest = await client.readToEnd();
      assertEquals(rest.length, 0, `${one.id}: something follows`);
      client.end();
      assertReported(await site.nextClose(), last, one.id);
    }
  }
  await canary.assertAlive();
});

async function echoAll(connection: Connection): Promise<void> {
  for await (const message of connection) connection.send(message);
}

test("Autobahn 1 to 7 over sockets: our dialer", async () => {
  await using server = await RawServer.listen();
  for (const [, group] of GROUPS) {
    for (const one of group) {
      const dialing = dial(`ws://127.0.0.1:${server.port}/`);
      const socket = await server.acceptUpgrade();
      await using connection = await dialing;
      const echoing = echoAll(connection).catch(() => {});
      const last = await play(one, socket, false);
      socket.end();
      const rest = await socket.readToEnd();
      assertEquals(rest.length, 0, `${one.id}: something follows`);
      const info = await within(connection.closed, `${one.id}: the end`);
      assertReported(info, last, one.id);
      await echoing;
    }
  }
});
