/**
 * The one door to a session's project context: what its project is, what its agent knows of files, and values that were put
 * in. Each change has a version, the `seq` of its entry: who changes something names the version that it is about.
 */
import { isSidecarError, SidecarError } from "../base/errors.ts";
import type { SessionId } from "../base/ids.ts";
import type { Json } from "../base/json.ts";
import type { SessionFinder } from "../session/finder.ts";
import { readWhole } from "../session/read-whole.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { SessionRecord } from "../store/contract.ts";
import { fileOf, type ContextFile } from "./context-file.ts";
import { betweenSnapshots, sinceSnapshot, type ContextDiff } from "./diff.ts";
import type { Discovery } from "./discovery.ts";
import type { DiscoveryCache } from "./discovery-cache.ts";
import { firstSnapshot, noSnapshot } from "./first-snapshot.ts";
import { knownAt, type KnownAt } from "./known-at.ts";
import { keepLast, setLast } from "./latest.ts";
import { checkValues, merged, type ValueChanges } from "./merged.ts";
import { rebased } from "./rebased.ts";
import { contextData, nothingKnown, type GitPlace, type Snapshot } from "./snapshot.ts";
import { takeSnapshot } from "./taking.ts";
import { mostFiles } from "./told-files.ts";
import { whenFree } from "./when-free.ts";

export interface ContextView {
  readonly sessionId: SessionId;
  /** `seq` of its newest entry, 0 for none. */
  readonly version: number;
  /** What the project of its folder is; absent where the folder is not there, or nothing was asked for. */
  readonly project?: Discovery;
  /** Where version control stood when the agent was last at work. */
  readonly git?: GitPlace;
  readonly files: readonly ContextFile[];
  /** More are never known: those that were told of last. */
  readonly mostFiles: number;
  /** There are so many: of others that were told of longer ago nothing is known. */
  readonly isFull?: true;
  readonly values: Readonly<Record<string, Json>>;
}

export interface DiffRange {
  /**
   * A snapshot, or any entry: the newest snapshot there, or the first one after it. The newest of all, and what was told since,
   * unless given, or where there is none.
   */
  readonly from?: number;
  /** A snapshot, or any entry: the newest snapshot there. As it is now, unless given. */
  readonly to?: number;
}

export interface ContextUpdate {
  /** The version that the changes are about. */
  readonly version: number;
  /** By key; null takes one out. */
  readonly values: ValueChanges;
}

/** A finder can read; to write it takes a registry. */
type Sessions = Pick<SessionFinder, "get" | "read" | "superseded"> &
  Partial<Pick<SessionRegistry, "addContext">>;

export interface SessionContextOptions {
  /** What folders are; without one nothing of that is told. */
  readonly discoveries?: DiscoveryCache;
  /** After so long nothing is waited for: git, a folder that does not answer. Default 2 s. */
  readonly timeMs?: number;
}

export class SessionContext {
  readonly #sessions: Sessions;
  readonly #discoveries: DiscoveryCache | undefined;
  readonly #timeMs: number;

  /** @param sessions a `SessionRegistry` */
  constructor(sessions: Sessions, { discoveries, timeMs = 2_000 }: SessionContextOptions = {}) {
    [this.#sessions, this.#discoveries, this.#timeMs] = [sessions, discoveries, timeMs];
  }

  /** What is known; nothing is looked at but what the cache of discoveries lacks. Errors: `SESSION_NOT_FOUND`, `STORE_…`. */
  async get(id: SessionId): Promise<ContextView> {
    const record = await this.#sessions.get(id);
    const { snapshot, told } = await this.#knownAt(record);
    const files = new Map(rebased(snapshot, record.cwd).files);
    // Nobody has looked at them yet.
    for (const [file, { how, sha256 }] of told)
      setLast(files, file, { how, ...(sha256 !== undefined && { sha256 }) });
    keepLast(files, mostFiles);
    return this.#view(
      record,
      { ...snapshot, files },
      await this.#discoveries?.of(record.cwd, { timeMs: this.#timeMs }),
    );
  }

  /**
   * Looks anew: at the project, and at files that were told of since the newest snapshot. What the agent knows of others stays
   * as it was, so that no change is lost. Kept where nobody has the session open, and it does not go on elsewhere, as a history
   * that was brought in may. Errors: as `get`.
   */
  async refresh(id: SessionId): Promise<ContextView> {
    const record = await this.#sessions.get(id);
    const project = await this.#discoveries?.refresh(record.cwd, { timeMs: this.#timeMs });
    let taken: Snapshot | undefined;
    const take = async (held: SessionRecord) => {
      const known = await this.#knownAt(held);
      taken = await takeSnapshot(known, held, { timeMs: this.#timeMs });
      return mayGrowElsewhere(held) ? undefined : contextData(known.snapshot, taken);
    };
    try {
      await this.#write(id, take);
    } catch (error) {
      if (!isSidecarError(error, "SESSION_BUSY", "LEASE_LOST", "FORBIDDEN")) throw error;
      await take(record);
    }
    const now = await this.#sessions.get(id);
    const { version } = (await this.#knownAt(now)).snapshot;
    return this.#view(now, { ...(taken ?? nothingKnown), version }, project);
  }

  /**
   * Changes values. Other keys than those that were changed since `version` merge. Errors: `CONTEXT_CONFLICT`, whose
   * `data.conflicts` has both sides of each key; `INVALID_PARAMS`, `ENTRY_LIMIT`, `SESSION_BUSY` where anybody has the session
   * open, and as `get`.
   */
  async update(id: SessionId, { version, values: changes }: ContextUpdate): Promise<ContextView> {
    checkValues(changes);
    await this.#write(id, async (record) => {
      const { snapshot } = await this.#knownAt(record);
      const base = version === snapshot.version ? snapshot : await this.#versionAt(record, version);
      const values = merged(base.values, snapshot.values, changes, snapshot.version);
      checkValues(Object.fromEntries(values));
      return contextData(snapshot, { ...snapshot, values });
    });
    return this.get(id);
  }

  /**
   * Forgets what is known: files, version control, values. What is told from then on is known again. Errors: as `update`;
   * `CONTEXT_CONFLICT` when `version` is given and is not the newest.
   */
  async clear(id: SessionId, { version }: { readonly version?: number } = {}): Promise<ContextView> {
    await this.#write(id, async (record) => {
      const { snapshot, told } = await this.#knownAt(record);
      if (version !== undefined && version !== snapshot.version)
        throw changedSince(version, snapshot.version);
      if (snapshot.version === 0 && told.size === 0) return undefined;
      return contextData(snapshot, { ...nothingKnown, throughSeq: record.headSeq }, [], "cleared");
    });
    const record = await this.#sessions.get(id);
    await this.#discoveries?.forget(record.cwd);
    return this.#view(record, (await this.#knownAt(record)).snapshot, undefined);
  }

  /** What has become of the files since. Errors: as `get`; `INVALID_PARAMS` for an entry that is not there, or a `to` before every snapshot. */
  async diff(id: SessionId, { from, to }: DiffRange = {}): Promise<ContextDiff> {
    const record = await this.#sessions.get(id);
    for (const seq of [from, to]) checkSeq(record, seq);
    const start = from === undefined ? undefined : await this.#snapshotAt(record, from);
    const known = await this.#knownAt(record, start);
    const snapshot = rebased(known.snapshot, record.cwd);
    if (to !== undefined) {
      const later = await this.#knownAt(record, to);
      if (later.snapshot.version === 0)
        throw noSnapshot(record, to, await firstSnapshot(this.#sessions, record, to));
      return betweenSnapshots(snapshot, rebased(later.snapshot, record.cwd), record.cwd, this.#timeMs);
    }
    const last = start === undefined ? await takeSnapshot(known, record, { timeMs: this.#timeMs }) : snapshot;
    // Version control is compared with where it stood when the agent was last at work.
    const { git = last.git, dirty } = snapshot.version > 0 ? snapshot : last;
    return sinceSnapshot({ ...last, git, dirty }, record, this.#timeMs);
  }

  #knownAt(record: SessionRecord, seq?: number): Promise<KnownAt> {
    let through = seq ?? record.headSeq;
    let isFirst = true;
    return readWhole(async () => {
      if (!isFirst && seq === undefined) through = (await this.#sessions.get(record.id)).headSeq;
      isFirst = false;
      return knownAt(this.#sessions, record, through);
    });
  }

  /** Where a snapshot stands: there or before, else the first one after it; undefined where there is none. */
  async #snapshotAt(record: SessionRecord, seq: number): Promise<number | undefined> {
    const { snapshot } = await this.#knownAt(record, seq);
    return snapshot.version > 0 ? seq : firstSnapshot(this.#sessions, record, seq);
  }

  async #versionAt(record: SessionRecord, version: number): Promise<Snapshot> {
    if (version === 0) return nothingKnown;
    checkSeq(record, version);
    const { snapshot } = await this.#knownAt(record, version);
    if (snapshot.version === version) return snapshot;
    throw new SidecarError("INVALID_PARAMS", `The context of ${record.id} has no version ${version}`, {
      data: { sessionId: record.id, version: snapshot.version },
    });
  }

  async #write(id: SessionId, make: (record: SessionRecord) => Promise<string | undefined>): Promise<void> {
    if (this.#sessions.addContext === undefined)
      throw new SidecarError("INVALID_PARAMS", "To change a context it takes a SessionRegistry");
    const { addContext } = this.#sessions;
    await whenFree(() => addContext.call(this.#sessions, id, make));
  }

  #view({ id }: SessionRecord, snapshot: Snapshot, project: Discovery | undefined): ContextView {
    const { version, git, files, values } = snapshot;
    return {
      sessionId: id,
      version,
      ...(project !== undefined && { project }),
      ...(git !== undefined && { git }),
      files: [...files].map(([path, known]) => fileOf(path, known)),
      mostFiles,
      ...(files.size >= mostFiles && { isFull: true }),
      values: Object.fromEntries(values),
    };
  }
}

/** A history that was brought in and is as it was goes on where it came from: nothing is written behind it by itself. */
function mayGrowElsewhere({ metadata, headSeq }: SessionRecord): boolean {
  return metadata["acp-sidecar.import.head"] === headSeq;
}

function checkSeq({ id, headSeq }: SessionRecord, seq: number | undefined): void {
  if (seq === undefined || (Number.isSafeInteger(seq) && seq >= 0 && seq <= headSeq)) return;
  throw new SidecarError(
    "INVALID_PARAMS",
    `Session ${id} has entries up to ${headSeq}: there is no entry ${seq}`,
    {
      data: { sessionId: id },
    },
  );
}

function changedSince(version: number, newest: number): SidecarError {
  return new SidecarError(
    "CONTEXT_CONFLICT",
    `The context has changed since version ${version}; read it again (version ${newest}) and decide`,
    { data: { version: newest, conflicts: [] } },
  );
}
