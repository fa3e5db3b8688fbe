/**
 * How sessions come into a directory and leave it. A fork is prepared aside before its parent is told of it, and appears
 * afterwards; who removes a deleted parent looks for its forks where they are prepared first, and then where they appear.
 * So a parent that was told stays, whatever comes between.
 */
import fs from "node:fs";
import path from "node:path";
import { syncDirectory } from "../../base/disk.ts";
import { systemCodeOf } from "../../base/errors.ts";
import { toSessionId, type SessionId } from "../../base/ids.ts";
import { frozenCopy } from "../copy.ts";
import { sessionExists, sessionNotFound } from "../refusals.ts";
import { checkFork } from "../rules.ts";
import type { Lease, Lineage, NewSession, SessionRecord } from "../contract.ts";
import type { Catalogue } from "./catalogue.ts";
import { directoryMode, fileMode, ifThere, writeAll } from "./files.ts";
import { journalName, moveIn, type Layout } from "./layout.ts";
import { encodeOp } from "./line.ts";
import type { OpenFiles } from "./open-files.ts";
import type { SessionFile } from "./session-file.ts";
import { addFork, markDeleted } from "./writes.ts";

/** The directory in which the session is ready to appear; to be removed if it does not. Errors: `SESSION_EXISTS`. */
export function prepareSession(layout: Layout, open: OpenFiles, given: NewSession): string {
  // An id becomes a path.
  const id = toSessionId(given.id);
  if (fs.existsSync(layout.session(id))) throw sessionExists(id);
  const prepared = layout.temporary(id);
  const inherited = given.lineage?.atSeq ?? 0;
  const record: SessionRecord = { ...frozenCopy(given), headSeq: inherited, sealedSeq: inherited };
  const head = { version: 1, of: 1, record, fence: 0, forks: [], deleted: false, segments: [] } as const;
  fs.mkdirSync(prepared, { recursive: true, mode: directoryMode });
  const file = path.join(prepared, journalName(1));
  const fd = open.withRoom(() => fs.openSync(file, "wx", fileMode));
  try {
    writeAll(fd, Buffer.from(encodeOp({ op: "journal", ...head })));
    // Its name may survive a power cut before it is synced: then so must the first line, or it looks damaged.
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
  return prepared;
}

/** The parent of a fork that is prepared, which outlives its deletion from here on. */
export function enterInParent(catalogue: Catalogue, id: SessionId, lineage: Lineage): SessionFile {
  const { parentId } = lineage;
  const parent = catalogue.find(parentId);
  const state = parent?.view();
  if (parent === undefined || state === undefined) throw sessionNotFound(parentId);
  checkFork(lineage, state.sealedSeq);
  if (!addFork(parent, id)) throw sessionNotFound(parentId);
  return parent;
}

/** The session whose directory was prepared. Errors: `SESSION_EXISTS`. */
export function appear(layout: Layout, catalogue: Catalogue, id: SessionId, prepared: string): SessionFile {
  if (!moveIn(prepared, layout.session(id))) throw sessionExists(id);
  const file = catalogue.find(id);
  if (file === undefined) throw sessionNotFound(id);
  return file;
}

/** Deletes a session; its files stay for as long as forks read from them. Errors: `LEASE_LOST`. */
export function deleteSession(
  layout: Layout,
  catalogue: Catalogue,
  id: SessionId,
  lease: Lease | undefined,
): boolean {
  const file = catalogue.find(id);
  if (file === undefined || file.view() === undefined) return false;
  if (!markDeleted(file, lease)) return false;
  collect(layout, catalogue, file);
  return true;
}

/** Removes a deleted session that nobody inherits from, and then, by the same rule, its parent. */
export function collect(layout: Layout, catalogue: Catalogue, deleted: SessionFile): void {
  for (let file: SessionFile | undefined = deleted; file !== undefined;) {
    const state = file.raw();
    // Once it is deleted, no fork is entered any more.
    if (state === undefined || !state.deleted || isInherited(layout, state.forks)) return;
    catalogue.forget(file);
    remove(layout, catalogue, file.id);
    const parentId: SessionId | undefined = state.facts.lineage?.parentId;
    file = parentId === undefined ? undefined : catalogue.find(parentId);
  }
}

function isInherited(layout: Layout, forks: readonly SessionId[]): boolean {
  const isOneThere = () => forks.some((fork) => fs.existsSync(layout.session(fork)));
  if (forks.length === 0 || isOneThere()) return forks.length > 0;
  const inPassing = layout.idsInPassing();
  return forks.some((fork) => inPassing.has(fork)) || isOneThere();
}

function remove(layout: Layout, catalogue: Catalogue, id: SessionId): void {
  const aside = layout.temporary(id);
  try {
    const isMoved = ifThere(() => (fs.renameSync(layout.session(id), aside), true));
    // Or a power cut could bring it back, but not all of its files, nor those that it inherits from.
    catalogue.open.withRoom(() => syncDirectory(layout.shard(id)));
    if (isMoved) fs.rmSync(aside, { recursive: true, force: true });
  } catch (error) {
    // Somebody else removes it at the same time.
    if (systemCodeOf(error) !== "ENOTEMPTY") throw error;
  }
}
