import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const run = promisify(execFile);
const runner = fileURLToPath(new URL("../examples/run.mjs", import.meta.url));

/** What each example is there to show. */
const chapters: Readonly<Record<string, readonly string[]>> = {
  "basic-storage": ["Create, read, update, delete", "Expiry", "Capacity", "The life of a store"],
  "layered-storage": [
    "Write-through, miss and fallback, write-back",
    "Expiry with fallback",
    "Degradation and healing",
  ],
};

describe.concurrent("the examples", () => {
  for (const [name, titles] of Object.entries(chapters)) {
    const tags = name === "basic-storage" ? [] : ["long"];
    it(`${name} runs with one command, and all that it says is so`, { tags }, async () => {
      const { stdout } = await run(process.execPath, [runner, name]);
      for (const title of titles) expect(stdout).toContain(`\n${title}`);
      expect(stdout).not.toContain("  NOT ");
      expect(stdout.match(/^ {2}ok /gm)?.length).toBeGreaterThan(12);
    });
  }

  it("are named when one is asked for that is not there", async () => {
    await expect(run(process.execPath, [runner, "nothing"])).rejects.toMatchObject({
      code: 2,
      stderr: "Usage: npm run example -- NAME, where NAME is one of: basic-storage, layered-storage\n",
    });
  });
});
