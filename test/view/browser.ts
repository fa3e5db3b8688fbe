/** A real browser on a real server, for the tests of the web view. */
import fs from "node:fs";
import path from "node:path";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";

/** `.ci/browser.sh` finds or installs one; without it these tests are skipped. */
export const browserPath = process.env["TEST_CHROMIUM"] ?? installed();

export function launched(): Promise<Browser> {
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({ executablePath: browserPath ?? "", args: isRoot ? ["--no-sandbox"] : [] });
}

export interface Seen {
  readonly page: Page;
  /** What went wrong in the page, and what it asked of anybody but its server. */
  readonly faults: string[];
}

/** @param at where to begin: a session's id, with `/` and an entry or without */
export async function looking(
  browser: Browser,
  { url, token }: { readonly url: string; readonly token: string | undefined },
  at = "",
  options: BrowserContextOptions = {},
): Promise<Seen> {
  const page = await (await browser.newContext({ locale: "en-GB", timezoneId: "UTC", ...options })).newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  page.on("dialog", (dialog) => faults.push(`dialog: ${dialog.message()}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("data:"))
      faults.push(`asked of ${request.url()}`);
  });
  const parts = [token === undefined ? "" : `token=${token}`, at].filter((part) => part !== "");
  await page.goto(`${url}#${parts.join("&")}`);
  return { page, faults };
}

function installed(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(path.delimiter);
  return ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    .flatMap((name) => folders.map((folder) => path.join(folder, name)))
    .find((file) => fs.existsSync(file));
}
