/**
 * Keeps journals small, in the background: final entries go into compressed segments, what seals replaced goes away.
 * A journal is good as it is, so no turn waits for a rotation.
 */
import { closeSync } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import { reasonOf } from "../../base/errors.ts";
import { entryDamaged } from "../reading.ts";
import { storeError } from "./errors.ts";
import { aloneOf } from "./line.ts";
import { goOnInNextJournal, type Beginning } from "./next-journal.ts";
import { openedToRead, stretchesFrom, stretchLines, type Span } from "./reading.ts";
import { writeSegment } from "./segments.ts";
import type { SessionFile } from "./session-file.ts";
import { leftOverMs } from "./layout.ts";
import { firstStretchAt, headOf, type JournalState, type Stretch } from "./state.ts";

/** The rotations of one store. */
export class Rotations {
  /** Carried out so far. */
  done = 0;
  lastFailure: string | undefined;
  readonly #root: string;
  readonly #rotateBytes: number;
  readonly #running = new Map<SessionFile, Promise<void>>();
  #closed = false;

  constructor(root: string, rotateBytes: number) {
    this.#root = root;
    this.#rotateBytes = rotateBytes;
  }

  /** Begins a rotation if it pays. One that fails is told in `stats()` and tried again at the next seal. */
  consider(file: SessionFile): void {
    const state = file.known;
    if (this.#closed || state === undefined || this.#running.has(file)) return;
    if (rotatableBytes(state) < this.#rotateBytes) return;
    const rotation = rotate(file)
      .then((done) => {
        if (done) this.done += 1;
      })
      .catch((error: unknown) => {
        this.lastFailure = reasonOf(storeError(error, this.#root));
      })
      .finally(() => this.#running.delete(file));
    this.#running.set(file, rotation);
  }

  /** Waits for those that run, and for what they hold up. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#running].map(([file, rotation]) => rotation.then(() => file.idle())));
  }
}

/** Bytes of the journal that a rotation would do away with. */
function rotatableBytes(state: JournalState): number {
  if (state.sealedSeq < firstInJournal(state)) return 0;
  return state.stretches[firstStretchAt(state.stretches, state.sealedSeq + 1)]?.offset ?? state.offset;
}

/** Moves what is final now. False when it could not be done just now. */
async function rotate(file: SessionFile): Promise<boolean> {
  const opened = openedToRead(file);
  if (opened === undefined) return false;
  const { state, fd } = opened;
  const span = { from: firstInJournal(state), through: state.sealedSeq };
  let segment;
  try {
    if (state.deleted || state.damage.length > 0 || rotatableBytes(state) === 0) return false;
    const lines = plainLines(file, fd, stretchesFrom(state, span.from), span);
    segment = await writeSegment(file.directory, span, lines);
  } finally {
    closeSync(fd);
  }
  return file.holdingUp(async () => {
    const switched = await goOnInNextJournal(file, async (now) => {
      // Another process has rotated it meanwhile.
      if (firstInJournal(now) !== span.from) return undefined;
      return beginningOf(file, now, [...now.segments, segment]);
    });
    if (switched) await sweep(file);
    return switched;
  });
}

/** How a journal begins that names these segments: with what is behind them. */
export async function beginningOf(
  file: SessionFile,
  state: JournalState,
  segments: JournalState["segments"],
): Promise<Beginning> {
  const from = firstBehind(segments, state);
  const carried: string[] = [];
  const fd = file.openToRead();
  try {
    const span = { from, through: state.headSeq };
    for await (const lines of plainLines(file, fd, stretchesFrom(state, from), span))
      carried.push(...lines.map((line) => (typeof line === "string" ? line : `${line.toString()}\n`)));
  } finally {
    closeSync(fd);
  }
  return { head: headOf(state, segments, carried.length), carried };
}

/** The entries of `span` in the journal that is open as `fd`, as their lines would be alone, stretch by stretch. */
async function* plainLines(
  file: SessionFile,
  fd: number,
  stretches: readonly Stretch[],
  { from, through }: Span,
): AsyncGenerator<(Buffer | string)[]> {
  for (const stretch of stretches) {
    if (stretch.from > through) return;
    const lines = await stretchLines(fd, stretch);
    yield lines.slice(Math.max(0, from - stretch.from), through - stretch.from + 1).map((line, at) => {
      const alone = aloneOf(line);
      if (alone === undefined) throw entryDamaged(file.id, Math.max(from, stretch.from) + at, file.name);
      return alone;
    });
  }
}

export function firstInJournal(state: JournalState): number {
  return firstBehind(state.segments, state);
}

function firstBehind(segments: JournalState["segments"], { facts }: JournalState): number {
  return (segments.at(-1)?.through ?? facts.lineage?.atSeq ?? 0) + 1;
}

/** Removes what nothing names and nobody writes. */
async function sweep(file: SessionFile): Promise<void> {
  const named = new Set(file.known?.segments.map((segment) => segment.file));
  for (const name of await fs.readdir(file.directory)) {
    if (named.has(name) || !/^next\.|\.tmp$|\.gz$/.test(name)) continue;
    const target = path.join(file.directory, name);
    const { mtimeMs } = await fs.stat(target);
    if (Date.now() - mtimeMs > leftOverMs) await fs.rm(target, { force: true });
  }
}
