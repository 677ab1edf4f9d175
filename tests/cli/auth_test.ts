/** B-10: `--auth` answers a server that wants Digest. */
import { assert, assertEquals, test } from "../harness.ts";
import { headerOf, RawServer, upgradeResponse } from "../harness/raw_server.ts";
import { assertExits, startCli } from "./talking.ts";

test("B-10: --auth is sent as Basic, and answers Digest where that is wanted", async () => {
  await using server = await RawServer.listen();
  await using child = startCli(
    ...["-n", "--auth", "jo:pass:word", `127.0.0.1:${server.port}/x`],
  );
  const first = await server.accept(20_000);
  const head = await first.readHead();
  assertEquals(headerOf(head, "Authorization"), "Basic am86cGFzczp3b3Jk");
  first.write(
    "HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=r, nonce=n, qop=auth\r\n" +
      "Content-Length: 0\r\n\r\n",
  );
  const second = await server.accept(20_000);
  const again = await second.readHead();
  assert(/^Authorization: Digest username="jo", /m.test(again), again);
  second.write(upgradeResponse(again));
  const payload = Uint8Array.of(0x03, 0xe8);
  second.sendFrame({ opcode: "close", payload, mask: false });
  second.end();
  await assertExits(child, 0);
});

test("WS29: an --auth that cannot be sent is a usage error", async () => {
  await using child = startCli("-n", "--auth", "jo:a\x01b", "127.0.0.1:1");
  await assertExits(child, 2);
  assert(!child.stderr.includes("a\x01b"), child.stderr);
});
