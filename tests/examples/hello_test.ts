/** `examples/hello.ts` and `hello_tls.ts` with `hello_client.ts`. */
import { assert, assertEquals, test } from "../harness.ts";
import { checkoutPath } from "../harness/child.ts";
import { Example, lines, runExample } from "./example.ts";

test("WS1, A6: hello.ts greets, and its end closes with 1000", async () => {
  await using example = await Example.run("hello");
  const url = `ws://127.0.0.1:${example.port}/hello`;
  await using client = runExample("hello_client", { args: [url, "Ann"] });
  assertEquals(await lines(client, 3), [
    ">>> Ann",
    "<<< Hello Ann!",
    "closed: 1000",
  ]);
  await client.assertEnds();
  assertEquals(await lines(example.child, 2), ["<<< Ann", ">>> Hello Ann!"]);
});

test("AB15, A6: hello_tls.ts greets who trusts its certificate, and nobody else", async () => {
  await using example = await Example.run("hello_tls");
  const url = `wss://localhost:${example.port}/hello`;
  const certificate = checkoutPath("examples/localhost.crt");
  await using client = runExample("hello_client", {
    args: [url, "Bob", certificate],
  });
  assertEquals(await lines(client, 3), [
    ">>> Bob",
    "<<< Hello Bob!",
    "closed: 1000",
  ]);
  await client.assertEnds();
  await using stranger = runExample("hello_client", { args: [url, "Eve"] });
  const { code } = await stranger.exited;
  assert(code !== 0, "the certificate was trusted unseen");
  assert(/certificate|self.signed|UnknownIssuer/i.test(stranger.stderr));
});
