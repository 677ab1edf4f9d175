/**
 * The pages of the examples in a real browser: headless Chromium, against each
 * example on each of the three runtimes.
 *
 * The browser is the same whatever runs this test, so it runs once, on Node, and
 * one browser sees all pages of a runtime.
 */
import type { Browser, Page } from "playwright-core";
import { assert, assertEquals, testWhere } from "../harness.ts";
import {
  currentRuntime,
  type RuntimeName,
  runtimePath,
  RUNTIMES,
} from "../harness/child.ts";
import { Example, lines, runExample } from "../examples/example.ts";
import { missingBrowser, watch, withBrowser } from "./browser.ts";

/** Opens the page of an example in as many windows as wanted. */
async function withExample(
  browser: Browser,
  runtime: RuntimeName,
  name: string,
  windows: number,
  body: (pages: Page[], example: Example) => Promise<void>,
): Promise<void> {
  await using example = await Example.run(name, { runtime });
  // `localhost` may be `::1`, where nobody listens.
  const url = `http://127.0.0.1:${example.port}/`;
  const context = await browser.newContext();
  context.setDefaultTimeout(10_000);
  const faults: string[][] = [];
  const pages: Page[] = [];
  try {
    for (let count = 0; count < windows; count++) {
      const page = await context.newPage();
      faults.push(watch(page));
      await page.goto(url);
      pages.push(page);
    }
    await body(pages, example);
  } catch (error) {
    throw new Error(`${name}.html on ${runtime} fails; it said ${faults}`, {
      cause: error,
    });
  }
  assertEquals(faults.flat(), [], `${name}.html on ${runtime} complains`);
  // The pages are still there: they are told, and the process ends.
  example.child.signal("SIGTERM");
  await example.child.assertEnds();
  await context.close();
}

/** Waits until a list has as many lines, and returns them. */
async function linesOf(page: Page, count: number): Promise<string[]> {
  await page.locator("#log li").nth(count - 1).waitFor();
  return (await page.locator("#log li").allTextContents()).slice(0, count);
}

async function visitHeartbeat(
  [page]: Page[],
  { port }: Example,
): Promise<void> {
  const client = runExample("heartbeat_client", {
    args: [
      `ws://127.0.0.1:${port}/heartbeat`,
    ],
  });
  await using _ended = client;
  assertEquals(await page!.locator("#log li").count(), 0);
  await page!.getByRole("button", { name: "Connect" }).click();
  assertEquals(await linesOf(page!, 5), [
    'socket opened: «{"isTrusted":true}»',
    "message received: «heartbeat 1»",
    "message received: «reply to hello world»",
    "message received: «heartbeat 2»",
    "message received: «heartbeat 3»",
  ]);
  assertEquals(
    (await lines(client, 4)).at(-1),
    "received text: 'reply to hello, world!'",
  );
}

async function visitBroadcast([one, other]: Page[]): Promise<void> {
  for (const [index, text] of ["hello", "<b>Grüße</b>"].entries()) {
    const speaker = index === 0 ? one! : other!;
    await speaker.getByRole("textbox").fill(text);
    await speaker.getByRole("button", { name: "Send" }).click();
    await linesOf(one!, index + 1);
  }
  assertEquals(await linesOf(one!, 2), ["hello", "<b>Grüße</b>"]);
  assertEquals(await linesOf(other!, 2), ["hello", "<b>Grüße</b>"]);
}

async function visitClock([one, other]: Page[]): Promise<void> {
  const tick = async (page: Page): Promise<string> => {
    const before = await page.locator("time").getAttribute("datetime");
    await page.locator(`time:not([datetime="${before}"])`).waitFor();
    return (await page.locator("time").textContent()) ?? "";
  };
  await one!.locator("time[datetime]").waitFor();
  const [first, second] = [await tick(one!), await tick(one!)];
  assert(/\d+:\d\d:\d\d/.test(first), first);
  assert(first !== second, "the clock stands still");
  assert(/\d+:\d\d:\d\d/.test(await tick(other!)));
}

/** Makes a window keep every value that it is shown, in order. */
const RECORD = `
  globalThis.values = [];
  new MutationObserver((records) => {
    for (const { addedNodes } of records) {
      for (const node of addedNodes) values.push(node.textContent);
    }
  }).observe(document.querySelector("output"), { childList: true });
`;

const PRESSES = 15;

function press(selector: string): string {
  return `for (let count = 0; count < ${PRESSES}; count++) {
    document.querySelector("${selector}").click();
  }`;
}

async function visitCounter(pages: Page[]): Promise<void> {
  const all = pages.length;
  for (const page of pages) {
    await page.locator("#users", { hasText: `${all}` }).waitFor();
    await page.evaluate(RECORD);
  }
  await Promise.all(
    pages.map((page, index) =>
      page.evaluate(press(index === 0 ? "#minus" : "#plus"))
    ),
  );
  const orders: string[][] = [];
  for (const page of pages) {
    await page.waitForFunction(`values.length >= ${PRESSES * all}`);
    orders.push(await page.evaluate("values"));
  }
  for (const order of orders) assertEquals(order, orders[0]);
  assertEquals(orders[0]!.at(-1), `${PRESSES * (all - 2)}`);
  await pages.pop()!.close();
  await pages[0]!.locator("#users", { hasText: `${all - 1}` }).waitFor();
}

async function visitAll(runtime: RuntimeName): Promise<void> {
  await withBrowser(async (browser) => {
    await Promise.all([
      withExample(browser, runtime, "heartbeat", 1, visitHeartbeat),
      withExample(browser, runtime, "broadcast", 2, visitBroadcast),
      withExample(browser, runtime, "clock", 2, visitClock),
      withExample(browser, runtime, "counter", 4, visitCounter),
    ]);
  });
}

if (currentRuntime === "node") {
  for (const runtime of RUNTIMES) {
    testWhere(
      runtimePath(runtime) === undefined ? runtime : missingBrowser,
      `TW21, BL3, A6: Chromium opens the pages of the examples on ${runtime}`,
      () => visitAll(runtime),
    );
  }
}
