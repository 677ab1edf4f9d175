/** `examples/logger.ts`: who may come in, and the four callbacks. */
import { HandshakeError } from "../../client.ts";
import { assert, assertEquals, assertMatch, test } from "../harness.ts";
import { Example, lines } from "./example.ts";

const HEADERS = { "x-client": "test", cookie: "theme=dark; session=4f2a" };
const SUBPROTOCOLS = ["log.1", "log.2"];

test("AB2: logger.ts logs connecting, open, messages and closed, in this order", async () => {
  await using example = await Example.run("logger");
  // A reconnect gets an instance of its own, and is asked again.
  for (const user of [["4f2a", "Ann"], ["9c81", "Bob"]] as const) {
    await using connection = await example.dial("/log", {
      headers: { ...HEADERS, cookie: `theme=dark; session=${user[0]}` },
      subprotocols: SUBPROTOCOLS,
    });
    // The server's order of preference counts.
    assertEquals(connection.subprotocol, "log.2");
    connection.send(new Uint8Array(300));
    assertEquals(await connection.receive(), new Uint8Array(300));
    connection.send("Grüße");
    assertEquals(await connection.receive(), "Grüße");
    await connection.close(3001, "bye");
    const [connecting, ...rest] = await lines(example.child, 5);
    assertMatch(connecting!, /^Client connecting: 127\.0\.0\.1:\d+$/);
    assertEquals(rest, [
      `WebSocket connection open: ${user[1]}, log.2`,
      "Binary message received: 300 bytes",
      "Text message received: Grüße",
      "WebSocket connection closed cleanly: 3001 bye",
    ]);
  }
});

test("AB2: logger.ts checks header, cookie, Origin and subprotocol", async () => {
  await using example = await Example.run("logger");
  const subprotocols = SUBPROTOCOLS;
  const headers = HEADERS;
  const refused = async (
    options: Parameters<Example["dial"]>[1],
  ): Promise<[number | undefined, string]> => {
    try {
      await example.dial("/log", options);
    } catch (error) {
      assert(error instanceof HandshakeError, String(error));
      return [error.status, new TextDecoder().decode(error.body).trim()];
    }
    throw new Error("It was accepted");
  };
  const { cookie } = headers;
  assertEquals(await refused({ subprotocols, headers: { cookie } }), [
    400,
    "no X-Client header",
  ]);
  assertEquals(
    await refused({
      subprotocols,
      headers: { ...headers, cookie: "session=1" },
    }),
    [401, "no such session"],
  );
  for (const subprotocols of [[], ["log.9"]]) {
    const [status] = await refused({ headers, subprotocols });
    assertEquals(status, 400, `${subprotocols}`);
  }
  const [status] = await refused({
    subprotocols,
    headers: { ...headers, origin: "https://evil.example" },
  });
  assertEquals(status, 403);
  for (
    const origin of ["https://app.example", `http://127.0.0.1:${example.port}`]
  ) {
    await using connection = await example.dial("/log", {
      subprotocols,
      headers: { ...headers, origin },
    });
    assertEquals(connection.subprotocol, "log.2");
  }
});
