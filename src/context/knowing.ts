/**
 * What one session that is at work knows of its files, from turn to turn. All of it stands in the journal: what could not be
 * written is found again there, so nothing depends on this being kept.
 */
import type { SessionRecord } from "../store/contract.ts";
import { Bounds } from "./bounds.ts";
import { gitHeadOf } from "./git-head.ts";
import { gitSince, isAbove, type GitSince } from "./git-since.ts";
import { knownAt, knownSince, type Journals } from "./known-at.ts";
import type { KnownFile } from "./known-file.ts";
import { noteText, type News } from "./note.ts";
import { withRenames } from "./renames.ts";
import { isNews, notedNow, seenNow } from "./since.ts";
import { after, contextData, type Noted, type Snapshot } from "./snapshot.ts";
import { rootsOf, takeSnapshot } from "./taking.ts";
import type { FolderWatch } from "./watch.ts";

/** A snapshot, and the data of the entry that it takes to keep it; none where nothing differs. */
export interface Taken {
  readonly snapshot: Snapshot;
  readonly data: string | undefined;
}

/** What the agent is to be told, and the data of the entry that says that it was. */
export interface Note {
  readonly text: string;
  readonly data: string;
}

export interface KnowingOptions {
  /** After so long git is not waited for. */
  readonly timeMs?: number;
  /** What says that nothing has happened; it is closed with this. */
  readonly watch?: FolderWatch | undefined;
}

/** So long git is waited for before a prompt, twice at most: one that hangs takes nothing from what is told of files. */
const noteMs = 300;

export class Knowing {
  readonly #journals: Journals;
  readonly #timeMs: number;
  readonly #watch: FolderWatch | undefined;
  /** As it stands in the journal. */
  #stored: Snapshot | undefined;
  /** Whoever has gone back knows less. */
  #wentBack = "";

  constructor(journals: Journals, { timeMs = 2_000, watch }: KnowingOptions = {}) {
    [this.#journals, this.#timeMs, this.#watch] = [journals, timeMs, watch];
  }

  close(): void {
    this.#watch?.close();
  }

  /** Looks at what was told of since. All entries up to `headSeq` are final. */
  async take(record: SessionRecord, headSeq: number): Promise<Taken> {
    const known = await this.#known(record, headSeq);
    const snapshot = await takeSnapshot(known, record, { timeMs: this.#timeMs });
    const data = contextData(known.snapshot, snapshot);
    // Nothing of these entries is to be read again.
    this.#stored = data === undefined ? snapshot : known.snapshot;
    return { snapshot, data };
  }

  /** The entry stands in the journal. */
  noteStored(seq: number, data: string): void {
    if (this.#stored !== undefined) this.#stored = after(this.#stored, { seq, data });
  }

  /**
   * What has changed by other hands, and the agent was not told of yet. Version control is asked for nothing but its head, because
   * a person waits for it.
   */
  async note(record: SessionRecord, headSeq: number): Promise<Note | undefined> {
    const known = await this.#known(record, headSeq);
    const bounds = await Bounds.of(rootsOf(record));
    const timeMs = Math.min(this.#timeMs, noteMs);
    const snapshot = await takeSnapshot(known, record, { timeMs, what: "files", bounds });
    const [news, since] = await Promise.all([
      this.#newsOf(snapshot, bounds),
      this.#gitSince(snapshot.git, record.cwd, bounds),
    ]);
    if (news.length === 0 && since === undefined) return undefined;
    const noted: Noted[] = news.map(({ since: { path, what } }) => ({ path, what }));
    const files = new Map(snapshot.files);
    for (const {
      since: { path },
      known: file,
    } of news)
      files.set(path, file);
    const now = { ...snapshot, files, ...(since !== undefined && { git: since.to }) };
    const branch = since === undefined ? [] : [{ path: since.to.root, what: "git" }];
    const data = contextData(known.snapshot, now, [...noted, ...branch]);
    return data === undefined
      ? undefined
      : {
          text: noteText(
            news.map((each) => each.since),
            since,
            record.cwd,
          ),
          data,
        };
  }

  async #newsOf(snapshot: Snapshot, bounds: Bounds): Promise<(News & { readonly known: KnownFile })[]> {
    if (this.#watch?.isQuiet(snapshot.files) === true) return [];
    this.#watch?.begin(snapshot.files, bounds.near());
    // What the agent was told is gone is not looked for again before each prompt.
    const isSought = ({ noted }: KnownFile) => noted !== "absent";
    const found = await seenNow(snapshot.files, bounds);
    const seen = await withRenames(snapshot.files, found, [], bounds, isSought);
    const news: (News & { readonly known: KnownFile })[] = [];
    for (const [file, { since, now, isNear }] of seen) {
      const known = snapshot.files.get(file);
      if (isNear !== true || known?.noted !== undefined) this.#watch?.noteNews();
      if (since.what === "same" && known?.noted === undefined) continue;
      if (known === undefined || !(await isNews(since, now, known.noted, bounds))) continue;
      const noted = await notedNow(file, now, bounds);
      if (noted !== undefined) news.push({ since, known: { ...known, noted } });
    }
    return news;
  }

  async #gitSince(git: Snapshot["git"], cwd: string, bounds: Bounds): Promise<GitSince | undefined> {
    const folders = bounds.bothNames(cwd);
    if (git === undefined || !isAbove(git.root, folders)) return undefined;
    return gitSince(git, await gitHeadOf(git.root, bounds.near()), folders, Math.min(this.#timeMs, noteMs));
  }

  async #known(record: SessionRecord, headSeq: number): ReturnType<typeof knownAt> {
    const wentBack = JSON.stringify(record.settings.rewinds ?? []);
    const start = wentBack === this.#wentBack ? this.#stored : undefined;
    const known =
      start === undefined || start.throughSeq > headSeq
        ? await knownAt(this.#journals, record, headSeq)
        : await knownSince(this.#journals, record, start, headSeq);
    [this.#stored, this.#wentBack] = [known.snapshot, wentBack];
    return known;
  }
}
