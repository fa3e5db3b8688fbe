/** What a large tool result takes while it passes, by the system's own count: only Linux says so. */
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { useHarness } from "./harness/harness.ts";

const harness = useHarness();
const cwd = harness.project();
const resultBytes = 30_000_000;

const statusOf = (pid: number | undefined, name: string): number =>
  Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;

// Elsewhere no file tells a process's peak, and none forgets it.
describe.skipIf(process.platform !== "linux")("a tool result of 30 MB", () => {
  for (const scheme of ["memory:", "sqlite:", "file:"]) {
    const tags = scheme === "sqlite:" ? [] : ["long"];
    it(`takes less than 8 times its size at the peak, on ${scheme}`, { tags }, async () => {
      const store = scheme === "memory:" ? scheme : `${scheme}${harness.path("store")}`;
      const client = await harness.connectRaw({ store });
      const sessionId = await client.newSession(cwd);
      await client.prompt(sessionId, "hello");
      const { pid } = client.program.child;
      const before = statusOf(pid, "VmRSS");
      writeFileSync(`/proc/${pid}/clear_refs`, "5");
      await client.prompt(sessionId, `output ${resultBytes}`);
      const taken = statusOf(pid, "VmHWM") - before;
      expect(taken / resultBytes).toBeLessThan(8);
    });
  }
});
