/** How sessions come into a directory and leave it. */
import fs from "node:fs";
import path from "node:path";
import { syncDirectory } from "../../base/disk.ts";
import { systemCodeOf } from "../../base/errors.ts";
import { toSessionId, type SessionId } from "../../base/ids.ts";
import { frozenCopy } from "../copy.ts";
import { forkBeyondSealed, sessionExists, sessionNotFound } from "../refusals.ts";
import type { Lineage, NewSession, SessionRecord } from "../contract.ts";
import type { Catalogue } from "./catalogue.ts";
import { directoryMode, fileMode, ifThere, writeAll } from "./files.ts";
import { journalName, moveIn, type Layout } from "./layout.ts";
import { encodeOp } from "./line.ts";
import type { SessionFile } from "./session-file.ts";
import { recordOf } from "./state.ts";
import { addFork, markDeleted } from "./writes.ts";

/** A session is prepared aside and appears whole, or not at all; the parent of a fork was told before. */
export function createSession(layout: Layout, catalogue: Catalogue, given: NewSession): SessionFile {
  // An id becomes a path.
  const id = toSessionId(given.id);
  const directory = layout.session(id);
  if (fs.existsSync(directory)) throw sessionExists(id);
  const prepared = prepare(layout, given);
  try {
    if (!moveIn(prepared, directory)) throw sessionExists(id);
  } finally {
    fs.rmSync(prepared, { recursive: true, force: true });
  }
  const parentId = given.lineage?.parentId;
  if (parentId !== undefined && catalogue.find(parentId) === undefined) {
    // Its last other fork went at the same time, and it with it.
    remove(layout, id);
    throw sessionNotFound(parentId);
  }
  const file = catalogue.find(id);
  if (file === undefined) throw sessionNotFound(id);
  return file;
}

/** The parent of the fork that is to be created, which outlives its deletion from here on. */
export function enterInParent(
  layout: Layout,
  catalogue: Catalogue,
  given: Pick<NewSession, "id">,
  { parentId, atSeq }: Lineage,
): SessionFile {
  const id = toSessionId(given.id);
  if (fs.existsSync(layout.session(id))) throw sessionExists(id);
  const parent = catalogue.find(parentId);
  const state = parent?.view();
  if (parent === undefined || state === undefined) throw sessionNotFound(parentId);
  if (atSeq > state.sealedSeq) throw forkBeyondSealed(parentId, atSeq, state.sealedSeq);
  if (!addFork(parent, id)) throw sessionNotFound(parentId);
  return parent;
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
    const isMoved = ifThere(() => (fs.renameSync(layout.session(id), aside), true));
    // Or a power cut could bring it back, but not all of its files, nor those that it inherits from.
    syncDirectory(layout.shard(id));
    if (isMoved) fs.rmSync(aside, { recursive: true, force: true });
  } catch (error) {
    // Somebody else removes it at the same time.
    if (systemCodeOf(error) !== "ENOTEMPTY") throw error;
  }
}

/** The record as last seen, unless the session is deleted. */
export function knownRecord(file: SessionFile): SessionRecord | undefined {
  const state = file.known;
  return state === undefined || state.deleted ? undefined : recordOf(state);
}
