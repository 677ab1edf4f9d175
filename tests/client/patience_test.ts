/** A server that is not there, is silent, or goes away: dial() always settles. */
import { type CloseInfo, dial, HandshakeError } from "../../client.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  test,
} from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { frame } from "../harness/frame.ts";
import { RawServer, upgradeResponse } from "../harness/raw_server.ts";
import { inSomeTry } from "../harness/tries.ts";
import { pause } from "../site/served.ts";
import { type Opened, opened, refusal } from "./dialing.ts";
import { FullListener } from "./full_listener.ts";

test("CI-1: a server that accepts TCP and says nothing times out", async () => {
  for (const scheme of ["ws", "wss"]) {
    await using server = await RawServer.listen();
    const startMs = performance.now();
    const error = await assertRejects(
      () =>
        dial(`${scheme}://127.0.0.1:${server.port}/`, { openTimeoutMs: 100 }),
      HandshakeError,
    );
    assertEquals([scheme, error.reason], [scheme, "open-timeout"]);
    assert(performance.now() - startMs >= 90, "it gave up too early");
    await (await server.accept()).readToEnd();
  }
});

test("CI-1: a TLS handshake that drips does not hold the timeout up", async () => {
  await using server = await RawServer.listen();
  const failed = assertRejects(
    () => dial(`wss://127.0.0.1:${server.port}/`, { openTimeoutMs: 150 }),
    HandshakeError,
  );
  const raw = await server.accept();
  // The header of a handshake record of 16 KiB, and then a byte now and then.
  raw.write(Uint8Array.of(0x16, 3, 3, 0x40, 0));
  const drip = setInterval(() => raw.write(Uint8Array.of(2)), 10);
  const error = await failed.finally(() => clearInterval(drip));
  assertEquals(error.reason, "open-timeout");
  await raw.readToEnd();
});

test("CI-1: TCP that gets no answer is given up, in time and by the signal", async () => {
  await using full = await FullListener.listen();
  for (const scheme of ["ws", "wss"]) {
    const url = `${scheme}://127.0.0.1:${full.port}/`;
    const late = await assertRejects(
      () => within(dial(url, { openTimeoutMs: 100 }), "the end of dial()"),
      HandshakeError,
    );
    assertEquals([scheme, late.reason], [scheme, "open-timeout"]);
    const controller = new AbortController();
    const dialing = dial(url, { signal: controller.signal });
    const failed = assertRejects(() => dialing);
    await pause(50);
    const reason = new Error("enough");
    controller.abort(reason);
    assertStrictEquals(await within(failed, "the end of dial()"), reason);
  }
});

test("TW19: nobody listens", async () => {
  const server = await RawServer.listen();
  const { port } = server;
  await server[Symbol.asyncDispose]();
  for (const scheme of ["ws", "wss"]) {
    const error = await assertRejects(
      () => dial(`${scheme}://127.0.0.1:${port}/`),
      HandshakeError,
      `127.0.0.1:${port}`,
    );
    assertEquals([scheme, error.reason], [scheme, "connect-failed"]);
    assertEquals([error.status, error.body], [undefined, undefined]);
    assert(error.cause instanceof Error);
  }
});

test("TW19: what is no TLS fails as TLS", async () => {
  await using server = await RawServer.listen();
  for (const how of ["garbage", "end", "reset"] as const) {
    const failed = assertRejects(
      () => dial(`wss://127.0.0.1:${server.port}/`),
      HandshakeError,
    );
    const raw = await server.accept();
    await raw.readBytes(1);
    if (how === "garbage") raw.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    else raw[how]();
    assertEquals([how, (await failed).reason], [how, "tls-failed"]);
  }
});

test("TW19: a reset before the response, and in its middle", async () => {
  for (const part of ["", "HTTP/1.1 101 Switching", "HTTP/1.1 101 OK\r\nX:"]) {
    const error = await refusal((raw) => {
      raw.write(part);
      raw.reset();
    });
    assertEquals([part, error.reason], [part, "closed-early"]);
  }
});

test("CI-13: an end at each byte of the response is one error", async () => {
  const { length } = upgradeResponse("");
  for (const how of ["end", "reset"] as const) {
    for (let size = 0; size < length; size++) {
      const error = await refusal((raw, head) => {
        raw.write(upgradeResponse(head).slice(0, size));
        raw[how]();
      });
      assertEquals([how, size, error.reason], [how, size, "closed-early"]);
    }
  }
});

/** Breaks a connection off after these bytes, and counts what is told of it. */
async function brokenOff(
  bytes: Uint8Array,
  how: "end" | "reset",
): Promise<{ messages: unknown[]; closes: CloseInfo[] }> {
  const messages: unknown[] = [];
  const closes: CloseInfo[] = [];
  await using end: Opened = await opened({
    handler: {
      message: (_, data) => void messages.push(data),
      close: (_, info) => void closes.push(info),
    },
  }, bytes);
  end.raw[how]();
  await within(end.connection.closed, "the close");
  return { messages, closes };
}

test("CI-13: an end at each byte of a frame is one close", async () => {
  const first = frame({ payload: "whole" });
  const second = frame({ opcode: "binary", payload: new Uint8Array(130) });
  const bytes = new Uint8Array([...first, ...second]);
  for (const how of ["end", "reset"] as const) {
    for (let size = 0; size < bytes.length; size++) {
      const { messages, closes } = await brokenOff(bytes.slice(0, size), how);
      assertEquals(
        [
          how,
          size,
          ...closes.map(({ code, wasClean, cause }) => [
            code,
            wasClean,
            cause,
          ]),
        ],
        [how, size, [1006, false, "transport-error"]],
      );
      // A reset may overtake what was sent before it.
      if (how === "reset" && messages.length === 0) continue;
      assertEquals([size, ...messages], size < 7 ? [size] : [size, "whole"]);
    }
  }
});

test("TW19: a signal that has aborted dials nobody", async () => {
  await using server = await RawServer.listen();
  const reason = new Error("not now");
  const error = await assertRejects(() =>
    dial(`ws://127.0.0.1:${server.port}/`, {
      signal: AbortSignal.abort(reason),
    })
  );
  assertStrictEquals(error, reason);
  await assertRejects(() => server.accept(50));
});

test("TW19: a signal aborts while connecting", async () => {
  for (const scheme of ["ws", "wss"]) {
    await using server = await RawServer.listen();
    const controller = new AbortController();
    const url = `${scheme}://127.0.0.1:${server.port}/`;
    const dialing = dial(url, { signal: controller.signal });
    const failed = assertRejects(() => dialing);
    // In the middle of connecting, or, on TLS, of its handshake.
    if (scheme === "wss") {
      const raw = await server.accept();
      await raw.readBytes(1);
    }
    const reason = new Error("enough");
    controller.abort(reason);
    assertStrictEquals(await within(failed, "the end of dial()"), reason);
  }
});

test("TW19: a signal aborts while waiting for the response, or its rest", async () => {
  const parts = [
    "",
    "HTTP/1.1 101 Switch",
    "HTTP/1.1 400 No\r\nContent-Length: 9\r\n\r\nbody",
  ];
  for (const part of parts) {
    await using server = await RawServer.listen();
    const controller = new AbortController();
    const dialing = dial(`ws://127.0.0.1:${server.port}/`, {
      signal: controller.signal,
    });
    const failed = assertRejects(() => dialing);
    const raw = await server.accept();
    await raw.readHead();
    raw.write(part);
    const reason = new Error("enough");
    controller.abort(reason);
    assertStrictEquals(await within(failed, "the end of dial()"), reason);
    await raw.readToEnd();
  }
});

test("TW19: AbortSignal.timeout() rejects with its own reason", async () => {
  await using server = await RawServer.listen();
  const error = await assertRejects(() =>
    dial(`ws://127.0.0.1:${server.port}/`, {
      signal: AbortSignal.timeout(60),
    })
  );
  assertEquals(error.name, "TimeoutError");
  await (await server.accept()).readToEnd();
});

test("a signal has no effect once the connection is open", async () => {
  const controller = new AbortController();
  await using end = await opened({ signal: controller.signal });
  controller.abort(new Error("too late"));
  end.raw.sendFrame({ payload: "still here", mask: false });
  assertEquals(await end.connection.receive(), "still here");
  assertEquals(end.connection.readyState, 1);
});

test("the timeout has no effect once the connection is open", () =>
  inSomeTry(async () => {
    await using end = await opened({ openTimeoutMs: 200 });
    await pause(250);
    end.raw.sendFrame({ payload: "still here", mask: false });
    assertEquals(await end.connection.receive(), "still here");
  }));
