import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectSocket, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import {
  bytes,
  listen,
  openPair,
  record,
  Recorder,
  runtime,
  target,
} from "./recorder.ts";

/** Runs `body` with a path for a socket in a new directory. */
async function withPath(body: (path: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "sockeye-"));
  try {
    await body(join(directory, "test.sock"));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** How to run a file on this runtime. */
function command(file: string): string[] {
  const path = fileURLToPath(new URL(file, import.meta.url));
  return runtime.name === "deno"
    ? [process.execPath, "run", "-A", "--no-check", path]
    : [process.execPath, path];
}

test("a port in use rejects, and is free after close (LC-10)", async () => {
  const first = await listen({});
  const { port } = target(first);
  assert(port !== undefined && port > 0);
  const error = await assertRejects(() => listen({ port }), Error);
  assert(/EADDRINUSE|already in use/.test(error.message), error.message);
  await first.close();
  const second = await listen({ port });
  assertEquals(target(second).port, port);
  await second.close();
  await second.close();
});

test("connections outlive their listener", async () => {
  const { client, server, listener } = await openPair();
  await listener.close();
  await assertRejects(() => runtime.connect(target(listener)), Error);
  client.transport.write(bytes("still here"));
  await server.sink.until(() => server.sink.text === "still here");
  client.transport.destroy();
  await server.sink.until(() => server.sink.events.length > 1);
  server.transport.destroy();
  await Promise.all([client.sink.closed(), server.sink.closed()]);
});

test("a listener can be unreferenced and referenced again", async () => {
  const listener = await listen({});
  listener.unref();
  listener.ref();
  await listener.close();
});

test("a Unix socket carries bytes, and its file goes (LC-10)", async () => {
  await withPath(async (path) => {
    const pair = await openPair({ path }, { path });
    const { client, server, listener } = pair;
    assertEquals(listener.address, { transport: "unix", path });
    assertEquals(client.transport.remoteAddress, { transport: "unix", path });
    assertEquals(server.transport.remoteAddress.transport, "unix");
    client.transport.write(bytes("question"));
    client.transport.end();
    await server.sink.until(() => server.sink.events.includes("end"));
    assertEquals(server.sink.text, "question");
    server.transport.write(bytes("answer"));
    server.transport.end();
    await Promise.all([client.sink.closed(), server.sink.closed()]);
    assertEquals(client.sink.text, "answer");
    await pair.close();
    assertEquals(existsSync(path), false);
    await assertRejects(() => runtime.connect({ path }), Error);
  });
});

test("a Unix socket on which somebody listens is not taken", async () => {
  await withPath(async (path) => {
    const listener = await listen({ path });
    await assertRejects(() => listen({ path }), Error);
    const late = record(await runtime.connect({ path }));
    await late.sink.until(() => late.sink.events.length > 0);
    late.transport.destroy();
    await late.sink.closed();
    await listener.close();
  });
});

test("a file that is no socket is not taken", async () => {
  await withPath(async (path) => {
    writeFileSync(path, "precious");
    await assertRejects(() => listen({ path }), Error);
    assertEquals(existsSync(path), true);
  });
});

test("a socket file of a killed process is removed (LC-10)", async () => {
  await withPath(async (path) => {
    const [program = "", ...args] = command("./listening_child.ts");
    const child = spawn(program, [...args, path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = new Promise((resolve) => child.on("close", resolve));
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.kill("SIGKILL");
    await exited;
    assertEquals(existsSync(path), true);
    const pair = await openPair({ path }, { path });
    await pair.close();
    assertEquals(existsSync(path), false);
  });
});

interface Attempt {
  readonly socket: Socket;
  readonly connected: Promise<unknown>;
  readonly closed: Promise<unknown>;
}

/** Opens a connection and reads what comes. */
function open(port: number): Attempt {
  const socket = connectSocket(port, "127.0.0.1");
  socket.on("error", () => {});
  const connected = new Promise((resolve) => socket.on("connect", resolve));
  const closed = new Promise((resolve) => socket.on("close", resolve));
  return { socket, connected, closed };
}

/** Whether the echo at `port` answers within some seconds. */
async function answers(port: number): Promise<boolean> {
  const { socket, closed } = open(port);
  const timer = setTimeout(() => socket.destroy(), 5_000);
  let received = "";
  socket.on("data", (chunk) => {
    received += chunk;
    socket.destroy();
  });
  socket.write("hello");
  await closed;
  clearTimeout(timer);
  return received === "hello";
}

test("a listener outlives a lack of descriptors (OS-1)", async () => {
  const quoted = command("./listening_child.ts").map((word) => `'${word}'`);
  const child = spawn("bash", [
    "-c",
    `ulimit -n 100; exec ${quoted.join(" ")}`,
  ], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise((resolve) => child.on("close", resolve));
  const output = new Recorder();
  child.stdout.on(
    "data",
    (chunk: Uint8Array) => output.data(new Uint8Array(chunk)),
  );
  await output.until(() => output.text.includes("\n"));
  const port = Number(output.text.split("\n")[0]);
  assert(await answers(port));
  const crowd = Array.from({ length: 200 }, () => open(port));
  await Promise.all(crowd.map(({ connected }) => connected));
  // Bun and Node do not say that they had to turn connections away.
  const isTold = runtime.name === "deno";
  if (isTold) await output.until(() => output.text.includes("acceptFailed"));
  for (const { socket } of crowd) socket.destroy();
  await Promise.all(crowd.map(({ closed }) => closed));
  assert(await answers(port) || await answers(port));
  child.kill("SIGKILL");
  await exited;
  // Once for each time that it began, not once for each attempt.
  const toldCount = output.text.split("acceptFailed").length - 1;
  assert(isTold ? toldCount < 10 : toldCount === 0);
});

test("connections that are reset before they are accepted hold nobody up", async () => {
  const [program = "", ...args] = command("./listening_child.ts");
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const exited = new Promise((resolve) => child.on("close", resolve));
  const output = new Recorder();
  child.stdout.on(
    "data",
    (chunk: Uint8Array) => output.data(new Uint8Array(chunk)),
  );
  await output.until(() => output.text.includes("\n"));
  const port = Number(output.text.split("\n")[0]);
  assert(await answers(port));
  child.stdin.write("x");
  await output.until(() => output.text.includes("busy"));
  const crowd = Array.from({ length: 50 }, () => open(port));
  await Promise.all(crowd.map(({ connected }) => connected));
  for (const { socket } of crowd) socket.resetAndDestroy();
  await Promise.all(crowd.map(({ closed }) => closed));
  assert(await answers(port));
  child.kill("SIGKILL");
  await exited;
  assert(!output.text.includes("acceptFailed"), output.text);
});
