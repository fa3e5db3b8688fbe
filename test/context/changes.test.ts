/** Whatever happens to files, no change of what they hold is missed and none is invented. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { compared, type KnownState } from "../../src/context/changes.ts";
import { doneByOthers, otherHands, type OtherHand } from "./other-hands.ts";
import { coarseMs, lookAt, maxHashedBytes, statAt } from "../../src/context/file-state.ts";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-context-"));
afterAll(() => fs.rmSync(folder, { recursive: true }));
const names = ["a.ts", "b.ts", "c d.ts"];

/** Of the same length, so that no size tells them apart. */
const contents = ["one 1", "two 2", "three"];

const step = fc.record({
  name: fc.constantFrom(...names),
  content: fc.constantFrom(...contents),
  how: fc.constantFrom(...otherHands, "append", "swap"),
  other: fc.constantFrom(...names),
});

function act({
  name,
  content,
  how,
  other,
}: {
  name: string;
  content: string;
  how: OtherHand | "append" | "swap";
  other: string;
}): void {
  const file = path.join(folder, name);
  const before = fs.existsSync(file);
  switch (how) {
    case "append":
      if (before) fs.appendFileSync(file, "");
      return;
    case "swap":
      if (before && name !== other && fs.existsSync(path.join(folder, other))) {
        fs.renameSync(path.join(folder, other), path.join(folder, "x"));
        fs.renameSync(file, path.join(folder, other));
        fs.renameSync(path.join(folder, "x"), file);
      }
      return;
    default:
      doneByOthers(file, how, content);
  }
}

function held(): Map<string, string | undefined> {
  return new Map(
    names.map((name) => {
      const file = path.join(folder, name);
      return [file, fs.existsSync(file) ? fs.readFileSync(file, "utf8") : undefined];
    }),
  );
}

function expected(before: string | undefined, now: string | undefined): string | undefined {
  if (before === now) return undefined;
  if (before === undefined) return "created";
  return now === undefined ? "deleted" : "changed";
}

describe("files since they were looked at [issue 13.3]", () => {
  it("are told as created, changed or deleted when they are, and only then", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 6 }),
        fc.array(step, { maxLength: 6 }),
        async (first, then) => {
          for (const each of first) act(each);
          const known = new Map<string, KnownState>();
          for (const name of names) {
            const look = await lookAt(path.join(folder, name));
            if (look === "unknown") throw new Error("nobody else writes here");
            known.set(path.join(folder, name), look);
          }
          const before = held();
          for (const each of then) act(each);
          for (const [file, was] of before)
            expect(
              (await compared(file, known.get(file) ?? "absent", true)).change?.what,
              JSON.stringify({ first, then }),
            ).toBe(expected(was, held().get(file)));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("that were written in the same instant as the look are read, whatever their times say", async () => {
    const file = path.join(folder, "young");
    fs.writeFileSync(file, "one 1");
    const known = await lookAt(file);
    if (typeof known === "string") throw new Error(known);
    fs.writeFileSync(file, "two 2");
    // A clock too coarse to tell: all times are what they were.
    const now = await statAt(file);
    const seen = { ...known, ...(typeof now === "object" && now) };
    expect((await compared(file, { ...seen, sha256: known.sha256 ?? "" }, true)).change?.what).toBe(
      "changed",
    );
    // Long after, the same times mean the same contents: nothing is read.
    const old = { ...seen, sha256: "0", atMs: Date.now() + coarseMs * 2 };
    expect((await compared(file, old, true)).change).toBeUndefined();
  });

  it("that may not be read are told as unknown where only their times differ", async () => {
    const file = path.join(folder, ".env");
    fs.writeFileSync(file, "A=1");
    const known = await statAt(file);
    if (typeof known === "string") throw new Error(known);
    fs.writeFileSync(file, "A=2");
    fs.utimesSync(file, new Date(), new Date(0));
    expect((await compared(file, known, false)).change?.what).toBe("unknown");
    fs.writeFileSync(file, "A=22");
    expect((await compared(file, known, false)).change?.what).toBe("changed");
  });

  it("that are huge, a folder, a pipe, or no one's to read have their answers", async () => {
    const huge = path.join(folder, "huge");
    fs.writeFileSync(huge, "");
    fs.truncateSync(huge, maxHashedBytes + 1);
    expect(await lookAt(huge)).not.toHaveProperty("sha256");
    expect(await lookAt(folder)).toBe("absent");
    expect(await statAt(path.join(huge, "below"))).toBe("absent");
    expect(await lookAt("/dev/null")).toBe("absent");
    expect(await statAt("bad\0name")).toBe("unknown");
  });
});
