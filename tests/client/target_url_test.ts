/** CI-17: what the message says of a URL that cannot be dialled, and what not. */
import { dial, redial } from "../../client.ts";
import { parseTargetUrl } from "../../client/target_url.ts";
import { WebSocket, WebSocketStream } from "../../websocket.ts";
import { assert, assertEquals, assertThrows, test } from "../harness.ts";

const WITH_PASSWORD = [
  "ws://user:secret@host:99999/",
  "ws://user:secret@",
  "ws://user:sec\nret@[::1/",
  "ws://user:sec/ret@host/",
  "ws://user:sec@ret@a b/",
  "//user:secret@host/",
  "user:secret@host:80",
  "ftp://user:secret@host/",
  "ws://user:secret@host/#part",
];

/** What comes of each way to give a URL. */
const WAYS: [name: string, give: (url: string) => unknown][] = [
  ["dial", (url) => dial(url)],
  ["redial", (url) => redial(url)],
  ["WebSocket", (url) => new WebSocket(url)],
  ["WebSocketStream", (url) => new WebSocketStream(url)],
];

for (const [name, give] of WAYS) {
  test(`CI-17: the error of ${name} for a wrong URL has no password in it`, async () => {
    for (const url of WITH_PASSWORD) {
      let error: unknown;
      try {
        await give(url);
      } catch (thrown) {
        error = thrown;
      }
      assert(error instanceof Error, url);
      const text = `${error.message} ${error.stack} ${error.cause}`;
      assert(!/sec|ret@/.test(error.message), text);
      assert(!text.includes(url), text);
    }
  });
}

test("CI-17: it names what is wrong", () => {
  assertEquals(parseTargetUrl("nonsense"), "not a URL: nonsense");
  assertEquals(parseTargetUrl("ws://a:b@c:x/"), "not a URL: …@c:x/");
  assertEquals(
    parseTargetUrl("ftp://host/"),
    "neither a ws: nor a wss: URL, but ftp:",
  );
  assertEquals(parseTargetUrl("ws://host/#"), "the URL has a fragment");
});

test("a URL is taken in the scheme that it means, and left as it is", () => {
  const url = new URL("https://host:80/path?a");
  const target = parseTargetUrl(url);
  assertEquals(String(target), "wss://host:80/path?a");
  assertEquals(url.href, "https://host:80/path?a");
});

test("CI-17: redial finds a wrong URL at once", () => {
  for (const url of ["ftp://host/", new URL("ws://host/#part"), "host"]) {
    assertThrows(() => redial(url), TypeError);
  }
});
