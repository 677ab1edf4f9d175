/** CI-1: an abort in any moment of connecting leaves no socket. */
import { createServer, type Socket } from "node:net";
import { dial } from "../../client.ts";
import { assertEquals, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";

/** Enough to meet the moment in which the connection is made some times. */
const ATTEMPTS = 700;

test("CI-1: an abort in the moment that the connection is made leaves no socket", async () => {
  const left = new Set<Socket>();
  const server = createServer((socket) => {
    left.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => left.delete(socket));
    socket.resume();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve());
  });
  const { port } = server.address() as { port: number };
  for (let count = 0; count < ATTEMPTS; count++) {
    const controller = new AbortController();
    const dialing = dial(`ws://127.0.0.1:${port}/`, {
      signal: controller.signal,
    });
    const outcome = dialing.catch((error: unknown) => error);
    await pass(count % 7);
    controller.abort("enough");
    assertEquals(await within(outcome, "the end of dial()"), "enough");
  }
  // Those that were made too late are closed as they come.
  for (let round = 0; round < 500 && left.size > 0; round++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const count = left.size;
  const closed = new Promise((resolve) => server.close(resolve));
  for (const socket of left) socket.destroy();
  await closed;
  assertEquals(count, 0, `${count} sockets were left`);
});

/** Lets some time pass: turns of the event loop, or some microseconds in one. */
async function pass(kind: number): Promise<void> {
  if (kind < 3) {
    for (let turn = 0; turn < kind; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    return;
  }
  const untilMs = performance.now() + (kind - 2) * 0.05;
  while (performance.now() < untilMs);
  await new Promise((resolve) => setTimeout(resolve, 0));
}
