/** `backup`: a copy of a file store, made while it is in use, that is a file store itself. */
import { closeSync, constants, openSync } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import { SidecarError, systemCodeOf } from "../../base/errors.ts";
import { directoryMode, fileMode, readAt, uniqueSuffix } from "../../store/file/files.ts";
import { isMissing, storeError } from "../../store/file/fs-errors.ts";
import { Layout } from "../../store/file/layout.ts";
import { OpenFiles } from "../../store/file/open-files.ts";
import { SessionFile } from "../../store/file/session-file.ts";

const pieceBytes = 1 << 20;

export interface FileStoreBackup {
  readonly sessions: number;
  readonly bytes: number;
}

/**
 * Copies the sessions of `directory` to `target`, each as it stands at one instant after the call, forks with
 * all that they inherit. `target` must not exist; it appears when the copy is whole and on the medium.
 * Errors: `STORE_CONFLICT` when `target` is there, `STORE_CORRUPT` when a session cannot be read.
 */
export async function backupFileStore(directory: string, target: string): Promise<FileStoreBackup> {
  const layout = new Layout(path.resolve(directory));
  const goal = path.resolve(target);
  const partial = `${goal}.${uniqueSuffix()}.partial`;
  const open = new OpenFiles(1);
  try {
    layout.assertStore();
    if (await exists(goal)) throw targetExists(goal);
    const copy = new Layout(partial);
    copy.prepare();
    let bytes = 0;
    // Whatever a session inherits from was there before it, and final.
    const ids = [...layout.ids()];
    for (const id of ids) {
      bytes += await copySession(new SessionFile(id, layout.session(id), open.opened), copy.session(id));
    }
    for (const shard of copy.shards()) await sync(path.join(copy.sessions, shard));
    await sync(copy.sessions);
    await sync(partial);
    await fs.rename(partial, goal);
    await sync(path.dirname(goal));
    return { sessions: ids.length, bytes };
  } catch (error) {
    await fs.rm(partial, { recursive: true, force: true });
    if (["ENOTEMPTY", "EEXIST"].includes(systemCodeOf(error) ?? "")) throw targetExists(goal);
    throw storeError(error, layout.root);
  } finally {
    open.closeAll();
  }
}

/** Bytes copied; none when the session was removed meanwhile. */
async function copySession(file: SessionFile, to: string): Promise<number> {
  try {
    return await copyFiles(file, to);
  } catch (error) {
    if (!isMissing(error) || file.raw() !== undefined) throw error;
    await fs.rm(to, { recursive: true, force: true });
    return 0;
  }
}

async function copyFiles(file: SessionFile, to: string): Promise<number> {
  const state = file.raw();
  if (state === undefined) return 0;
  const { offset, segments } = state;
  const { name } = file;
  // Opened at once: rotation may replace it from here on.
  const source = openSync(file.path, "r");
  try {
    await fs.mkdir(to, { recursive: true, mode: directoryMode });
    // Only what counts: a line that is being written belongs to a later instant.
    await copyBytes(source, path.join(to, name), offset);
  } finally {
    closeSync(source);
  }
  let bytes = offset;
  for (const segment of segments) {
    const copied = path.join(to, segment.file);
    await fs.copyFile(path.join(file.directory, segment.file), copied, constants.COPYFILE_FICLONE);
    await sync(copied);
    bytes += segment.bytes;
  }
  await sync(to);
  return bytes;
}

async function copyBytes(source: number, to: string, length: number): Promise<void> {
  const target = await fs.open(to, "wx", fileMode);
  try {
    for (let at = 0; at < length; at += pieceBytes) {
      const piece = readAt(source, at, Math.min(pieceBytes, length - at));
      await target.writeFile(piece);
    }
    await target.sync();
  } finally {
    await target.close();
  }
}

async function sync(file: string): Promise<void> {
  const handle = await fs.open(file, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function exists(file: string): Promise<boolean> {
  return fs.access(file).then(
    () => true,
    () => false,
  );
}

function targetExists(target: string): SidecarError {
  return new SidecarError("STORE_CONFLICT", `${target} is there already; name a directory that is not`);
}
