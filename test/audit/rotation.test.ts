/** A process that is killed in the middle of a rotation: between setting the full file aside, making the next, writing its first line and deleting the oldest. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { rotatedFile, rotatedFiles } from "../../src/audit/places.ts";
import { verifyLog } from "../../src/audit/verify.ts";
import { auditFolder, recordsIn, written } from "./rig.ts";

const folder = auditFolder();
let count = 0;
const options = { maxBytes: 2000, maxFiles: 2 };

/** A log that has been rotated and is about to be again: its file is full. */
async function full(): Promise<string> {
  const file = path.join(folder, String((count += 1)), "audit.jsonl");
  for (let at = 0; at < 4; at += 1) await written(file, 12, options);
  expect(fs.statSync(file).size).toBeGreaterThan(options.maxBytes);
  expect(rotatedFiles(file)).toHaveLength(2);
  return file;
}

/** As the rotation would set it aside. */
function setAside(file: string): string {
  const to = rotatedFile(file, Number(recordsIn(file).at(-1)?.["seq"]));
  fs.renameSync(file, to);
  return to;
}

const states: Readonly<Record<string, (file: string) => void>> = {
  "when the full file had been set aside": (file) => void setAside(file),
  "when the next file was there, and empty": (file) => {
    setAside(file);
    fs.writeFileSync(file, "", { mode: 0o600 });
  },
  "in its first line": (file) => {
    const first = fs.readFileSync(setAside(file), "utf8").split("\n")[0] ?? "";
    fs.writeFileSync(file, first.slice(0, 40), { mode: 0o600 });
  },
};

describe("a process that is killed in a rotation", () => {
  it.each(Object.keys(states))("%s leaves a log that holds and goes on", async (name) => {
    const file = await full();
    const last = Number(recordsIn(file).at(-1)?.["seq"]);
    states[name]?.(file);
    expect((await verifyLog(file)).problems).toEqual([]);
    await written(file, 3, options);
    const found = await verifyLog(file);
    expect(found.problems).toEqual([]);
    expect(found.last?.seq).toBeGreaterThanOrEqual(last + 3);
    // It is tidied by the next one.
    for (let at = 0; at < 3; at += 1) await written(file, 12, options);
    expect(rotatedFiles(file)).toHaveLength(2);
    expect((await verifyLog(file)).problems).toEqual([]);
  });

  it("before it had deleted the oldest file leaves one more, until the next rotation", async () => {
    const file = await full();
    const [oldest = ""] = rotatedFiles(file);
    const kept = fs.readFileSync(oldest);
    await written(file, 1, options);
    expect(fs.existsSync(oldest)).toBe(false);
    fs.writeFileSync(oldest, kept, { mode: 0o600 });
    expect((await verifyLog(file)).problems).toEqual([]);
    for (let at = 0; at < 2; at += 1) await written(file, 12, options);
    expect(rotatedFiles(file)).toHaveLength(2);
    expect((await verifyLog(file)).problems).toEqual([]);
  });
});
