/** Events, counters and frames are the same whichever way clients come (WS16, AB23). */
import { type FrameTrace, type SiteEvent, statusPage } from "../../server.ts";
import { assert, assertEquals } from "../harness.ts";
import { closePayload } from "../harness/frame.ts";
import { readText, statusOf, until } from "../site/served.ts";
import { rawConnect } from "../harness/raw_client.ts";
import { testWays } from "./ways.ts";

const events: SiteEvent[] = [];

/** Events that are not about the canary, nor about a server. */
function ours(): (SiteEvent & { path?: string })[] {
  return events.filter((event): event is SiteEvent & { path?: string } =>
    "path" in event && event.path !== "/canary"
  );
}

testWays("WS16, AB23: events and counters tell of each way in", {
  onEvent: (event) => void events.push(event),
  root: () => new Response("root"),
  setup: () => void events.splice(0),
}, async (reached) => {
  const { client, connection } = await reached.pair();
  client.sendFrame({ payload: "hello" });
  await readText(client);
  client.sendFrame({ opcode: "close", payload: closePayload(3000, "done") });
  await client.readToEnd();
  client.end();
  assertEquals((await reached.ask("/echo", { Host: "" })).status, 400);
  await until(() => ours().length === 4, "all events");
  const [accepted, opened, closed, refused] = ours();
  assertEquals(ours().map(({ type, path }) => [type, path]), [
    ["accepted", "/echo"],
    ["opened", "/echo"],
    ["closed", "/echo"],
    ["refused", "/echo"],
  ]);
  assert(accepted?.type === "accepted" && opened?.type === "opened");
  assert(closed?.type === "closed" && refused?.type === "refused");
  assertEquals([opened.id, closed.id], [connection.id, connection.id]);
  assertEquals(opened.remoteAddress, accepted.remoteAddress);
  assert(closed.remoteAddress.transport === "tcp");
  assertEquals(closed.remoteAddress.hostname, "127.0.0.1");
  assertEquals([closed.info.code, closed.info.reason], [3000, "done"]);
  const { messagesReceived, messagesSent, payloadBytesSent } = closed.stats;
  assertEquals([messagesReceived, messagesSent], [1, 1]);
  // The answer to the Close frame is the host's own where there is one.
  assert([5, 5 + 6].includes(payloadBytesSent), `${payloadBytesSent}`);
  assertEquals([refused.reason, refused.status], ["bad-host", 400]);
  const { stats } = reached.site;
  assertEquals(
    [stats.opened, stats.closed, stats.refused, stats.passed],
    [2, 1, 1, 0],
  );
});

testWays("B-13: requests for the root are counted on each way in", {
  root: () => new Response("root"),
}, async (reached) => {
  const { site } = reached;
  await using client = await rawConnect(reached.target);
  client.write("GET /page HTTP/1.1\r\nHost: x\r\n\r\n");
  assertEquals(statusOf(await client.readHead()), 200);
  assertEquals([site.stats.passed, site.stats.refused], [1, 0]);
});

const frames: FrameTrace[] = [];

testWays("WS16: onFrame tells the messages of each way in", {
  onFrame: (frame, { request }) => {
    if (request.url.endsWith("/echo")) frames.push(frame);
  },
  setup: () => void frames.splice(0),
}, async (reached) => {
  await using client = await reached.upgrade("/echo");
  client.sendFrame({ payload: "hello" });
  await readText(client);
  client.sendFrame({ opcode: "binary", payload: Uint8Array.of(1, 2) });
  await client.readFrame();
  assertEquals(
    frames.map(({ direction, opcode, preview }) => [
      direction,
      opcode,
      preview,
    ]),
    [
      ["received", "text", "hello"],
      ["sent", "text", "hello"],
      ["received", "binary", "01 02"],
      ["sent", "binary", "01 02"],
    ],
  );
});

let page: ReturnType<typeof statusPage>;

testWays("AB webStatus: the status page shows connections of each way in", {
  root: (request) => page(request),
  setup: (site) => void (page = statusPage(site, { intervalMs: 100 })),
}, async (reached) => {
  await using feed = await reached.upgrade("/status");
  await using client = await reached.upgrade("/echo");
  client.sendFrame({ payload: "hello" });
  await readText(client);
  while (true) {
    const { connections } = JSON.parse(await readText(feed)) as {
      connections: { path: string; messagesReceived: number }[];
    };
    const row = connections.find(({ path }) => path === "/echo");
    if (row?.messagesReceived === 1) break;
  }
});
