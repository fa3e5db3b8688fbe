/** `backup`: a copy of a file store, made while it is in use, that is a file store itself. */
import { closeSync, constants, existsSync, openSync } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import { syncDirectory, syncFile } from "../../base/disk.ts";
import { SidecarError, systemCodeOf } from "../../base/errors.ts";
import type { StoreBackup } from "../damage.ts";
import { unfinishedName } from "../unfinished.ts";
import type { Watch } from "../watch.ts";
import { isMissing, storeError } from "../../store/file/errors.ts";
import { directoryMode, fileMode, readAt, writeAll } from "../../store/file/files.ts";
import { Layout } from "../../store/file/layout.ts";
import { OpenFiles } from "../../store/file/open-files.ts";
import { openedToRead } from "../../store/file/reading.ts";
import { SessionFile } from "../../store/file/session-file.ts";
import { sessionsAmong } from "../../store/keys-id.ts";

const stepBytes = 1 << 20;

/**
 * Copies the sessions of `directory` to `target`, each as it stands at one instant after the call, forks with
 * all that they inherit. `target` must not exist; it appears when the copy is whole and on the medium.
 * Errors: `STORE_CONFLICT` when `target` is there, `STORE_CORRUPT` when a session cannot be read.
 */
export async function backupFileStore(
  directory: string,
  target: string,
  { onProgress, signal }: Watch = {},
): Promise<StoreBackup> {
  const layout = new Layout(path.resolve(directory));
  const goal = path.resolve(target);
  const partial = unfinishedName(goal, "partial");
  const open = new OpenFiles(1);
  try {
    layout.assertStore();
    if (existsSync(goal)) throw targetExists(goal);
    const copy = new Layout(partial);
    copy.prepare();
    let bytes = 0;
    // Whatever a session inherits from was there before it, and final.
    const ids = [...layout.ids()];
    for (const [at, id] of ids.entries()) {
      signal?.throwIfAborted();
      await onProgress?.(at, ids.length);
      bytes += await copySession(new SessionFile(id, layout.session(id), open), copy.session(id));
    }
    for (const shard of copy.shards()) syncDirectory(path.join(copy.sessions, shard));
    for (const each of [copy.sessions, partial]) syncDirectory(each);
    await fs.rename(partial, goal);
    syncDirectory(path.dirname(goal));
    return { sessions: sessionsAmong(ids), bytes };
  } catch (error) {
    await fs.rm(partial, { recursive: true, force: true });
    if (["ENOTEMPTY", "EEXIST"].includes(systemCodeOf(error) ?? "")) throw targetExists(goal);
    if (signal?.aborted === true) throw error;
    throw storeError(error, layout.root);
  } finally {
    open.close();
  }
}

/** A segment may be written anew while it is to be copied. */
const copyAttempts = 5;

/** Bytes copied; none when the session was removed meanwhile. */
async function copySession(file: SessionFile, to: string): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await copyFiles(file, to);
    } catch (error) {
      const isThere = file.raw() !== undefined;
      if (!isMissing(error) || (isThere && attempt === copyAttempts)) throw error;
      await fs.rm(to, { recursive: true, force: true });
      if (!isThere) return 0;
    }
  }
}

async function copyFiles(file: SessionFile, to: string): Promise<number> {
  // Opened at once: rotation may replace it from here on.
  const opened = openedToRead(file);
  if (opened === undefined) return 0;
  const { state, fd, name } = opened;
  const { offset, segments } = state;
  try {
    await fs.mkdir(to, { recursive: true, mode: directoryMode });
    // Only what counts: a line that is being written belongs to a later instant.
    copyBytes(fd, path.join(to, name), offset);
  } finally {
    closeSync(fd);
  }
  let bytes = offset;
  for (const segment of segments) {
    const copied = path.join(to, segment.file);
    await fs.copyFile(path.join(file.directory, segment.file), copied, constants.COPYFILE_FICLONE);
    syncFile(copied);
    bytes += segment.bytes;
  }
  syncDirectory(to);
  return bytes;
}

function copyBytes(source: number, to: string, length: number): void {
  const target = openSync(to, "wx", fileMode);
  try {
    for (let at = 0; at < length; at += stepBytes)
      writeAll(target, readAt(source, at, Math.min(stepBytes, length - at)));
  } finally {
    closeSync(target);
  }
  syncFile(to);
}

function targetExists(target: string): SidecarError {
  return new SidecarError("STORE_CONFLICT", `${target} is there already; name a directory that is not`);
}
