/**
 * What a page in a real browser sees of a refusal (B-14), and of a password (WS12):
 * headless Chromium, against a site on Node.
 */
import type { Page } from "playwright-core";
import { basicAuth, Handler, refuseAfterOpen, Site } from "../../server.ts";
import { assert, assertEquals, testWhere } from "../harness.ts";
import { currentRuntime } from "../harness/child.ts";
import { missingBrowser, withBrowser, withPage } from "./browser.ts";

/** What a page was told of its WebSocket. */
interface Told {
  readonly opened: boolean;
  readonly protocol: string;
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

/** Opens a WebSocket in a page, and waits for its end. */
async function connect(
  page: Page,
  path: string,
  protocols: string[] = [],
): Promise<Told> {
  return await page.evaluate(([path, protocols]) => {
    const socket = new WebSocket(`ws://${location.host}${path}`, protocols);
    let opened = false;
    socket.onopen = () => opened = true;
    return new Promise<Told>((resolve) => {
      socket.onclose = ({ code, reason, wasClean }) =>
        resolve({ opened, protocol: socket.protocol, code, reason, wasClean });
    });
  }, [path, protocols] as const);
}

const credentials = { ann: "grüße" };

/** Runs a site whose pages are empty, and says where. */
async function withSite(body: (url: string) => Promise<void>): Promise<void> {
  class Private extends Handler<{ username: string }> {
    static upgrade = basicAuth({ realm: "room", credentials });
    override open(): void {
      this.connection.close(4000, this.connection.data.username);
    }
  }
  const site = new Site({
    root(request) {
      const headers = { "Content-Type": "text/html" };
      const isOpen = new URL(request.url).pathname !== "/private/page";
      if (isOpen || request.headers.has("authorization")) {
        return new Response("<!doctype html><title>page</title>", { headers });
      }
      const challenge = 'Basic realm="room", charset="UTF-8"';
      return new Response("", {
        status: 401,
        headers: { "WWW-Authenticate": challenge },
      });
    },
    onError: () => {},
  });
  site.addHandler(
    "/after",
    class extends Handler {
      static upgrade = () => refuseAfterOpen(4401, "log in first 🐟");
    },
  );
  site.addHandler(
    "/status",
    class extends Handler {
      static upgrade = () => new Response("log in first", { status: 401 });
    },
  );
  site.addHandler("/private/room", Private);
  await using server = await site.listen({ port: 0, hostname: "127.0.0.1" });
  assert(server.addr.transport === "tcp");
  await body(`http://127.0.0.1:${server.addr.port}`);
}

if (currentRuntime === "node") {
  testWhere(
    missingBrowser,
    "B-14: a page sees the code of refuseAfterOpen, and nothing of a status",
    () =>
      withSite((url) =>
        withPage(async (page) => {
          await page.goto(`${url}/page`);
          const seen = {
            code: 4401,
            reason: "log in first 🐟",
            wasClean: true,
          };
          assertEquals(await connect(page, "/after"), {
            opened: true,
            protocol: "",
            ...seen,
          });
          // A browser fails a handshake that declines all it offered.
          assertEquals(await connect(page, "/after", ["a", "b"]), {
            opened: true,
            protocol: "a",
            ...seen,
          });
          assertEquals(await connect(page, "/status"), {
            opened: false,
            protocol: "",
            code: 1006,
            reason: "",
            wasClean: false,
          });
        })
      ),
  );

  testWhere(
    missingBrowser,
    "WS12: a page that was opened with a password connects with it",
    () =>
      withSite((url) =>
        withBrowser(async (browser) => {
          const context = await browser.newContext({
            httpCredentials: { username: "ann", password: "grüße" },
          });
          const page = await context.newPage();
          await page.goto(`${url}/private/page`);
          const { code, reason } = await connect(page, "/private/room");
          assertEquals([code, reason], [4000, "ann"]);
          await context.close();
          const stranger = await browser.newPage();
          await stranger.goto(`${url}/page`);
          assertEquals((await connect(stranger, "/private/room")).code, 1006);
        })
      ),
  );
}
