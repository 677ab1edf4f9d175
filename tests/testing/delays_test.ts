/** Sites tell when the event loop was blocked (HD-3). */
import { Handler, Site, type SiteEvent } from "../../server.ts";
import { connect, FakeClock } from "../../testing.ts";
import { assertEquals, test } from "../harness.ts";

test("HD-3: a site tells how long the loop was blocked, once, while it has connections", async () => {
  using clock = new FakeClock();
  const delays = (events: SiteEvent[]): number[] =>
    events.splice(0).flatMap((event) =>
      event.type === "delayed" ? [event.lateMs] : []
    );
  const events: SiteEvent[] = [];
  const site = new Site({ onEvent: (event) => events.push(event) });
  site.addHandler("/", Handler);
  site.addHandler("/quick", Handler, { pingIntervalMs: 100 });
  const pairs = [
    await connect(site),
    await connect(site, { path: "/quick", pingIntervalMs: 0 }),
  ];
  await clock.advance(60_000);
  assertEquals(delays(events), []);
  // Timers of both kinds come late; the one that was due first tells.
  await clock.jump(1_000);
  const [first, ...more] = delays(events);
  assertEquals([first !== undefined && first > 900, more], [true, []]);
  await clock.jump(200);
  assertEquals(delays(events), []);
  await clock.advance(5_000);
  await clock.jump(3_000);
  assertEquals(delays(events).length, 1);

  for (const pair of pairs) await pair[Symbol.asyncDispose]();
  await using _other = await connect(Handler);
  await clock.jump(5_000);
  assertEquals(delays(events), []);
});
