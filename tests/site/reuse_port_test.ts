/** Several processes on one port: to use all cores, and to restart unseen. */
import process from "node:process";
import { assert, assertEquals, testWhere } from "../harness.ts";
import { Child, currentRuntime, scriptArguments } from "../harness/child.ts";
import { closeCode } from "../harness/frame.ts";
import { type RawClient, rawUpgrade } from "../harness/raw_client.ts";
import { readText } from "./served.ts";

function start(port: number): Child {
  const script = "tests/site/sharing_child.ts";
  const args = scriptArguments(currentRuntime, script);
  // Deno has it behind a flag, and ends a process that asks for it without.
  if (currentRuntime === "deno") args.splice(1, 0, "--unstable-net");
  return new Child(process.execPath, [...args, String(port)]);
}

/** Connects; tells which process it came to. */
async function connect(
  port: number,
): Promise<{ client: RawClient; pid: string }> {
  const client = await rawUpgrade(port, "/who");
  return { client, pid: await readText(client) };
}

// Elsewhere the kernel gives all connections to one of them.
const missing = process.platform === "linux" ? undefined : "Linux";

testWhere(
  missing,
  "AB18: processes share a port, and one takes over from another",
  async () => {
    await using old = start(0);
    const port = await old.json<number>();
    const { client: first, pid: oldPid } = await connect(port);
    await using young = start(port);
    assertEquals(await young.json<number>(), port);
    const clients = [{ client: first, pid: oldPid }];
    try {
      while (clients.every(({ pid }) => pid === oldPid)) {
        assert(clients.length < 200, "all connections went to one process");
        clients.push(await connect(port));
      }
      old.signal("SIGTERM");
      for (const { client, pid } of clients) {
        if (pid !== oldPid) continue;
        const close = await client.readFrame();
        assertEquals([close.opcode, closeCode(close.payload)], [8, 1001]);
        client.sendFrame({ opcode: "close", payload: close.payload });
        client.end();
      }
      await old.assertEnds();
      for (let i = 0; i < 20; i++) {
        const later = await connect(port);
        clients.push(later);
        assert(
          later.pid !== oldPid,
          "a process that has ended was connected to",
        );
      }
      for (const { client, pid } of clients) {
        if (pid === oldPid) continue;
        client.sendFrame({ payload: "still here" });
        assertEquals(await readText(client), "still here");
      }
    } finally {
      await Promise.all(
        clients.map(({ client }) => client[Symbol.asyncDispose]()),
      );
    }
  },
);
