/**
 * Final entries that are replaced by as many others: the segments that hold some of them are written anew, with what of
 * the journal is final if some of them stand there, and the session goes on in a journal that names the new one.
 */
import fs from "node:fs/promises";
import path from "node:path";
import type { Lease, NewEntry } from "../contract.ts";
import { entryDamaged } from "../reading.ts";
import { sessionNotFound } from "../refusals.ts";
import { checkLease, checkRewrite } from "../rules.ts";
import { uniqueSuffix } from "./files.ts";
import { encodeEntry, parseEntry, type Segment } from "./line.ts";
import { goOnInNextJournal } from "./next-journal.ts";
import { ownLines, type Span } from "./reading.ts";
import { beginningOf, firstInJournal } from "./rotation.ts";
import { segmentName, writeSegment } from "./segments.ts";
import type { SessionFile } from "./session-file.ts";
import type { JournalState } from "./state.ts";
import { othersKeepWriting } from "./writes.ts";

interface Rewriting {
  readonly from: number;
  readonly entries: readonly NewEntry[];
  readonly lease: Lease;
}

/** To be called while the file holds everything else up. Errors: as `Store.rewrite`. */
export async function rewrite(file: SessionFile, given: Rewriting): Promise<void> {
  const written: Segment[] = [];
  let replaced: readonly Segment[] = [];
  try {
    const done = await goOnInNextJournal(file, async (state) => {
      check(file, state, given);
      const parts = partsOf(state, given);
      const name = segmentName(parts.from, parts.through).replace(".jsonl", `.${uniqueSuffix()}.jsonl`);
      const segment = await writeSegment(
        file.directory,
        { ...parts, file: name },
        linesOf(file, parts, given),
      );
      written.push(segment);
      replaced = parts.replaced;
      return beginningOf(file, state, [...parts.before, segment, ...parts.behind]);
    });
    if (!done) throw file.view() === undefined ? sessionNotFound(file.id) : othersKeepWriting(file);
  } finally {
    // Whoever reads them has them open, or looks anew (reading.ts).
    const named = new Set(file.known?.segments.map((segment) => segment.file));
    for (const { file: name } of [...replaced, ...written])
      if (!named.has(name)) await fs.rm(path.join(file.directory, name), { force: true });
  }
}

function check(file: SessionFile, state: JournalState, { from, entries, lease }: Rewriting): void {
  const { id } = file;
  if (state.deleted) throw sessionNotFound(id);
  checkLease(id, state.lease, lease);
  const [damage] = state.damage;
  if (damage !== undefined) throw entryDamaged(id, damage.afterSeq + 1, file.name);
  const baseSeq = state.facts.lineage?.atSeq ?? 0;
  checkRewrite(id, { baseSeq, sealedSeq: state.sealedSeq }, from, entries.length);
}

/** What is written anew. */
interface Parts extends Span {
  readonly before: readonly Segment[];
  readonly replaced: readonly Segment[];
  readonly behind: readonly Segment[];
}

function partsOf(state: JournalState, { from, entries }: Rewriting): Parts {
  const through = from + entries.length - 1;
  const replaced = state.segments.filter((each) => each.from <= through && each.through >= from);
  const first = firstInJournal(state);
  const isInJournal = through >= first;
  const span: Span = {
    from: Math.min(replaced[0]?.from ?? first, from),
    through: isInJournal ? state.sealedSeq : (replaced.at(-1)?.through ?? through),
  };
  return {
    ...span,
    before: state.segments.filter((each) => each.through < span.from),
    replaced,
    behind: state.segments.filter((each) => each.from > span.through),
  };
}

async function* linesOf(file: SessionFile, span: Span, given: Rewriting): AsyncGenerator<string[]> {
  let seq = span.from;
  for await (const { lines, source } of ownLines(file, span, () => sessionNotFound(file.id))) {
    const written: string[] = [];
    for (const line of lines) {
      if (seq > span.through) break;
      const entry = parseEntry(line);
      if (entry === undefined || entry.seq > seq) throw entryDamaged(file.id, seq, source);
      // A group of a segment's lines may begin before what is asked for.
      if (entry.seq < seq) continue;
      written.push(encodeEntry(seq, given.entries[seq - given.from] ?? entry));
      seq += 1;
    }
    yield written;
  }
}
