/** `dial` with a handler: the same hooks in the same order as on a site (HD). */
import {
  type Connection,
  dial,
  type DialOptions,
  Handler,
} from "../../client.ts";
import { assertEquals, assertRejects, test } from "../harness.ts";
import { concat } from "../harness/bytes.ts";
import { within } from "../harness/deadline.ts";
import { closeCode, closePayload, frame } from "../harness/frame.ts";
import { RawServer, upgradeResponse } from "../harness/raw_server.ts";
import { opened } from "./dialing.ts";

const CLOSE = { opcode: "close", payload: closePayload(1000) } as const;

test("dial() with a handler: what the constructor and open send comes first", async () => {
  class Greeter extends Handler {
    constructor(connection: Connection) {
      super(connection);
      connection.send("1");
    }
    override open(): void {
      this.connection.send("2");
    }
    override message(data: string | Uint8Array): void {
      this.connection.send(data);
    }
  }
  const early = frame({ payload: "3" });
  await using end = await opened({ handler: Greeter }, early);
  end.raw.write(frame({ payload: "4" }));
  end.connection.send("sent by the dialler");
  const texts: string[] = [];
  while (texts.length < 5) {
    const { payload } = await end.raw.readFrame();
    texts.push(new TextDecoder().decode(payload));
  }
  // What shared a segment with the response is handled before dial() settles.
  assertEquals(texts, ["1", "2", "3", "sent by the dialler", "4"]);
});

test("dial() with a handler: hooks never overlap, and close comes last", async () => {
  const log: string[] = [];
  const gone = Promise.withResolvers<void>();
  class Steps extends Handler {
    override async open(): Promise<void> {
      log.push("open");
      await new Promise((resolve) => setTimeout(resolve));
      log.push("/open");
    }
    override async message(data: string | Uint8Array): Promise<void> {
      log.push(`${data}`);
      await new Promise((resolve) => setTimeout(resolve));
      log.push(`/${data}`);
    }
    override ping(): void {
      log.push("ping");
    }
    override close(): void {
      log.push("close");
      gone.resolve();
    }
  }
  const early = concat(
    frame({ payload: "a" }),
    frame({ opcode: "ping" }),
    frame({ payload: "b" }),
    frame(CLOSE),
  );
  await using end = await opened({ handler: Steps }, early);
  end.raw.end();
  await within(gone.promise, "the close hook");
  const shown = log.filter((entry) => entry !== "ping");
  assertEquals(shown, ["open", "/open", "a", "/a", "b", "/b", "close"]);
  assertEquals(log.includes("ping"), true);
});

test("dial() with a handler that has no message hook: messages wait to be taken", async () => {
  class Quiet extends Handler<{ name: string }> {
    override open(): void {
      this.connection.data = { name: "quiet" };
    }
  }
  const server = await RawServer.listen();
  const dialing = dial(`ws://127.0.0.1:${server.port}/`, { handler: Quiet });
  const raw = await server.accept();
  raw.write(upgradeResponse(await raw.readHead()), frame({ payload: "one" }));
  const connection = await dialing;
  assertEquals(connection.data.name, "quiet");
  assertEquals(await connection.receive(), "one");
  connection.terminate();
  await connection.closed;
  await server[Symbol.asyncDispose]();
});

test("dial() with a message hook: nobody else takes messages", async () => {
  class Deaf extends Handler {
    override message(): void {}
  }
  await using end = await opened({ handler: Deaf });
  await assertRejects(() => end.connection.receive(), TypeError);
});

test("dial() with a handler whose hook throws: closed with 1011, and told", async () => {
  const told = Promise.withResolvers<Error>();
  class Failing extends Handler {
    override message(): void {
      throw new Error("of the hook");
    }
    override error(error: Error): void {
      told.resolve(error);
    }
  }
  const { error: print } = console;
  console.error = () => {};
  try {
    await using end = await opened({ handler: Failing });
    end.raw.write(frame({ payload: "x" }));
    const close = await end.raw.readFrame();
    assertEquals([close.opcode, closeCode(close.payload)], [8, 1011]);
    const error = await within(told.promise, "the error hook");
    assertEquals(error.message, "of the hook");
  } finally {
    console.error = print;
  }
});

test("dial() rejects with what the handler's constructor throws, and hangs up", async () => {
  let kept: Connection | undefined;
  class Unwilling extends Handler {
    constructor(connection: Connection) {
      super(connection);
      kept = connection;
      throw new Error("of the constructor");
    }
  }
  await using server = await RawServer.listen();
  const dialing = dial(`ws://127.0.0.1:${server.port}/`, {
    handler: Unwilling,
  });
  const failed = assertRejects(() => dialing, Error, "of the constructor");
  const raw = await server.accept();
  raw.write(upgradeResponse(await raw.readHead()));
  await within(failed, "the end of dial()");
  await within(raw.readToEnd(), "the end of the stream");
  const info = await within(kept!.closed, "the report");
  assertEquals([info.cause, kept!.readyState], ["local", 3]);
});

test("dial() refuses a handler that is not a class, at once", async () => {
  for (const handler of [() => {}, {}, "Echo", null]) {
    const options = { handler } as unknown as DialOptions;
    await assertRejects(() => dial("ws://127.0.0.1:1/", options), TypeError);
  }
});
