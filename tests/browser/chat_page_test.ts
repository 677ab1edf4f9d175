/**
 * The page of `examples/chat.ts` in headless Chromium: two guests, one on a small
 * dark screen, and a server that goes away and comes back. Once, on Node.
 */
import { mkdirSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { assert, assertEquals, testWhere } from "../harness.ts";
import { checkoutPath, currentRuntime } from "../harness/child.ts";
import { Example } from "../examples/example.ts";
import { missingBrowser, watch, withBrowser } from "./browser.ts";

interface Guest {
  readonly page: Page;
  readonly faults: string[];
}

const DESKTOP = { viewport: { width: 1100, height: 720 } };
const PHONE = {
  viewport: { width: 375, height: 720 },
  colorScheme: "dark",
  hasTouch: true,
} as const;

/** Comes in by the door, as one who has never been here. */
async function join(
  browser: Browser,
  options: typeof DESKTOP | typeof PHONE,
  url: string,
  room: string | undefined,
  name: string,
): Promise<Guest> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const faults = watch(page);
  await page.goto(url);
  if (room !== undefined) {
    await page.getByLabel("Room", { exact: true }).fill(room);
  }
  const enter = page.getByRole("button", { name: "Join" });
  // An invisible character: what the server refuses is said at the door.
  await page.getByLabel("Your name").fill("\u202eevil");
  await enter.click();
  await page.getByRole("alert").filter({ hasText: "No such name." }).waitFor();
  await page.getByLabel("Your name").fill(name);
  await enter.click();
  await hasState(page, "Connected");
  return { page, faults };
}

async function hasState(page: Page, text: string): Promise<void> {
  await page.getByRole("status").filter({ hasText: text }).waitFor();
}

async function hears(page: Page, text: string): Promise<void> {
  await page.locator(".bubble", { hasText: text }).last().waitFor();
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByRole("textbox", { name: "Message" }).fill(text);
  await page.keyboard.press("Enter");
}

/** Keeps a picture, for those who want to see. */
async function picture({ page }: Guest, name: string): Promise<void> {
  mkdirSync(checkoutPath(".tmp"), { recursive: true });
  await page.screenshot({ path: checkoutPath(`.tmp/chat-${name}.png`) });
}

/** Asserts that nothing sticks out of a page, or out of its messages. */
async function assertFits({ page }: Guest): Promise<void> {
  for (const box of ["documentElement", "querySelector('#scroller')"]) {
    const [content, width] = await page.evaluate<[number, number]>(
      `[document.${box}.scrollWidth, document.${box}.clientWidth]`,
    );
    assert(content <= width, `${box} is ${width} wide, and holds ${content}`);
  }
}

function scrollTop({ page }: Guest): Promise<number> {
  return page.evaluate("document.querySelector('#scroller').scrollTop");
}

async function chat(browser: Browser): Promise<void> {
  await using example = await Example.run("chat");
  const url = `http://127.0.0.1:${example.port}/`;
  const ann = await join(browser, DESKTOP, url, "küche", "Ann");
  const room = ann.page.url();
  assertEquals(room, `${url}rooms/k%C3%BCche`);
  // A link leads to the room, where only the name is asked for.
  const bob = await join(browser, PHONE, room, undefined, "<i>Bob</i>");
  await ann.page.locator(".note", { hasText: "<i>Bob</i> joined" }).waitFor();
  assertEquals(
    await ann.page.locator("#people .name").allTextContents(),
    ["Ann (you)", "<i>Bob</i>"],
  );

  const attack = '<img src=x onerror="document.title=`pwned`"> & Grüße 🐟';
  await say(ann.page, attack);
  await hears(bob.page, attack);
  await hears(ann.page, attack);
  await say(bob.page, `${"long ".repeat(80)}${"w".repeat(300)}`);
  await hears(ann.page, "long long");
  for (const { page } of [ann, bob]) {
    assertEquals(await page.locator("#messages img, #people i").count(), 0);
    assertEquals(await page.title(), "küche · Sockeye chat");
  }
  assertEquals(await ann.page.locator(".said.own").count(), 1);
  await picture(ann, "desktop");
  await picture(bob, "phone");
  await assertFits(ann);
  await assertFits(bob);

  // Who comes again finds what was said, and is not asked again.
  await bob.page.reload();
  await hears(bob.page, attack);
  assertEquals(await bob.page.locator(".bubble").count(), 2);

  // Who is at the end stays there; who reads what was said before is not taken
  // away from it.
  for (let count = 1; count <= 30; count++) {
    await say(bob.page, `text ${count}`);
  }
  await hears(ann.page, "text 30");
  const news = ann.page.getByRole("button", { name: "New messages" });
  assertEquals(await news.isVisible(), false);
  assert(await scrollTop(ann) > 0, "the page does not follow");
  await ann.page.evaluate("document.querySelector('#scroller').scrollTo(0, 0)");
  await say(bob.page, "are you there?");
  await news.waitFor();
  assertEquals(await scrollTop(ann), 0);
  await news.click();
  await news.waitFor({ state: "hidden" });

  assertEquals([ann.faults, bob.faults], [[], []]);
  await comeBack(example, ann, bob);
}

/** The server goes away, and comes back on the same port: so do the guests. */
async function comeBack(
  example: Example,
  ann: Guest,
  bob: Guest,
): Promise<void> {
  example.child.signal("SIGTERM");
  await hasState(ann.page, "Offline");
  const send = ann.page.getByRole("button", { name: "Send" });
  assert(await send.isDisabled(), "a message could be sent to nobody");
  await example.child.assertEnds();
  await using _again = await Example.run("chat", { port: example.port });
  for (const { page } of [ann, bob]) await hasState(page, "Connected");
  await ann.page.locator("#people .name", { hasText: "Bob" }).waitFor();
  await say(ann.page, "back again");
  await hears(bob.page, "back again");
  // That nobody listened for a while is all that there is to complain about.
  const faults = [...ann.faults, ...bob.faults].filter((fault) =>
    !fault.includes("ERR_CONNECTION_REFUSED")
  );
  assertEquals(faults, []);
}

if (currentRuntime === "node") {
  testWhere(
    missingBrowser,
    "Chromium chats with itself through examples/chat.ts, and finds its way back",
    () => withBrowser(chat),
  );
}
