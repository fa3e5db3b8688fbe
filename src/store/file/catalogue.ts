/**
 * The sessions of a directory. Each is remembered once it was read; before a list, a look at the size of
 * every journal tells which have changed since, so a list is right whoever else writes.
 */
import fs from "node:fs";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { isSidecarError } from "../../base/errors.ts";
import { isSessionId, type SessionId } from "../../base/ids.ts";
import type { SessionQuery, SessionRecord, StoreStats, Unreadable } from "../contract.ts";
import { isNamedSo } from "../query.ts";
import { ifThere } from "./files.ts";
import type { Layout } from "./layout.ts";
import type { OpenFiles } from "./open-files.ts";
import { SessionFile } from "./session-file.ts";
import { recordOf } from "./state.ts";

/** A directory's time may stand still for this long while its content changes. */
const clockGrainMs = 100;
/** Sessions looked at before others get a turn. */
const stride = 500;

export class Catalogue {
  /** Sessions that cannot be read, as of the last look at all. */
  readonly unreadable = new Set<SessionId>();
  readonly open: OpenFiles;
  readonly #layout: Layout;
  readonly #files = new Map<SessionId, SessionFile>();
  /** When each shard was listed, and the time that it had. */
  readonly #listed = new Map<string, { readonly mtimeMs: number; readonly settled: boolean }>();
  #validatedAtMs = -Infinity;

  constructor(layout: Layout, open: OpenFiles) {
    this.#layout = layout;
    this.open = open;
  }

  /** The session's file, whether there is one or not. */
  file(id: SessionId): SessionFile {
    const known = this.#files.get(id);
    return known ?? new SessionFile(id, this.#layout.session(id), this.open);
  }

  /** The session's file if it is there, deleted ones that forks still need included. */
  find(id: SessionId): SessionFile | undefined {
    if (!isSessionId(id)) return undefined;
    const file = this.file(id);
    if (file.raw() === undefined) {
      this.forget(file);
      return undefined;
    }
    this.#files.set(id, file);
    return file;
  }

  /** A session's file that was found before; it may have gone since. */
  known(id: SessionId): SessionFile | undefined {
    return this.#files.get(id);
  }

  /** Deleted sessions that are still there, for forks or because who deleted them was killed. */
  deleted(): SessionFile[] {
    return [...this.#files.values()].filter((file) => file.known?.deleted);
  }

  forget(file: SessionFile): void {
    this.open.closed(file);
    this.#files.delete(file.id);
  }

  /** Records as last seen. */
  *records(): Generator<SessionRecord> {
    for (const { known } of this.#files.values())
      if (known !== undefined && !known.deleted) yield recordOf(known);
  }

  /** On the first page of all; whatever else is asked for is not known of them. */
  unreadableFor({ cursor, cwd, metadata, agentSessionId, parentId, ...query }: SessionQuery): Unreadable[] {
    const asked = [cursor, cwd, metadata, agentSessionId, parentId, query.updatedBeforeMs];
    if (asked.some((each) => each !== undefined)) return [];
    const ids = [...this.unreadable].filter((id) => isNamedSo(id, query));
    return ids.map((id) => ({ id, updatedAtMs: 0, code: "STORE_CORRUPT" }));
  }

  figures(): StoreStats & { readonly details: Readonly<Record<string, number>> } {
    let [sessions, entries, bytes, segments, keptForForks] = [0, 0, 0, 0, 0];
    for (const { known } of this.#files.values()) {
      if (known === undefined) continue;
      bytes += known.offset + known.segments.reduce((sum, segment) => sum + segment.bytes, 0);
      segments += known.segments.length;
      if (known.deleted) keptForForks += 1;
      else {
        sessions += 1;
        entries += known.headSeq - (known.facts.lineage?.atSeq ?? 0);
      }
    }
    const details = { segments, keptForForks, unreadable: this.unreadable.size };
    return { sessions, entries, bytes, details };
  }

  /** Brings all up to date, unless that was done within `maxAgeMs`. */
  async validate(maxAgeMs = 0): Promise<void> {
    const startedAtMs = Date.now();
    if (startedAtMs - this.#validatedAtMs < maxAgeMs) return;
    this.#listShards();
    let looked = 0;
    for (const file of [...this.#files.values()]) {
      this.#look(file);
      if ((looked += 1) % stride === 0) await setImmediate();
    }
    this.#validatedAtMs = startedAtMs;
  }

  #look(file: SessionFile): void {
    try {
      if (file.revalidate() === undefined) this.forget(file);
      this.unreadable.delete(file.id);
    } catch (error) {
      if (!isSidecarError(error, "STORE_CORRUPT")) throw error;
      this.unreadable.add(file.id);
    }
  }

  #listShards(): void {
    for (const shard of this.#layout.shards()) {
      const nowMs = Date.now();
      const stat = ifThere(() => fs.statSync(path.join(this.#layout.sessions, shard)));
      const before = this.#listed.get(shard);
      if (stat === undefined || (before?.settled && before.mtimeMs === stat.mtimeMs)) continue;
      for (const id of this.#layout.idsIn(shard))
        if (!this.#files.has(id)) this.#files.set(id, this.file(id));
      this.#listed.set(shard, {
        mtimeMs: stat.mtimeMs,
        settled: nowMs - stat.mtimeMs > clockGrainMs,
      });
    }
  }
}
