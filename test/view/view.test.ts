import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Browser } from "playwright-core";
import { end, prompt, say } from "../history/talk.ts";
import { browserPath, launched, looking, type Seen } from "./browser.ts";
import { batches, hostile, long, rich } from "./scenes.ts";
import { serveAgent, served, type Served } from "./served.ts";

describe.skipIf(browserPath === undefined)("the web view", () => {
  let browser: Browser;
  let server: Served;
  let seen: Seen | undefined;
  beforeAll(async () => {
    [browser, server] = await Promise.all([launched(), served({ serve: serveAgent })]);
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });
  afterEach(async () => {
    await seen?.page.context().close();
    seen = undefined;
  });

  const look = async (...args: [at?: string, options?: object]) => {
    seen = await looking(browser, server, ...args);
    return seen;
  };

  it("takes its token out of the address, keeps it for the tab, and asks for one that it does not have", async () => {
    const id = await server.write("Mend the login", [rich()]);
    const { page, faults } = await look(id);
    await page.getByRole("heading", { name: "Mend the login" }).waitFor();
    expect(page.url()).toBe(`${server.url}#${id}`);
    await page.reload();
    await page.getByRole("heading", { name: "Mend the login" }).waitFor();
    expect(faults).toEqual([]);
    const stranger = (await looking(browser, { url: server.url, token: undefined })).page;
    await stranger.getByLabel("Token").fill(`acps_${"x".repeat(43)}`);
    await stranger.getByRole("button", { name: "Open" }).click();
    await stranger.getByRole("alert").getByText("does not know this token").waitFor();
    // Once is enough.
    expect(await stranger.getByText("it is unknown, has ended").isVisible()).toBe(false);
    await stranger.getByLabel("Token").fill(server.token);
    await stranger.getByRole("button", { name: "Open" }).click();
    await stranger.getByRole("link", { name: /Mend the login/ }).waitFor();
    await stranger.context().close();
  });

  it("asks for its first list before it is read to its end, once, and is told what comes since", async () => {
    await server.write("Sooner", [rich()]);
    const { page, faults } = await look();
    await page.getByRole("link", { name: /Sooner/ }).waitFor();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url().slice(server.url.length)));
    await page.reload();
    await page.getByRole("link", { name: /Sooner/ }).waitFor();
    await server.write("Later", [rich()]);
    await page.getByRole("link", { name: /Later/ }).waitFor();
    expect(asked.slice(0, 3)).toEqual(["", "api/events", "api/sessions?limit=60&archived=exclude"]);
    expect(asked.filter((each) => /events|limit=60/.test(each))).toHaveLength(2);
    expect(faults).toEqual([]);
  });

  it("makes a link by which whoever has it reads the session and does nothing else, until all are ended", async () => {
    const id = await server.write("For others to read", [rich()]);
    await server.write("Nothing for others", [rich()]);
    const { page, faults } = await look(id);
    await page.getByRole("button", { name: "Share", exact: true }).click();
    await page.getByRole("button", { name: "Make a link to read it" }).click();
    const field = page.getByRole("textbox", { name: "Link" });
    await field.waitFor();
    const [url = "", at = ""] = (await field.inputValue()).split("#");
    const [token = "", address] = at.replace("token=", "").split("&");
    expect([url, address]).toEqual([server.url, id]);
    const reader = await looking(browser, { url, token }, address);
    await reader.page.getByRole("heading", { name: "For others to read" }).waitFor();
    await reader.page.locator(":root[data-may='read']").waitFor();
    expect(await reader.page.getByRole("listitem").getByText("Nothing for others").count()).toBe(0);
    for (const name of ["Rename", "Export", "Fork", "Share", "Archive", "New session"])
      expect(await reader.page.getByRole("button", { name, exact: true }).isVisible(), name).toBe(false);
    expect(await reader.page.getByRole("textbox", { name: "Prompt" }).isVisible()).toBe(false);
    // In a tab that has another token already.
    const other = await looking(browser, server);
    await other.page.getByRole("listitem").getByText("Nothing for others").waitFor();
    await other.page.goto(`${url}#${at}`);
    await other.page.getByRole("heading", { name: "For others to read" }).waitFor();
    await other.page.locator(":root[data-may='read']").waitFor();
    expect(new URL(other.page.url()).hash).toBe(`#${id}`);
    await other.page.context().close();
    await page.getByRole("button", { name: "End all links" }).click();
    await page.getByText("No link leads here any more.").waitFor();
    await reader.page.context().close();
    expect(faults).toEqual([]);
  });

  it("shows what was said and done, thoughts and calls folded", async () => {
    const { page, faults } = await look(await server.write("Everything", [rich()]));
    const feed = page.getByRole("feed");
    await feed.getByRole("heading", { name: "What was wrong" }).waitFor();
    expect(await feed.locator("table td").allTextContents()).toEqual([
      "src/auth.ts",
      "12",
      "9",
      "src/upload.ts",
      "4",
      "4",
    ]);
    expect(await feed.locator("ol > li").count()).toBe(2);
    const time = page.locator(".row time").first();
    await time.hover();
    expect(await time.getAttribute("title")).toMatch(/\b20\d\d\b.*\d:\d\d/);
    const link = feed.getByRole("link", { name: "the RFC" });
    expect(await link.getAttribute("rel")).toContain("noreferrer");
    const thought = feed.locator("details.thought");
    expect(await thought.locator(".body").count()).toBe(0);
    await thought.locator("summary").click();
    await thought.locator(".body").getByText("look at the code first").waitFor();
    const edit = feed.locator("details.call", { hasText: "Edit src/auth.ts" });
    expect(await edit.locator("summary").textContent()).toMatch(/\+2.*−3/);
    await edit.locator("summary").click();
    await edit.locator("ins").last().waitFor();
    expect(await edit.locator("ins").allTextContents()).toEqual([
      "+export async function authorized(request) {",
      "+  const token = await refresh();",
    ]);
    expect(await feed.locator(".plan li").count()).toBe(3);
    expect(await feed.getByText("Permission allowed: Allow once").count()).toBe(1);
    expect(await feed.getByText("18,204 tokens").count()).toBe(1);
    expect(await page.getByText("29 % of 200K tokens").count()).toBe(1);
    expect(faults).toEqual([]);
  });

  it("shows hostile content as text, follows no address but the web's, and asks nobody else for anything", async () => {
    const { page, faults } = await look(await server.write("\u202e<script>harm()</script>", [hostile()]));
    const feed = page.getByRole("feed");
    await feed.getByText("The turn failed: <script>").waitFor();
    for (const summary of await feed.locator("summary").all()) await summary.click();
    expect(await page.evaluate(() => "harmed" in globalThis)).toBe(false);
    // Nothing makes the page wider than it is.
    const tooWide = await page.locator(".scroller").evaluate((all) => all.scrollWidth - all.clientWidth);
    expect(tooWide).toBe(0);
    const links = await feed
      .locator("a[target]")
      .evaluateAll((all) => all.map((each) => (each as HTMLAnchorElement).href));
    expect(links.sort()).toEqual(["https://ok.example/", "https://tracker.example/p.png"]);
    expect(await page.locator(".feed script, .feed img, .feed iframe, .feed [onerror]").count()).toBe(0);
    const text = (await page.locator("body").textContent()) ?? "";
    expect(text).not.toMatch(/[\u202a-\u202e\u0007\u001b]/);
    expect(text).toContain(String.raw`\u202egnp.exe`);
    // A megabyte on one line is there piece by piece.
    expect(text.length).toBeLessThan(400_000);
    await feed.getByRole("button", { name: "Show more" }).first().click();
    expect(faults).toEqual([]);
  });

  it("finds sessions as one types, by keys alone, and puts them away", async () => {
    const id = await server.write("Aardvark", [[prompt("hi"), say("ho"), end()]], "/home/ann/zoo");
    const { page, faults } = await look();
    await page.getByRole("link", { name: /Aardvark/ }).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("zoo");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Aardvark" }).waitFor();
    expect(page.url()).toBe(`${server.url}#${id}`);
    await page.getByRole("button", { name: "Rename" }).click();
    await page.getByLabel("Title").fill("Anteater");
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: /Anteater/ }).waitFor();
    await page.getByRole("button", { name: "Archive" }).click();
    await page.getByRole("button", { name: "Unarchive" }).waitFor();
    await page.getByRole("link", { name: /Anteater/ }).waitFor({ state: "detached" });
    await page.keyboard.press("Escape");
    await page.getByText("Choose a session.").waitFor();
    await page.getByLabel("Archive").selectOption("only");
    await page.getByRole("link", { name: /Anteater/ }).waitFor();
    expect(faults).toEqual([]);
  });

  it("grows with its session, and tells nothing twice when a turn is final", async () => {
    const { id } = await server.owner.create({ cwd: "/p", title: "Live" });
    const { page, faults } = await look(id, { viewport: { width: 390, height: 700 } });
    await page.getByRole("heading", { name: "Live" }).waitFor();
    expect(await page.getByLabel("Search sessions").isVisible()).toBe(false);
    const { journal } = await server.owner.open(id);
    await journal.append([prompt("Tell"), say("Once "), say("upon ")]);
    await page.getByText("Once upon").waitFor();
    await journal.append([say("a time")]);
    await page.getByText("Once upon a time").waitFor();
    await journal.seal([say(", the end."), end()]);
    await page.getByText("Once upon a time, the end.").waitFor();
    expect(await page.getByRole("article", { name: /You/ }).count()).toBe(1);
    expect(await page.getByRole("article", { name: /Agent/ }).count()).toBe(1);
    await journal.release();
    expect(faults).toEqual([]);
  });

  it("prompts the agent, shows what it may not do before somebody says so, and stops it", async () => {
    const { page, faults } = await look();
    await page.getByRole("button", { name: "New session" }).click();
    await page.getByLabel("Folder").fill(process.cwd());
    await page.getByRole("button", { name: "Begin" }).click();
    await page.getByLabel("Prompt").fill("Hello there");
    await page.keyboard.press("Enter");
    await page.getByRole("article", { name: /Agent/ }).waitFor();
    await page.getByRole("heading", { name: "Hello there" }).waitFor();
    await page.getByLabel("Prompt").fill("permission");
    await page.keyboard.press("Enter");
    const asked = page.getByRole("group", { name: "Permission" });
    await asked.getByRole("button").first().click();
    await page.getByText(/Permission allowed/).waitFor();
    await asked.waitFor({ state: "detached" });
    await expect.poll(() => page.getByRole("button", { name: "Send" }).isEnabled()).toBe(true);
    await page.getByLabel("Prompt").fill("permission");
    await page.keyboard.press("Enter");
    await asked.waitFor();
    await page.getByText(`process ${process.pid} on `).waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.locator(".turn-end:not(.bad)", { hasText: "The turn ended: cancelled" }).waitFor();
    expect(faults).toEqual([]);
  });

  const scrolls = async (turns: number) => {
    const { page, faults } = await look(await server.write("Long", batches(long(turns))));
    const articles = page.getByRole("article");
    const lines = page.getByRole("feed");
    await lines.getByText(`Answer ${turns}.`).waitFor();
    await page.keyboard.press("g");
    await lines.getByText("Question 1", { exact: true }).waitFor();
    const scroller = page.locator(".scroller");
    await scroller.evaluate((all) => (all.scrollTop = all.scrollHeight / 2));
    const numbers = () =>
      page
        .locator(".is-user")
        .evaluateAll((items) =>
          items.map((item) => Number(/Question (\d+)/.exec(item.textContent ?? "")?.[1])),
        );
    await expect
      .poll(async () => Math.abs(((await numbers())[0] ?? 0) / turns - 0.5), { timeout: 30_000 })
      .toBeLessThan(0.1);
    const { width, height } = page.viewportSize() ?? { width: 0, height: 0 };
    await page.mouse.move(width * 0.7, height / 2);
    for (let wheel = 0; wheel < 20; wheel += 1) {
      await page.mouse.wheel(0, -1500);
      await page.evaluate(() => new Promise(requestAnimationFrame));
    }
    // Of what is in the page nothing is missing between the first and the last.
    const there = await numbers();
    expect(there.length).toBeGreaterThan(20);
    expect(there).toEqual(there.map((_, at) => (there[0] ?? 0) + at));
    expect(await articles.count()).toBeLessThan(200);
    await page.keyboard.press("Shift+G");
    await lines.getByText(`Answer ${turns}.`).waitFor();
    expect(faults).toEqual([]);
  };

  it("scrolls through a long conversation, of which only what is near is in the page", () => scrolls(1500));
  it("scrolls through 100,000 messages", { tags: ["long"] }, () => scrolls(50_000));
});
