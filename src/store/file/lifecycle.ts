/** How sessions come into a directory and leave it. */
import fs from "node:fs";
import path from "node:path";
import { toSessionId, type SessionId } from "../../session-id.ts";
import { frozenCopy } from "../copy.ts";
import { forkBeyondSealed, sessionExists, sessionNotFound } from "../refusals.ts";
import type { NewSession, SessionRecord } from "../store.ts";
import type { Catalogue } from "./catalogue.ts";
import { directoryMode, fileMode, ifThere, syncDirectory, writeAll } from "./files.ts";
import { errnoOf } from "./fs-errors.ts";
import { journalName, moveIn, type Layout } from "./layout.ts";
import { encodeOp } from "./line.ts";
import type { SessionFile } from "./session-file.ts";
import { recordOf } from "./state.ts";
import { addFork, markDeleted } from "./writes.ts";

/** A session is prepared aside and appears whole, or not at all. */
export function createSession(layout: Layout, catalogue: Catalogue, given: NewSession): SessionFile {
  // An id becomes a path.
  const id = toSessionId(given.id);
  const directory = layout.session(id);
  if (fs.existsSync(directory)) throw sessionExists(id);
  const parent = given.lineage && enterInParent(catalogue, id, given.lineage);
  if (parent !== undefined) makeSafe(layout, parent);
  const prepared = prepare(layout, given);
  try {
    if (!moveIn(prepared, directory)) throw sessionExists(id);
  } finally {
    fs.rmSync(prepared, { recursive: true, force: true });
  }
  if (parent !== undefined && parent.raw() === undefined) {
    // Its last other fork went at the same time, and it with it.
    remove(layout, id);
    throw sessionNotFound(parent.id);
  }
  const file = catalogue.find(id);
  if (file === undefined) throw sessionNotFound(id);
  return file;
}

function enterInParent(
  catalogue: Catalogue,
  id: SessionId,
  { parentId, atSeq }: { readonly parentId: SessionId; readonly atSeq: number },
): SessionFile {
  const parent = catalogue.find(parentId);
  const state = parent?.view();
  if (parent === undefined || state === undefined) throw sessionNotFound(parentId);
  if (atSeq > state.sealedSeq) throw forkBeyondSealed(parentId, atSeq, state.sealedSeq);
  if (!addFork(parent, id)) throw sessionNotFound(parentId);
  return parent;
}

/** A fork may survive a power cut before it is synced: then so must what it inherits. */
function makeSafe(layout: Layout, file: SessionFile): void {
  for (const each of [file.path, file.directory, layout.shard(file.id), layout.sessions]) syncDirectory(each);
}

function prepare(layout: Layout, given: NewSession): string {
  const prepared = layout.temporary(given.id);
  const inherited = given.lineage?.atSeq ?? 0;
  const record: SessionRecord = { ...frozenCopy(given), headSeq: inherited, sealedSeq: inherited };
  const head = { version: 1, of: 1, record, fence: 0, forks: [], deleted: false, segments: [] } as const;
  fs.mkdirSync(prepared, { recursive: true, mode: directoryMode });
  const fd = fs.openSync(path.join(prepared, journalName(1)), "wx", fileMode);
  try {
    writeAll(fd, Buffer.from(encodeOp({ op: "journal", ...head })));
    // Its name may survive a power cut before it is synced: then so must the first line, or it looks damaged.
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
  return prepared;
}

/** Deletes a session; its files stay for as long as forks read from them. */
export function deleteSession(layout: Layout, catalogue: Catalogue, id: SessionId): boolean {
  const file = catalogue.find(id);
  if (file === undefined || file.view() === undefined) return false;
  if (!markDeleted(file)) return false;
  collect(layout, catalogue, file);
  return true;
}

/** Removes a deleted session that nobody inherits from, and then, by the same rule, its parent. */
export function collect(layout: Layout, catalogue: Catalogue, file: SessionFile): void {
  const state = file.raw();
  if (state === undefined || !state.deleted) return;
  if (state.forks.some((fork) => fs.existsSync(layout.session(fork)))) return;
  catalogue.forget(file);
  remove(layout, file.id);
  const parentId = state.facts.lineage?.parentId;
  const parent = parentId === undefined ? undefined : catalogue.find(parentId);
  if (parent !== undefined) collect(layout, catalogue, parent);
}

function remove(layout: Layout, id: SessionId): void {
  const aside = layout.temporary(id);
  try {
    if (ifThere(() => (fs.renameSync(layout.session(id), aside), true)) === undefined) return;
    fs.rmSync(aside, { recursive: true, force: true });
  } catch (error) {
    // Somebody else removes it at the same time.
    if (errnoOf(error) !== "ENOTEMPTY") throw error;
  }
}

/** The record as last seen, unless the session is deleted. */
export function knownRecord(file: SessionFile): SessionRecord | undefined {
  const state = file.known;
  return state === undefined || state.deleted ? undefined : recordOf(state);
}
