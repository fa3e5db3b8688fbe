/** A glimpse of every torture harness, with a fixed seed; `.ci/torture.mjs` has the longer run. */
import { describe, it, type TestContext } from "vitest";
import { harnesses } from "./harnesses.ts";
import type { Harness } from "./world/report.ts";

/** These measure; beside the others they would measure them, too. */
const alone = new Set(["slow-reader", "soak"]);
const deadlineMs = 180_000;

/** Errors: what the harness fails with. Skips, with the reason, what cannot be run here. */
async function glimpse({ name, sizes, run }: Harness, context: TestContext): Promise<void> {
  const said: string[] = [];
  const { kills = 0, seconds = 0 } = sizes.glimpse;
  const log = (line: string) => void said.push(line);
  const figures = await run({ seed: `glimpse-${name}`, kills, seconds, store: "sqlite", log });
  if ("not run" in figures) context.skip(said.join("; "));
}

// [REQ durable-acknowledged, durable-once, durable-whole, durable-deleted, durable-power, durable-levels]
describe("at a glimpse, nothing is lost:", () => {
  for (const harness of harnesses) {
    // What a power cut leaves is shown by no other test; kills and the rest are.
    const tags = harness.name === "power-loss" ? [] : ["long"];
    const options = { timeout: deadlineMs, concurrent: !alone.has(harness.name), tags };
    it(harness.name, options, (context) => glimpse(harness, context));
  }
});
