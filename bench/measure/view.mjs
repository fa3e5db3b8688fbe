/** The web view in a real browser: how large it is, and how long one waits for a list and a long conversation. */
import { spawnSync } from "node:child_process";
import { gzipSync } from "node:zlib";
import { chromium } from "playwright-core";
import { sidecar } from "../contenders.mjs";
import { fill } from "../history/many.mjs";
import { median } from "../stats.mjs";
import { libraryOf, openStoreOf, storeSession } from "../store.mjs";
import { serving, turnOf } from "./http.mjs";

const messages = 100_000;

export async function view({ folder, quick, options }) {
  const executablePath = process.env.TEST_CHROMIUM ?? installed();
  if (executablePath === undefined) {
    process.stderr.write("view: not measured, there is no Chromium: bash .ci/browser.sh\n");
    return [];
  }
  const contender = sidecar(folder, options.binary, "view");
  const library = await libraryOf(contender.library);
  await fill(library, contender.store, options.sessions);
  const store = await openStoreOf(contender);
  const { id } = await storeSession(store, library, { cwd: folder, entries: messages, turnOf });
  await store.close();
  const server = await serving(contender, folder, options.binary);
  const browser = await chromium.launch({
    executablePath,
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
  try {
    const page = await (await fetch(server.url)).text();
    const token = server.headers.authorization.split(" ")[1];
    const times = [];
    for (let round = 0; round < (quick ? 3 : 11); round += 1)
      times.push(await timesOf(browser, `${server.url}#token=${token}&${id}`));
    return rowsOf(gzipSync(page).length / 1000, times.slice(1), options.sessions);
  } finally {
    await browser.close();
    await server.close();
  }
}

/** From the beginning of the navigation on, in a tab without anything kept. */
async function timesOf(browser, url) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(url);
  await page.locator(".row").first().waitFor();
  await page.locator("article:visible").first().waitFor();
  const times = await page.evaluate(() =>
    ["list", "conversation"].map((name) => performance.getEntriesByName(name)[0]?.startTime),
  );
  await context.close();
  return { list: times[0], conversation: times[1] };
}

function rowsOf(size, times, sessions) {
  const row = (what, figure, wanted, met) => ({ what, figures: { sidecar: figure }, ratio: "", wanted, met });
  const [list, conversation] = ["list", "conversation"].map((name) =>
    median(times.map((each) => each[name])),
  );
  return [
    row("the web view, compressed, KB", Math.round(size), "≤ 60 KB", size <= 60),
    row(
      `the web view's first list, of ${sessions.toLocaleString("en")} sessions, from the address on, ms`,
      Math.round(list),
      "≤ 300 ms",
      list <= 300,
    ),
    row(
      `the end of ${messages.toLocaleString("en")} messages in the web view, from the address on, ms`,
      Math.round(conversation),
      "",
      undefined,
    ),
  ];
}

function installed() {
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    const { status, stdout } = spawnSync("which", [name], { encoding: "utf8" });
    if (status === 0) return stdout.trim();
  }
  return undefined;
}
