/** Every change of a log is found, and nothing else is taken for one. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { anchorText, verifyLog } from "../../src/audit/verify.ts";
import { rotatedFiles } from "../../src/audit/places.ts";
import { lineAfter } from "../../src/audit/line.ts";
import { auditFolder, openLog, written } from "./rig.ts";

const folder = auditFolder();
let count = 0;

async function fresh(lines: number, options: Parameters<typeof written>[2] = {}): Promise<string> {
  count += 1;
  const file = path.join(folder, String(count), "audit.jsonl");
  await written(file, lines, options);
  return file;
}

/** The log with its lines changed. */
function changed(file: string, change: (lines: string[]) => string[]): void {
  const lines = fs.readFileSync(file, "utf8").split("\n").slice(0, -1);
  fs.writeFileSync(
    file,
    change(lines)
      .map((line) => `${line}\n`)
      .join(""),
  );
}

const without = (text: string, at: number) => text.slice(0, at) + text.slice(at + 1);

describe("a log that nobody has touched", () => {
  it("is sound, whatever stands in it", async () => {
    const file = await fresh(0);
    const log = openLog(file);
    for (const session of [
      "\u0000\u001b[31m",
      "\ud800",
      "日本語 \u202e",
      '"},"hash":"',
      "\n\r\t",
      "x".repeat(100_000),
    ])
      log.note({ what: "session.rename", session, facts: { [`${session.slice(0, 9)}"`]: session } });
    await log.close();
    expect(await verifyLog(file)).toMatchObject({ lines: 6, problemCount: 0, notes: [] });
    expect(fs.statSync(file).size).toBeLessThan(12_000);
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    expect(fs.statSync(path.dirname(file)).mode & 0o777).toBe(0o700);
  });

  it("is sound over its rotations, and what these have deleted is explained", async () => {
    const file = await fresh(0);
    for (let round = 0; round < 12; round += 1) await written(file, 20, { maxBytes: 2000, maxFiles: 3 });
    expect(rotatedFiles(file)).toHaveLength(3);
    const found = await verifyLog(file);
    expect(found).toMatchObject({ problems: [], last: { seq: 240 + 11 } });
    expect(found.first).toBeGreaterThan(100);
    expect(found.notes).toEqual([expect.stringMatching(/^lines up to \d+ were deleted by a rotation/)]);
  });
});

describe("a change", () => {
  it("of some bytes is found, and its line is named", () =>
    changeBytes(Array.from({ length: 200 }, Math.random)));

  it("of any byte is found, and its line is named", { tags: ["long"] }, () =>
    changeBytes(Array.from({ length: 6000 }, (_, at) => at / 6000)),
  );

  /** @param places within the log, from 0 to 1 */
  async function changeBytes(places: readonly number[]): Promise<void> {
    const file = await fresh(12);
    const whole = fs.readFileSync(file);
    for (const place of places) {
      const at = Math.floor(place * whole.length);
      const bytes = Buffer.from(whole);
      bytes[at] = (whole[at] ?? 0) ^ (1 + Math.floor(Math.random() * 255));
      fs.writeFileSync(file, bytes);
      const line = whole.subarray(0, at).filter((byte) => byte === 10).length + 1;
      const { problems, notes } = await verifyLog(file);
      const seen = `byte ${at} became ${bytes[at]}: ${JSON.stringify(notes)}`;
      expect(problems[0], seen).toMatchObject({ line, file: "audit.jsonl" });
    }
  }

  it.each([
    ["a line taken out", (lines: string[]) => lines.toSpliced(4, 1), 5, /line.? 5 to 5 are missing/],
    [
      "two lines swapped",
      (l: string[]) => [...l.slice(0, 4), l[5] ?? "", l[4] ?? "", ...l.slice(6)],
      5,
      /missing/,
    ],
    ["a line twice", (l: string[]) => l.toSpliced(7, 0, l[2] ?? ""), 8, /put in, or moved/],
    ["a line of somebody else", (l: string[]) => l.toSpliced(7, 0, "hello"), 8, /none of the log's/],
    ["the first line gone", (l: string[]) => l.slice(1), 0, /lines 1 to 1 are missing, and no rotation/],
    ["a line shortened", (l: string[]) => l.with(3, without(l[3] ?? "", 30)), 4, /was changed/],
  ])("is named: %s", async (_, change, line, what) => {
    const file = await fresh(12);
    changed(file, change);
    const { problems } = await verifyLog(file);
    expect(problems[0]).toMatchObject({ line, what: expect.stringMatching(what) as string });
  });

  it("that mends the line's own hash shows in the line after it, which names it", async () => {
    const file = await fresh(12);
    changed(file, (lines) => {
      const before = JSON.parse(lines[4] ?? "") as { seq: number; hash: string };
      const { text } = lineAfter(before, '"at":"never","what":"nothing"');
      return lines.with(5, text.trimEnd());
    });
    const { problems, problemCount } = await verifyLog(file);
    expect(problemCount).toBe(1);
    expect(problems[0]).toMatchObject({
      line: 6,
      what: expect.stringContaining("put in its place") as string,
    });
  });

  it("of whole files is found: one in the middle taken out, or the first where no rotation did that", async () => {
    const file = await fresh(0);
    for (let round = 0; round < 5; round += 1) await written(file, 20, { maxBytes: 2000 });
    const [first = "", second = ""] = rotatedFiles(file);
    const aside = fs.readFileSync(second);
    fs.rmSync(second);
    expect((await verifyLog(file)).problems[0]?.what).toMatch(/lines 21 to \d+ are missing before this file/);
    fs.writeFileSync(second, aside);
    expect((await verifyLog(file)).problemCount).toBe(0);
    fs.rmSync(first);
    expect((await verifyLog(file)).problems[0]?.what).toMatch(/^lines 1 to 20 are missing, and no rotation/);
  });
});

describe("an anchor", () => {
  it("holds a log that goes on, and finds one that was shortened, begun anew or written anew", async () => {
    const file = await fresh(10);
    const { last } = await verifyLog(file);
    if (last === undefined) throw new Error("no last line");
    expect(anchorText(last)).toMatch(/^10\.[\w-]{43}$/);
    await written(file, 5);
    expect((await verifyLog(file, last)).problems).toEqual([]);
    changed(file, (lines) => lines.slice(0, 8));
    expect((await verifyLog(file)).problemCount).toBe(0);
    expect((await verifyLog(file, last)).problems[0]?.what).toMatch(
      /ends with line 8, and the anchor is line 10/,
    );
    fs.rmSync(file);
    await written(file, 20);
    expect((await verifyLog(file, last)).problems[0]?.what).toMatch(/another line 10 than the anchor/);
  });

  it("that a rotation has deleted is said to be too old", async () => {
    const file = await fresh(10);
    const { last } = await verifyLog(file);
    for (let round = 0; round < 6; round += 1) await written(file, 20, { maxBytes: 2000, maxFiles: 2 });
    expect((await verifyLog(file, last)).problems[0]?.what).toMatch(/keep a newer anchor/);
  });
});

describe("what a killed process leaves", () => {
  it.each([1, 40, 200])("is said as such and gone on from: %i bytes of a line", async (bytes) => {
    const file = await fresh(5);
    const line = fs.readFileSync(file).subarray(0, bytes);
    fs.appendFileSync(file, line);
    const now = await verifyLog(file);
    expect(now).toMatchObject({
      problemCount: 0,
      notes: [expect.stringMatching(/line 6 .*unfinished/) as string],
    });
    await written(file, 3);
    expect(await verifyLog(file)).toMatchObject({
      problemCount: 0,
      last: { seq: 9 },
      notes: [expect.stringMatching(/line 6 .* is unfinished.*the line after it says so/) as string],
    });
    // Whoever puts something else in its place is found.
    changed(file, (lines) => lines.with(5, "x".repeat(bytes)));
    expect((await verifyLog(file)).problems[0]).toMatchObject({ line: 6 });
  });

  it("is a whole line but for its end, or only the beginning of the first one", async () => {
    const file = await fresh(5);
    fs.truncateSync(file, fs.statSync(file).size - 1);
    await written(file, 1);
    expect(await verifyLog(file)).toMatchObject({ lines: 6, problemCount: 0 });
    const other = await fresh(0);
    fs.mkdirSync(path.dirname(other), { recursive: true });
    fs.writeFileSync(other, '{"seq":1,"at":');
    await written(other, 1);
    expect(await verifyLog(other)).toMatchObject({ last: { seq: 2 }, problemCount: 0 });
  });

  it("between the steps of a rotation is no damage", async () => {
    const file = await fresh(20);
    fs.renameSync(file, `${file}.000000000020`);
    await written(file, 5);
    expect(await verifyLog(file)).toMatchObject({ lines: 26, problemCount: 0, notes: [] });
  });
});

it("a process that writes on notices that the log is shorter than it left it", async () => {
  const file = await fresh(0);
  const log = openLog(file);
  for (let at = 0; at < 9; at += 1) await log.noted({ what: "session.rename", session: String(at) });
  await log.around({ what: "session.move" }, async () => undefined);
  await expect.poll(() => fs.existsSync(file) && fs.readFileSync(file, "utf8").split("\n").length).toBe(11);
  changed(file, (lines) => lines.slice(0, 4));
  log.note({ what: "session.rename" });
  await log.close();
  expect((await verifyLog(file)).problems[0]).toMatchObject({
    line: 5,
    what: expect.stringMatching(/shortened before it: a process had written line 10/) as string,
  });
});
