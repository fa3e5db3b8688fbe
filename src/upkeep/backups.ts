/** Copies of the store, each beside the others with its time in its name, of which the newest stay. */
import fs from "node:fs/promises";
import path from "node:path";
import { makeDirectory, syncDirectory } from "../base/disk.ts";
import { SidecarError, systemCodeOf } from "../base/errors.ts";
import { splitStoreUrl } from "../base/store-url.ts";
import { assertApart } from "../care/apart.ts";
import { backUpStore, placeOfStore } from "../care/maintenance.ts";
import { migrateSessions } from "../care/migrate.ts";
import { sweepUnfinished, unfinishedName } from "../care/unfinished.ts";
import type { Watch } from "../care/watch.ts";
import type { Config } from "../config/config.ts";
import type { BackupPlan } from "../config/structures.ts";
import { openWhole } from "../store/guarded/open.ts";

export interface Backup {
  readonly atMs: number;
  /** A store that `restore` takes. */
  readonly url: string;
  readonly place: string;
}

export interface MadeBackup extends Backup {
  readonly sessions: number;
  readonly bytes?: number;
  /** Older ones that have gone. */
  readonly removed: number;
}

/** `20260131T140509Z` */
const stamp = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** `/backups/sessions.db` is the place of `/backups/sessions.20260131T140509Z.db`. */
interface Naming {
  readonly scheme: string;
  readonly folder: string;
  readonly name: string;
  readonly end: string;
}

function namingOf({ to }: Pick<BackupPlan, "to">): Naming {
  const place = placeOfStore(to);
  if (place === undefined)
    throw new SidecarError(
      "CONFIG_INVALID",
      "backup.to is no store of files; allowed: sqlite:PATH or file:PATH",
    );
  const { name, ext, dir } = path.parse(place);
  return { scheme: splitStoreUrl(to)?.scheme ?? "", folder: dir, name, end: ext };
}

/** Those that are there, the oldest first. Errors: the system's own. */
export async function backupsOf(plan: Pick<BackupPlan, "to">): Promise<readonly Backup[]> {
  const naming = namingOf(plan);
  const { folder, name, end } = naming;
  const found = (await namesIn(folder)).flatMap((each) => {
    if (!each.startsWith(`${name}.`) || !each.endsWith(end)) return [];
    const atMs = instantOf(each.slice(name.length + 1, each.length - end.length));
    return atMs === undefined ? [] : [backupAt(naming, atMs)];
  });
  return found.sort((a, b) => a.atMs - b.atMs);
}

/** How old the newest is; undefined where there is none. */
export async function backupAgeMs(plan: BackupPlan, nowMs = Date.now()): Promise<number | undefined> {
  const newest = (await backupsOf(plan)).at(-1);
  return newest && nowMs - newest.atMs;
}

/**
 * Makes one, which appears when it is whole and on the disk; older ones go afterwards. What a killed process has left
 * of one is removed by the next. Errors: `STORE_…`, `FORBIDDEN`.
 */
export async function backUp(
  config: Config,
  plan: BackupPlan,
  watch: Watch,
  nowMs = Date.now(),
): Promise<MadeBackup> {
  const naming = namingOf(plan);
  const backup = backupAt(naming, Math.floor(nowMs / 1000) * 1000);
  assertApart(config.store, backup.url);
  makeDirectory(naming.folder);
  await sweep(naming);
  const copy =
    (await backUpStore(config.store, backup.url, watch)) ?? (await bySessions(config, naming, backup, watch));
  const old = (await backupsOf(plan)).slice(0, -plan.keep);
  for (const { place } of old) await fs.rm(place, { recursive: true, force: true });
  return { ...backup, ...copy, removed: old.length };
}

/** What is left of copies that were not finished: each bears the name that it was to have. */
async function sweep({ folder, name, end }: Naming): Promise<void> {
  for (const each of await namesIn(folder)) {
    const length = name.length + 1 + "20260131T140509Z".length + end.length;
    if (each.startsWith(`${name}.`) && each.length > length)
      sweepUnfinished(path.join(folder, each.slice(0, length)));
  }
}

/** From a store of another kind, session by session; the copy is encrypted if the store is. */
async function bySessions(
  config: Config,
  { scheme }: Naming,
  { place }: Backup,
  { onProgress, ...watch }: Watch,
): Promise<Pick<MadeBackup, "sessions">> {
  const partial = unfinishedName(place, "partial");
  try {
    const from = await openWhole(config.store, config, "it is");
    try {
      const to = await openWhole(`${scheme}:${partial}`, config);
      try {
        const { copied } = await migrateSessions(
          from,
          to,
          ({ done, total }) => onProgress?.(done, total),
          watch,
        );
        await to.flush();
        await to.close();
        await fs.rename(partial, place);
        syncDirectory(path.dirname(place));
        return { sessions: copied };
      } finally {
        await to.close();
      }
    } finally {
      await from.close();
    }
  } finally {
    for (const end of ["", "-wal", "-shm", "-journal"])
      await fs.rm(partial + end, { recursive: true, force: true });
  }
}

function backupAt({ scheme, folder, name, end }: Naming, atMs: number): Backup {
  const time = new Date(atMs).toISOString().replace(/[-:]|\.\d+/g, "");
  const place = path.join(folder, `${name}.${time}${end}`);
  return { atMs, place, url: `${scheme}:${place}` };
}

function instantOf(text: string): number | undefined {
  const [whole, ...parts] = stamp.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const [year = 0, month = 1, day, hours, minutes, seconds] = parts.map(Number);
  return Date.UTC(year, month - 1, day, hours, minutes, seconds);
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await fs.readdir(folder);
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return [];
    throw error;
  }
}
