import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { end, entry, prompt } from "../history/talk.ts";
import { browserPath, launched, looking } from "./browser.ts";
import { served } from "./served.ts";

describe.skipIf(browserPath === undefined)("the web view", () => {
  it("says which files have moved on since the agent saw them, and which perhaps have", async () => {
    const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-view-")));
    const [read, secret, same] = ["read.ts", ".env", "same.ts"].map((name) => path.join(folder, name));
    const asked = (id: number, file = "", content = "") =>
      [{ params: { path: file } }, { result: { content } }].map((what, at) =>
        entry(at === 0 ? "request" : "response", { id, method: "fs/read_text_file", ...what }),
      );
    const [browser, server] = await Promise.all([launched(), served()]);
    try {
      for (const file of [read, secret, same]) fs.writeFileSync(file ?? "", "as it is now");
      const said = [
        prompt("Read"),
        ...asked(1, read, "as it was"),
        ...asked(2, secret),
        ...asked(3, same, "as it is now"),
      ];
      const { page, faults } = await looking(
        browser,
        server,
        await server.write("Moved on", [[...said, end()]], folder),
      );
      const moved = page.locator("details.moved");
      await moved.locator("summary", { hasText: "Moved on since: 2 files" }).click();
      expect(await moved.locator("li").allTextContents()).toEqual([
        "read.ts changed",
        ".env perhaps changed",
      ]);
      expect(faults).toEqual([]);
    } finally {
      await browser.close();
      await server.close();
      fs.rmSync(folder, { recursive: true });
    }
  });
});
