/** A session that an editor's process has, in a real browser: what the page says of it, and what it offers. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Browser, Page } from "playwright-core";
import { openStore } from "../../src/store/open.ts";
import { useHarness } from "../e2e/harness/harness.ts";
import type { SdkClient } from "../e2e/harness/sdk-client.ts";
import { browserPath, launched, looking } from "./browser.ts";
import { serveAgent, served, type Served } from "./served.ts";

const harness = useHarness();
const cwd = harness.project();
/** Where the editor's process can be asked, and where nobody can. */
const here = { HOME: harness.dir, XDG_RUNTIME_DIR: harness.dir };

describe.skipIf(browserPath === undefined)("a session that an editor has", { timeout: 60_000 }, () => {
  let browser: Browser;
  const open: { close(): Promise<void> }[] = [];
  beforeAll(async () => {
    browser = await launched();
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close();
  });

  async function editorAnd(more: Parameters<typeof served>[0] = {}, editorArgs: readonly string[] = []) {
    const url = harness.storeUrl();
    const editor = await harness.connect({ store: url, agent: ["agent.mjs", "--load"], args: editorArgs });
    const { sessionId } = await editor.newSession(cwd);
    await editor.prompt(sessionId, "from the editor");
    const server: Served = await served({
      store: await openStore(url),
      serve: serveAgent,
      env: here,
      ...more,
    });
    open.push(server);
    const look = async (token = server.token, options = {}) => {
      const seen = await looking(browser, { url: server.url, token }, sessionId, options);
      open.unshift({ close: () => seen.page.context().close() });
      await seen.page.getByRole("feed").getByText("from the editor").first().waitFor();
      return seen;
    };
    return { editor, sessionId, server, look, where: `process ${editor.program.pid} on ` };
  }

  async function turnIn(editor: SdkClient, sessionId: string) {
    const from = editor.program.out.length;
    const turn = editor.prompt(sessionId, "until-cancel");
    await editor.untilUpdate(sessionId, () => true, from);
    return { turn };
  }

  const parts = (page: Page) => ({
    send: page.getByRole("button", { name: "Send" }),
    text: page.getByRole("textbox", { name: "Prompt" }),
    stop: page.getByRole("button", { name: "Stop", exact: true }),
    end: page.getByRole("button", { name: "End it there" }),
    archive: page.getByRole("button", { name: "Archive" }),
    note: page.locator("#in-use"),
  });
  /** What a screen reader says of it beside its name. */
  const description = (page: Page, name: "Send" | "Prompt") =>
    page.evaluate((label) => {
      const named = [...document.querySelectorAll(".composer button, .composer textarea")];
      const found = named.find((each) => (each.getAttribute("aria-label") ?? each.textContent) === label);
      const id = found?.getAttribute("aria-describedby") ?? "";
      return document.getElementById(id)?.textContent;
    }, name);

  for (const [theme, options, tags] of [
    ["light", { colorScheme: "light" }, []],
    ["dark and narrow", { colorScheme: "dark", viewport: { width: 360, height: 640 } }, ["long"]],
  ] as const)
    it(
      `says who has it and since when, takes no prompt while a turn runs there, and again when it is over: ${theme}`,
      { tags: [...tags] },
      async () => {
        const { editor, sessionId, look, where } = await editorAnd();
        const { page, faults } = await look(undefined, options);
        const { send, text, stop, end, note, archive } = parts(page);
        await note.getByText("What you send takes it over.").waitFor();
        expect(await note.textContent()).toMatch(new RegExp(`^Open in ${where}\\S+ since \\d\\d:\\d\\d\\.`));
        expect([await end.isVisible(), await stop.isVisible()]).toEqual([false, false]);
        expect(await send.getAttribute("aria-disabled")).toBe("false");

        const { turn } = await turnIn(editor, sessionId);
        await note.getByText("A turn runs in process").waitFor();
        expect(await note.textContent()).toMatch(/since \d\d:\d\d\. Send works again when it has ended\.$/);
        expect(await send.getAttribute("aria-disabled")).toBe("true");
        for (const name of ["Send", "Prompt"] as const)
          expect(await description(page, name)).toBe(await note.textContent());
        expect([await end.isVisible(), await stop.isVisible()]).toEqual([true, false]);
        // By keys alone: one may write ahead, and is told why it is not sent.
        const asked: string[] = [];
        page.on("request", (request) => asked.push(request.method()));
        await page.keyboard.press("i");
        await page.keyboard.type("ahead of time");
        await page.keyboard.press("Enter");
        await page.locator("#notice").getByText("A turn runs in process").waitFor();
        await page.keyboard.press("Tab");
        expect(await send.evaluate((each) => each === document.activeElement)).toBe(true);
        await page.keyboard.press("Enter");
        await archive.press("Enter");
        await page.locator("#notice").getByText("it can be archived when that has ended").waitFor();
        expect(await archive.getAttribute("aria-disabled")).toBe("true");
        expect(asked.filter((method) => method !== "GET")).toEqual([]);
        expect(await text.inputValue()).toBe("ahead of time");
        expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);

        await editor.cancel(sessionId);
        await turn;
        await note.getByText("What you send takes it over.").waitFor();
        await page.locator("#notice").getByText("can be prompted again").waitFor();
        expect(await archive.getAttribute("aria-disabled")).toBe("false");
        await editor.agent.request("session/close", { sessionId });
        await expect.poll(() => note.textContent()).toBe("");
        await text.press("Enter");
        await page.getByRole("feed").getByText("echo: ahead of time").waitFor();
        expect(faults).toEqual([]);
      },
    );

  it("takes no prompt where nobody answers, and says what to do about it", async () => {
    const { look } = await editorAnd({ serve: undefined });
    const { page, faults } = await look();
    const { send, text, end, note } = parts(page);
    await note.getByText("start acp-sidecar http with an agent's command").waitFor();
    expect(await note.textContent()).toMatch(/^Open in process /);
    expect(await send.getAttribute("aria-disabled")).toBe("true");
    expect(await end.isVisible()).toBe(false);
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.method()));
    await text.fill("hello");
    await text.press("Enter");
    await page.locator("#notice").getByText("Nobody answers prompts here").waitFor();
    expect(asked).not.toContain("POST");
    expect(faults).toEqual([]);
  });

  it("is ended there by whose it is, in order, and can be prompted then", async () => {
    const { editor, sessionId, look } = await editorAnd();
    const { page, faults } = await look();
    const { send, end, note } = parts(page);
    const { turn } = await turnIn(editor, sessionId);
    await end.click();
    expect(await turn).toMatchObject({ stopReason: "cancelled" });
    await expect.poll(() => note.textContent()).toBe("");
    expect(await send.getAttribute("aria-disabled")).toBe("false");
    expect(await end.isVisible()).toBe(false);
    expect(faults).toEqual([]);
  });

  it(
    "is taken by force where its process cannot be asked, if that is meant; who may not is not offered it",
    { tags: ["long"] },
    async () => {
      const { editor, sessionId, look, server } = await editorAnd({}, ["--endpoint", "off"]);
      const { secret } = await server.owner.sharing.tokens.create({ name: "w", scope: "write" });
      const { page } = await look();
      const other = parts((await look(secret)).page);
      const { send, end, note } = parts(page);
      const { turn } = await turnIn(editor, sessionId);
      const lost = expect(turn).rejects.toMatchObject({ data: { code: "LEASE_LOST" } });
      await end.click();
      const dialog = page.getByRole("dialog", { name: "End it by force?" });
      await dialog.getByRole("button", { name: "Cancel" }).click();
      expect(await send.getAttribute("aria-disabled")).toBe("true");
      await other.note.getByText("A turn runs in process").waitFor();
      expect([await other.end.isVisible(), await other.stop.isVisible()]).toEqual([false, false]);
      await end.click();
      await dialog.getByRole("button", { name: "End it", exact: true }).click();
      await expect.poll(() => note.textContent()).toBe("");
      await editor.cancel(sessionId);
      await lost;
    },
  );

  it(
    "takes no prompt as long as it is open there, where nobody is to be taken anything from",
    { tags: ["long"] },
    async () => {
      const { editor, look } = await editorAnd({ config: { onBusy: "error" } });
      const { page, faults } = await look();
      const { send, note } = parts(page);
      await note.getByText("Send works again when it is closed there.").waitFor();
      expect(await send.getAttribute("aria-disabled")).toBe("true");
      // A process that dies closes nothing.
      await harness.crash(editor.program);
      await expect.poll(() => note.textContent()).toBe("");
      expect(await send.getAttribute("aria-disabled")).toBe("false");
      expect(faults).toEqual([]);
    },
  );
});
