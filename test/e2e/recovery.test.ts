/** Starting where another sidecar was killed: it recovers by itself, and says so in one line of the log. */
import { appendFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { useHarness } from "./harness/harness.ts";
import type { Program } from "./harness/program.ts";
import { textOf } from "./harness/wire.ts";

const harness = useHarness();
const cwd = harness.project();

interface Line {
  readonly level: string;
  readonly msg: string;
}

/** What a sidecar has logged of a recovery, and its warnings. */
function recoveries({ stderr }: Program): Line[] {
  const lines = stderr.split("\n").filter((line) => line.startsWith("{"));
  const parsed = lines.map((line) => JSON.parse(line) as Line);
  return parsed.filter(({ level, msg }) => level !== "info" || msg.includes("recovered"));
}

/** A turn was running when its sidecar was killed; `harm` is done to what it left. Returns what the next one logs of it. */
async function recover(store: string, harm: () => void = () => undefined): Promise<Line[]> {
  const client = await harness.connect({ store });
  const { sessionId } = await client.newSession(cwd);
  void client.prompt(sessionId, "stream 5\nuntil-cancel").catch(() => undefined);
  await client.untilUpdate(sessionId, (update) => textOf([update]).includes("before"));
  await harness.crash(client.program);
  harm();
  const next = await harness.connect({ store, args: ["--log-level", "info"] });
  expect(textOf(await next.replay(sessionId, cwd))).toBe("[1][2][3][4][5]before ");
  await harness.stop(next.program);
  return recoveries(next.program);
}

const ofDeadHolder = {
  msg: "session recovered",
  turnRunning: true,
  deadHolder: expect.any(Number) as number,
};

describe.concurrent("a start after a crash", () => {
  it("takes up a hot write-ahead log and the lease of a dead process, each with one line", async () => {
    const store = harness.storeUrl();
    const found = expect.stringMatching(/^[1-9]\d+ bytes in the write-ahead log/) as string;
    const wal = () => expect(statSync(`${store.slice("sqlite:".length)}-wal`).size).toBeGreaterThan(0);
    expect(await recover(store, wal)).toMatchObject([
      { msg: "store recovered", store: "sqlite", found },
      ofDeadHolder,
    ]);
  });

  it("passes over a half-written file, with one line that says so", async () => {
    const directory = harness.path("sessions");
    const harm = () => {
      const files = readdirSync(directory, { recursive: true, encoding: "utf8" });
      const journals = files.filter((file) => file.endsWith(".jsonl"));
      expect(journals).toHaveLength(1);
      appendFileSync(join(directory, journals[0] ?? ""), '{"seq":9,"kind":"upd');
    };
    const setAside = "a half-written line at the end of its journal";
    expect(await recover(`file:${directory}`, harm)).toMatchObject([{ ...ofDeadHolder, setAside }]);
  });

  it("says nothing where everything was closed in order", async () => {
    const store = harness.storeUrl();
    const first = await harness.connect({ store });
    const { sessionId } = await first.newSession(cwd);
    await first.prompt(sessionId, "hello");
    await harness.stop(first.program);
    const next = await harness.connect({ store, args: ["--log-level", "info"] });
    await next.load(sessionId, cwd);
    await harness.stop(next.program);
    expect(recoveries(next.program)).toEqual([]);
  });
});
