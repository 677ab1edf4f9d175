/**
 * The status page in a real browser: headless Chromium, against a site in this
 * process. The browser is the same whatever runs this test, so it runs once, on
 * Node.
 */
import { mkdirSync } from "node:fs";
import type { Page } from "playwright-core";
import { dial } from "../../client.ts";
import { Site, statusPage } from "../../server.ts";
import { assert, assertEquals, testWhere } from "../harness.ts";
import { checkoutPath, currentRuntime } from "../harness/child.ts";
import { missingBrowser, watch, withPage } from "./browser.ts";

/** Waits until the table has exactly as many rows. */
async function rows(page: Page, count: number): Promise<string[]> {
  // Not by scripts in the page: its policy forbids them.
  const all = page.locator("#rows tr");
  if (count > 0) await all.nth(count - 1).waitFor();
  await all.nth(count).waitFor({ state: "detached" });
  return await all.allTextContents();
}

/** A path that would be markup, if it were taken for that. */
const EVIL = "/rooms/<img src=x onerror=alert(1)>";

async function visit(page: Page, port: number): Promise<void> {
  const url = `http://127.0.0.1:${port}/status`;
  const faults = watch(page);
  await page.goto(url);
  await page.locator("#state.live").waitFor();
  assertEquals((await rows(page, 1)).length, 1);
  assert((await page.locator("#paths").textContent())?.includes("/rooms/:id"));
  const connection = await dial(`ws://127.0.0.1:${port}/rooms/1`);
  const [, second = ""] = await rows(page, 2);
  assert(second.includes("/rooms/1"), second);
  connection.send("hello");
  assertEquals(await connection.receive(), "hello");
  const received = page.locator("#rows tr").nth(1).locator("td").nth(5);
  await received.filter({ hasText: /^1$/ }).waitFor();
  const other = await dial(`ws://127.0.0.1:${port}${encodeURI(EVIL)}`);
  await rows(page, 3);
  assertEquals(await page.locator("img").count(), 0);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    mkdirSync(checkoutPath(".tmp"), { recursive: true });
    const path = checkoutPath(`.tmp/status-${colorScheme}.png`);
    await page.screenshot({ path });
  }
  await connection.close();
  await other.close();
  await rows(page, 1);
  await page.locator("#closed", { hasText: "peer 2" }).waitFor();
  assertEquals(faults, [], "the page complains");
}

if (currentRuntime === "node") {
  testWhere(
    missingBrowser,
    "AB webStatus: Chromium sees a second connection appear and vanish",
    async () => {
      const site = new Site({ root: (request) => status(request) });
      const status = statusPage(site, { intervalMs: 100 });
      site.addHandler("/rooms/:id", {
        message: (connection, data) => void connection.send(data),
      });
      await using server = await site.listen({
        port: 0,
        hostname: "127.0.0.1",
      });
      assert(server.addr.transport === "tcp");
      const { port } = server.addr;
      await withPage(async (page) => {
        await visit(page, port);
        // The page notices that the site is gone, and says so.
        await server.shutdown({ timeoutMs: 1_000 });
        await page.locator("#state", { hasText: "not connected" }).waitFor();
      });
    },
  );
}
