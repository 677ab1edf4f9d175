/** Paths and handlers of a site. */
import { type Handler, type HandlerOptions, Site } from "../../server.ts";
import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import { rawUpgrade, upgradeRequest } from "../harness/raw_client.ts";
import { assertRefused, Echo, serve, type Served } from "./served.ts";

interface Told {
  readonly route: string;
  readonly url: string;
  readonly params: Record<string, string>;
}

/** Adds a handler that says which it is and what it was told. */
function add(site: Site, path: string, options?: HandlerOptions): void {
  site.addHandler(path, (connection) => {
    const { params, request } = connection;
    const url = request.url.replace(/^ws:\/\/127\.0\.0\.1/, "");
    connection.send(JSON.stringify({ route: path, url, params }));
  }, options);
}

async function ask({ port }: Served, path: string): Promise<Told> {
  await using client = await rawUpgrade(port, path);
  const { payload } = await client.readFrame();
  return JSON.parse(new TextDecoder().decode(payload));
}

test("patterns match the pathname, and params are decoded once", async () => {
  const setup = (site: Site): void => {
    add(site, "/rooms/:id");
    add(site, "/rooms/lobby");
    add(site, "/files/*");
    add(site, "/v{1,2}?/:kind(\\d+)/:name?");
    add(site, "/");
  };
  await serve({ setup }, async (served) => {
    const cases: [string, string, Record<string, string>][] = [
      ["/rooms/7", "/rooms/:id", { id: "7" }],
      ["/rooms/7?id=8", "/rooms/:id", { id: "7" }],
      ["/rooms/lobby", "/rooms/lobby", {}],
      ["/rooms/lobby?x", "/rooms/lobby", {}],
      ["/rooms/a%20b%2Fc", "/rooms/:id", { id: "a b/c" }],
      ["/rooms/%2525", "/rooms/:id", { id: "%25" }],
      ["/rooms/caf%C3%A9", "/rooms/:id", { id: "café" }],
      ["/rooms/%00", "/rooms/:id", { id: "\0" }],
      ["/files/a/b", "/files/*", { 0: "a/b" }],
      ["/rooms/x/../9", "/rooms/:id", { id: "9" }],
      ["/rooms/x/%2e%2e/9", "/rooms/:id", { id: "9" }],
      ["/./rooms/lobby", "/rooms/lobby", {}],
      ["/", "/", {}],
      ["/?a=b", "/", {}],
      ["/../..", "/", {}],
    ];
    for (const [path, route, params] of cases) {
      const told = await ask(served, path);
      assertEquals([path, told.route, told.params], [path, route, params]);
    }
    assertEquals(
      (await ask(served, "/rooms/a%20b?c=%20d")).url,
      "/rooms/a%20b?c=%20d",
    );
  });
});

test("HS-13: paths that are no path lead to 400 or nowhere", async () => {
  const setup = (site: Site): void => add(site, "/rooms/:id");
  await serve({ setup }, async (served) => {
    const cases = [
      ["/rooms/%c0%af", 400],
      ["/rooms/%ff", 400],
      ["/rooms/%", 400],
      ["/rooms/caf\xe9", 400],
      ["/rooms/7#part", 400],
      ["/rooms", 404],
      ["/rooms/", 404],
      ["/rooms/a/b", 404],
      ["//rooms/7", 404],
      ["/ROOMS/7", 404],
      ["/rooms/7/", 404],
      ["/rooms/..", 404],
      ["/echo%2f", 404],
      ["rooms/7", 404],
      [`/rooms/7?${"a".repeat(65_536)}`, 414],
    ] as const;
    for (const [path, status] of cases) {
      const response = await served.exchange(upgradeRequest(path));
      assertRefused(response, status);
    }
    assertRefused(await served.exchange("GET /a\0b HTTP/1.1\r\n\r\n"), 400);
  });
});

test("an exact path goes first, then patterns in their order", async () => {
  const setup = (site: Site): void => {
    add(site, "/a/*");
    add(site, "/a/:id");
    add(site, "/a/b");
  };
  await serve({ setup }, async (served) => {
    assertEquals((await ask(served, "/a/b")).route, "/a/b");
    assertEquals((await ask(served, "/a/c")).route, "/a/*");
    assert(served.site.removeHandler("/a/*"));
    assertEquals((await ask(served, "/a/c")).route, "/a/:id");
  });
});

test("handlers come, are replaced and go while the site listens", async () => {
  await serve({}, async (served) => {
    const { site } = served;
    const request = upgradeRequest("/late");
    assertRefused(await served.exchange(request), 404);
    add(site, "/late");
    assertEquals((await ask(served, "/late")).route, "/late");
    assertThrows(() => add(site, "/late"), TypeError, "/late");
    site.addHandler("/late", (connection) => {
      connection.send('{"route":"second"}');
    }, { replace: true });
    assertEquals((await ask(served, "/late")).route, "second");
    assert(site.hasHandler("/late"));
    // A connection outlives the handler's registration.
    site.addHandler("/stays", Echo);
    await using client = await rawUpgrade(served.port, "/stays");
    assert(site.removeHandler("/stays"));
    client.sendFrame({ payload: "here" });
    assertEquals((await client.readFrame()).payload.length, 4);
    assert(site.removeHandler("/late"));
    assert(!site.removeHandler("/late"));
    assert(!site.hasHandler("/late"));
    assertRefused(await served.exchange(request), 404);
  });
});

test("handlers of the wrong kind are refused", () => {
  const site = new Site();
  const run = (): void => {};
  for (const path of ["", "echo", "http://host/echo", 5, undefined, "*"]) {
    assertThrows(() => site.addHandler(path as string, run), TypeError, '"/"');
  }
  for (const handler of [undefined, {}, "Echo", new Site()]) {
    const wrong = handler as unknown as typeof Handler;
    assertThrows(() => site.addHandler("/x", wrong), TypeError);
  }
  const options: [Record<string, unknown>, ErrorConstructor][] = [
    [{ maxMessageByte: 1 }, TypeError],
    [{ subprotocols: "chat" }, TypeError],
    [{ subprotocols: ["a b"] }, TypeError],
    [{ maxMessageBytes: "1" }, TypeError],
    [{ maxMessageBytes: -1 }, RangeError],
    [{ pingIntervalMs: NaN }, RangeError],
    [null as unknown as Record<string, unknown>, TypeError],
  ];
  for (const [wrong, type] of options) {
    assertThrows(() => site.addHandler("/x", run, wrong), type);
  }
  assertThrows(() => site.addHandler("/a/:", run), TypeError);
  assert(!site.hasHandler("/x") && !site.hasHandler("/a/:"));
});

test("options of a site that nobody knows, or of the wrong kind, are refused", () => {
  const wrong: [unknown, ErrorConstructor][] = [
    [{ rooot: () => new Response() }, TypeError],
    [{ root: new Response() }, TypeError],
    [{ onError: 1 }, TypeError],
    [{ openTimeoutMs: "10" }, TypeError],
    [{ openTimeoutMs: -1 }, RangeError],
    [{ maxFragments: NaN }, RangeError],
    [{ origins: "https://a" }, TypeError],
    [null, TypeError],
  ];
  for (const [options, type] of wrong) {
    assertThrows(() => new Site(options as { root?: never }), type);
  }
});
