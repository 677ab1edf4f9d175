/** A headless Chromium, and what goes wrong inside its pages. */
import type { Browser, Page } from "playwright-core";
import { chromiumPath } from "../harness/child.ts";

const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const PATIENCE_MS = 10_000;

/** What is missing on this machine, for `testWhere`. */
export const missingBrowser: string | undefined = chromiumPath === undefined
  ? "chromium"
  : undefined;

/** Collects everything that goes wrong inside a page. */
export function watch(page: Page): string[] {
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(`exception: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(`console: ${message.text()}`);
  });
  page.on("requestfailed", (request) => faults.push(`no ${request.url()}`));
  return faults;
}

/** Runs a fresh browser with a profile of its own. */
export async function withBrowser(
  body: (browser: Browser) => Promise<void>,
  ...more: readonly string[]
): Promise<void> {
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({
    executablePath: chromiumPath ?? "",
    args: [...ARGUMENTS, ...more],
  });
  try {
    await body(browser);
  } finally {
    await browser.close();
  }
}

/** Opens a page in a browser of its own. */
export async function withPage(
  body: (page: Page) => Promise<void>,
  ...more: readonly string[]
): Promise<void> {
  await withBrowser(async (browser) => {
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    await body(page);
  }, ...more);
}
