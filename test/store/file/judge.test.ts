import fs from "node:fs";
import { afterEach, describe, expect, it, vi } from "vitest";
import { newSessionId } from "../../../src/base/ids.ts";
import type { Verdict } from "../../../src/store/file/judge.ts";
import { replayHead, replayLog } from "../../../src/store/file/replay-log.ts";
import { encodeEntry, encodeOp, type OpLine } from "../../../src/store/file/line.ts";
import { recordOf, type JournalState } from "../../../src/store/file/state.ts";
import {
  aHolder,
  anEntry,
  aRequest,
  aSession,
  assertJournal,
  mustGet,
  rejectsWith,
} from "../../conformance/samples.ts";
import { aDirectory, folderOf, journalOf as journalFileOf, using } from "./sandbox.ts";

/** What processes may have written at the same time, one after the other as it came to stand in the file. */
function journalOf(...texts: readonly (string | ((offset: number) => string))[]): {
  state: JournalState;
  verdicts: Verdict[];
} {
  const record = { ...aSession({ id: newSessionId() }), headSeq: 0, sealedSeq: 0 };
  const facts = { record, fence: 0, forks: [], deleted: false, segments: [] };
  let bytes = Buffer.from(encodeOp({ op: "journal", version: 1, of: 1, ...facts }));
  for (const text of texts) {
    bytes = Buffer.concat([bytes, Buffer.from(typeof text === "string" ? text : text(bytes.length))]);
  }
  const state = replayHead({ bytes, base: 0, isLast: true });
  if (state === undefined || state === "incomplete") throw new Error("no head");
  const verdicts: Verdict[] = [];
  replayLog(
    state,
    { bytes: bytes.subarray(state.offset), base: state.offset, isLast: true },
    (_offset, verdict) => verdicts.push(verdict),
  );
  return { state, verdicts };
}

const untilMs = 2_000_000_000_000;

function takes(name: string, fence: number, over: { held: boolean; turn?: boolean; until?: number }): string {
  const lease = { holder: aHolder(name), fence, sinceMs: 0, expiresAtMs: untilMs, turnRunning: false };
  const seen = { fence: fence - 1, held: over.held, turn: over.turn ?? false };
  return encodeOp({
    op: "lease",
    lease,
    over: over.until === undefined ? seen : { ...seen, until: over.until },
  });
}

const batch = (by: number, of = 1, turn = false) => ({ of, by, until: untilMs, turn });
const entry = (seq: number, by: number, turn = false) =>
  encodeEntry(seq, anEntry(`${seq}`), batch(by, 1, turn));
const op = (line: OpLine) => encodeOp(line);

describe("the order of the lines in a journal", () => {
  it("gives a lease to the first of two that saw it free", () => {
    const { state, verdicts } = journalOf(takes("a", 1, { held: false }), takes("b", 1, { held: false }));
    expect(verdicts).toEqual(["counts", "conflict"]);
    expect(state.lease?.holder).toEqual(aHolder("a"));
  });

  it("leaves a lease alone that has changed since a taker looked: a turn began, or it was renewed", () => {
    const free = takes("a", 1, { held: false });
    const began = journalOf(free, entry(1, 1, true), takes("b", 2, { held: true }));
    expect(began.verdicts).toEqual(["counts", "counts", "conflict"]);
    const renewed = op({ op: "renew", batch: { ...batch(1), until: untilMs + 1 } });
    const expired = takes("b", 2, { held: true, until: untilMs });
    expect(journalOf(free, renewed, expired).verdicts).toEqual(["counts", "counts", "conflict"]);
    expect(journalOf(free, expired).verdicts).toEqual(["counts", "counts"]);
  });

  it("shuts out everything that a holder wrote behind its successor's lease", () => {
    const { state, verdicts } = journalOf(
      takes("a", 1, { held: false }),
      entry(1, 1),
      takes("b", 2, { held: true }),
      entry(2, 1),
      op({ op: "seal", from: 2, head: 1, batch: batch(1) }),
      op({ op: "set", patch: { title: "fenced" }, batch: batch(1) }),
      op({ op: "release", fence: 1 }),
      entry(2, 2),
    );
    expect(verdicts).toEqual([
      "counts",
      "counts",
      "counts",
      "fenced",
      "fenced",
      "fenced",
      "fenced",
      "counts",
    ]);
    expect(recordOf(state)).toMatchObject({ headSeq: 2, sealedSeq: 0, lease: { fence: 2 } });
    expect(recordOf(state).title).toBeUndefined();
  });

  it("takes the first of two batches for one place", () => {
    const two = encodeEntry(1, anEntry("a"), batch(1, 2)) + encodeEntry(2, anEntry("b"));
    const { state, verdicts } = journalOf(takes("a", 1, { held: false }), two, entry(1, 1), entry(3, 1));
    expect(verdicts).toEqual(["counts", "counts", "conflict", "counts"]);
    expect(state.headSeq).toBe(3);
  });

  it("lets nothing follow a deletion", () => {
    const { verdicts } = journalOf(
      takes("a", 1, { held: false }),
      op({ op: "delete" }),
      entry(1, 1),
      op({ op: "fork", id: newSessionId() }),
      op({ op: "set", patch: { title: "back" } }),
    );
    expect(verdicts).toEqual(["counts", "counts", "gone", "gone", "gone"]);
  });

  it("goes on in another file only from the place that this one was made for", () => {
    const next = (at: number) => op({ op: "next", file: "next.jsonl", at });
    const title = op({ op: "set", patch: { title: "t" } });
    // The title came between the copy and its announcement.
    const late = journalOf((at) => title + next(at), title);
    expect(late.verdicts).toEqual(["counts", "conflict", "counts"]);
    expect(late.state.next).toBeUndefined();
    const inTime = journalOf(title, next, title);
    expect(inTime.verdicts).toEqual(["counts", "counts", "moved"]);
    expect(inTime.state.next).toBe("next.jsonl");
  });

  it("passes over an interrupted write once that is marked, whoever marks it, and however often", () => {
    const start = takes("a", 1, { held: false });
    const torn = entry(1, 1).slice(0, 40);
    let from = 0;
    const mark = () => `\n${op({ op: "torn", from })}`;
    const marked = journalOf(start, (at) => ((from = at), torn + mark()), entry(1, 1), mark, entry(2, 1));
    expect(marked.state).toMatchObject({ headSeq: 2, damage: [], torn: false });
    const unmarked = journalOf(start, `${torn}\n`, entry(1, 1));
    expect(unmarked.state.damage.length).toBe(1);
    const atEnd = journalOf(start, torn);
    expect(atEnd.state).toMatchObject({ headSeq: 0, damage: [], torn: true });
  });
});

describe("a journal that is rotated by another process the moment something was written to it", () => {
  afterEach(() => vi.restoreAllMocks());

  it("has it, and its writer is told so", async () => {
    const directory = aDirectory();
    await using(directory, async (store) => {
      const { id } = await store.create(aSession());
      const { lease } = await store.acquire(id, aRequest());
      const first = journalFileOf(directory, id);
      const record = { ...(await mustGet(store, id)), headSeq: 1 };
      const facts = {
        version: 1,
        record,
        fence: lease.fence,
        forks: [],
        deleted: false,
        segments: [],
      } as const;
      const next = encodeOp({ op: "journal", of: 2, ...facts }) + encodeEntry(1, anEntry("x"));
      const look = fs.fstatSync;
      vi.spyOn(fs, "fstatSync").mockImplementation((fd: number) => {
        if (fs.existsSync(first) && fs.readFileSync(first, "utf8").includes('"seq":1')) {
          fs.writeFileSync(journalFileOf(directory, id, 2), next);
          const at = fs.readFileSync(first).length;
          fs.appendFileSync(first, encodeOp({ op: "next", file: "next.2.jsonl", at }));
          fs.rmSync(first);
        }
        return look(fd);
      });
      expect(await store.append(id, 0, [anEntry("x")], lease)).toBe(1);
      expect(await store.append(id, 1, [anEntry("y")], lease)).toBe(2);
      await assertJournal(store, id, [anEntry("x"), anEntry("y")]);
    });
  });
});

describe("a session that is deleted by another process", () => {
  afterEach(() => vi.restoreAllMocks());

  it("while it is let go is no failure", async () => {
    const directory = aDirectory();
    await using(directory, async (store) => {
      const { id } = await store.create(aSession());
      const { lease } = await store.acquire(id, aRequest());
      const open = fs.openSync;
      vi.spyOn(fs, "openSync").mockImplementation((file, ...more) => {
        if (String(file).includes("record.json")) fs.rmSync(folderOf(directory, id), { recursive: true });
        return open(file, ...more);
      });
      await store.release(lease);
      expect(await store.get(id)).toBeUndefined();
    });
  });
});

describe("a lease that was taken over before its taker has looked", () => {
  afterEach(() => vi.restoreAllMocks());

  /** Writes the text of a successor the moment a line with `mark` has come to stand in the journal. */
  function succeed(file: string, mark: string, text: string): void {
    const look = fs.fstatSync;
    let written = false;
    vi.spyOn(fs, "fstatSync").mockImplementation((fd: number) => {
      if (!written && fs.readFileSync(file, "utf8").includes(mark)) {
        written = true;
        fs.appendFileSync(file, text);
      }
      return look(fd);
    });
  }

  it("is still the taker's own, and shuts it out", async () => {
    const directory = aDirectory();
    await using(directory, async (store) => {
      const { id } = await store.create(aSession());
      succeed(journalFileOf(directory, id), '"op":"lease"', takes("b", 2, { held: true }));
      const { lease } = await store.acquire(id, aRequest());
      expect([lease.fence, lease.holder]).toEqual([1, aHolder()]);
      await rejectsWith("LEASE_LOST", store.append(id, 0, [anEntry("x")], lease));
      expect((await store.get(id))?.lease).toMatchObject({ fence: 2, holder: aHolder("b") });
    });
  });

  it("is not renewed into its successor's", async () => {
    const directory = aDirectory();
    await using(directory, async (store) => {
      const { id } = await store.create(aSession());
      const { lease } = await store.acquire(id, aRequest());
      succeed(journalFileOf(directory, id), '"op":"renew"', takes("b", 2, { held: true }));
      await rejectsWith("LEASE_LOST", store.renew(lease));
      await rejectsWith("LEASE_LOST", store.append(id, 0, [anEntry("x")], lease));
    });
  });
});
