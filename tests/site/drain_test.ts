/** A shutdown that waits until connections have ended by themselves (B-14, WS3). */
import { Site } from "../../server.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
  test,
} from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { closePayload } from "../harness/frame.ts";
import {
  type RawClient,
  rawConnect,
  rawUpgrade,
} from "../harness/raw_client.ts";
import { assertRefused, Echo, readClose } from "./served.ts";

async function listen() {
  const site = new Site();
  site.addHandler("/echo", Echo);
  const server = await site.listen({ port: 0, hostname: "127.0.0.1" });
  assert(server.addr.transport === "tcp");
  return { site, server, port: server.addr.port };
}

async function assertEcho(client: RawClient): Promise<void> {
  client.sendFrame({ payload: "still" });
  assertEquals((await client.readFrame()).payload.length, 5);
}

/** Closes from the client's side, and waits for the end. */
async function leave(client: RawClient): Promise<void> {
  client.sendFrame({ opcode: "close", payload: closePayload(1000) });
  assertEquals(await readClose(client), 1000);
  client.end();
  await client.closed;
}

test("B-14: a drain takes nobody new, and waits for those who are there", async () => {
  const { server, port } = await listen();
  await using one = await rawUpgrade(port);
  await using two = await rawUpgrade(port);
  await using partial = await rawConnect(port);
  partial.write("GET /echo HTTP/1.1\r\n");
  await assertEcho(two);
  let done = false;
  const end = server.shutdown({ drain: true }).then(() => done = true);
  const head = new TextDecoder().decode(await partial.readToEnd());
  assertRefused(head, 503);
  partial.end();
  await assertRejects(() => rawConnect(port));
  for (const client of [one, two]) {
    await assertEcho(client);
    assert(!done);
    await leave(client);
  }
  await within(end, "the shutdown");
  await server.finished;
});

test("B-14: those who are left when the time is up are closed", async () => {
  const { server, port } = await listen();
  await using client = await rawUpgrade(port);
  const start = performance.now();
  const options = {
    drain: true,
    timeoutMs: 200,
    code: 1012,
    reason: "restart",
  };
  const end = server.shutdown(options);
  const { payload } = await client.readFrame();
  assertEquals(payload, closePayload(1012, "restart"));
  const tookMs = performance.now() - start;
  assert(tookMs >= 190, `${tookMs} ms`);
  // The close handshake has its time again.
  client.sendFrame({ opcode: "close", payload });
  client.end();
  await within(end, "the shutdown");
});

test("B-14: a second shutdown ends a drain, with what it says", async () => {
  const { site, server, port } = await listen();
  await using client = await rawUpgrade(port);
  const first = server.shutdown({ drain: true, timeoutMs: Infinity });
  await assertEcho(client);
  // One that drains as well changes nothing.
  const second = server.shutdown({ drain: true, timeoutMs: 0 });
  await assertEcho(client);
  const third = site.shutdown({ code: 4001, timeoutMs: 60_000 });
  const fourth = server.shutdown({ code: 4002 });
  assertEquals(await readClose(client), 4001);
  client.sendFrame({ opcode: "close", payload: closePayload(4001) });
  client.end();
  await within(
    Promise.all([first, second, third, fourth]),
    "the shutdown",
  );
});

test("B-14: a drain of nobody ends at once, and its options are checked", async () => {
  const { server } = await listen();
  assertThrows(() => void server.shutdown({ drain: 1 as never }), TypeError);
  assertThrows(
    () => void server.shutdown({ drain: true, code: 1006 }),
    RangeError,
  );
  await within(server.shutdown({ drain: true }), "the shutdown");
});
