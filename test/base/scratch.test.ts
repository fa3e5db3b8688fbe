import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { thisOwner } from "../../src/base/owner.ts";
import { scratchFolder, sweepScratch } from "../../src/base/scratch.ts";

it("what a killed process has left among temporary files goes, and what processes are at work on stays", () => {
  const ours = scratchFolder("import");
  expect(fs.statSync(ours).mode & 0o777).toBe(0o700);
  const { pid } = spawnSync("true");
  const { startedAt, space } = thisOwner();
  const made = (...parts: (string | number)[]) => {
    const place = path.join(os.tmpdir(), `acp-sidecar-${parts.join("-")}`);
    fs.mkdirSync(place);
    fs.writeFileSync(path.join(place, "sent.acpbundle"), "x");
    return place;
  };
  const left = [made("import", pid, "1", space, "a"), made("open", process.pid, `${startedAt}1`, space, "b")];
  const others = [made("import", pid, "1", "0123456789ab", "c"), made("import", "d")];
  try {
    sweepScratch();
    expect(left.map((place) => fs.existsSync(place))).toEqual([false, false]);
    expect([ours, ...others].map((place) => fs.existsSync(place))).toEqual([true, true, true]);
  } finally {
    for (const place of [ours, ...others, ...left]) fs.rmSync(place, { recursive: true, force: true });
  }
});
