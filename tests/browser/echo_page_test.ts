/**
 * The page of `examples/echo.ts` in a real browser: headless Chromium, against
 * the example on each of the three runtimes.
 *
 * The browser is the same whatever runs this test, so it runs once, on Node. A
 * page whose script throws, or that cannot load something, fails it.
 */
import { mkdirSync } from "node:fs";
import type { Page } from "playwright-core";
import { assertEquals, assertRejects, testWhere } from "../harness.ts";
import {
  checkoutPath,
  Child,
  currentRuntime,
  type RuntimeName,
  runtimePath,
  RUNTIMES,
  scriptArguments,
} from "../harness/child.ts";
import { missingBrowser, watch, withPage } from "./browser.ts";

/**
 * For a page that the test has changed: it counts as one from elsewhere, which
 * may not open sockets to this machine.
 */
const ALLOW_LOCAL = "--disable-features=LocalNetworkAccessChecks";

/** Runs the example, and says where its page is. */
async function runEcho(
  runtime: RuntimeName,
): Promise<{ child: Child; url: string }> {
  const script = scriptArguments(runtime, "examples/echo.ts");
  const command = runtimePath(runtime) ?? "";
  const child = new Child(command, [...script, "--port", "0"]);
  while (true) {
    const port = /:(\d+)/.exec(await child.line())?.[1];
    // `localhost` may be `::1`, where nobody listens.
    if (port !== undefined) return { child, url: `http://127.0.0.1:${port}/` };
  }
}

/** Waits until the page shows a line of that kind with that text. */
async function shows(page: Page, kind: string, text: string): Promise<void> {
  await page.locator(`#log .${kind}`, { hasText: text }).first().waitFor();
}

/** Does what a visitor does, and looks at what the page shows. */
async function act(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await shows(page, "note", "open");
  for (const text of ["hello from the browser", "Grüße, κόσμε 🐟"]) {
    await page.locator("#text").fill(text);
    await page.locator("#form").getByRole("button").first().click();
    await shows(page, "sent", text);
    await shows(page, "received", text);
  }
  await page.locator("#binary").click();
  await shows(page, "received", "[1 2 3 250 251 252]");
  const received = await page.locator("#log .received").allTextContents();
  assertEquals(received, [
    "hello from the browser",
    "Grüße, κόσμε 🐟",
    "[1 2 3 250 251 252]",
  ]);
}

/** Acts, and fails where the page has complained too. */
async function visit(page: Page, url: string): Promise<void> {
  const faults = watch(page);
  try {
    await act(page, url);
  } catch (error) {
    throw new Error(`The page does not work; it said ${faults}`, {
      cause: error,
    });
  }
  if (faults.length > 0) throw new Error(`The page complains: ${faults}`);
}

async function visitsExample(runtime: RuntimeName): Promise<void> {
  const { child, url } = await runEcho(runtime);
  await using _ended = child;
  await withPage(async (page) => {
    await visit(page, url);
    mkdirSync(checkoutPath(".tmp"), { recursive: true });
    const path = checkoutPath(`.tmp/echo-on-${runtime}.png`);
    await page.screenshot({ path });
    child.signal("SIGINT");
    await shows(page, "note", "closed: 1001");
    await child.assertEnds();
  });
}

/** Serves the page with a fault planted in its script; it must be named. */
async function visitBroken(
  url: string,
  [right, wrong, complaint]: readonly [string, string, string],
): Promise<void> {
  await withPage(async (page) => {
    // What the visitor waits for will not come: the first complaint ends it.
    page.on("pageerror", () => void page.close());
    page.on("console", (message) => {
      if (message.type() === "error") void page.close();
    });
    await page.route(url, async (route) => {
      const response = await route.fetch();
      const body = await response.text();
      await route.fulfill({ response, body: body.replace(right, wrong) });
    });
    await assertRejects(() => visit(page, url), Error, complaint);
  }, ALLOW_LOCAL);
}

const FAULTS: readonly (readonly [string, string, string])[] = [
  ["socket.send(data)", "socket.sent(data)", "socket.sent is not a function"],
  ["const log =", 'console.error("planted"); const log =', "console: planted"],
  ["<script>", "<script>{", "Unexpected"],
];

if (currentRuntime === "node") {
  for (const runtime of RUNTIMES) {
    testWhere(
      runtimePath(runtime) === undefined ? runtime : missingBrowser,
      `Chromium talks to examples/echo.ts on ${runtime}`,
      () => visitsExample(runtime),
    );
  }

  testWhere(
    missingBrowser,
    "a page with a broken script is noticed",
    async () => {
      const { child, url } = await runEcho("node");
      await using _ended = child;
      for (const fault of FAULTS) await visitBroken(url, fault);
    },
  );
}
