/** What is done to a store as a whole, by its own means: finding, inspecting, repairing, backing up. */
import fs from "node:fs";
import path from "node:path";
import { SidecarError, systemCodeOf } from "../base/errors.ts";
import { layersOf, ofLayer, pathIn } from "../base/store-url.ts";
import { driverOf } from "../store/open.ts";
import type { Damage, Repair, StoreBackup } from "./damage.ts";
import type { Watch } from "./watch.ts";

/** Arguments are paths. */
interface Upkeep {
  /** One of these is there where a store is, damaged or not. */
  readonly traces: (path: string) => readonly string[];
  /** Looks below the contract, where damage may stand that no read has met. */
  readonly inspect: (path: string) => Promise<readonly Damage[]>;
  /** Keeps what is sound and sets the damaged rest aside. */
  readonly repair: (path: string) => Promise<Repair>;
  /** Gives back the room that deletions have left; absent where they do it themselves. */
  readonly compact?: (path: string, limits: SpaceLimits) => Promise<void>;
  /** Copies all to a path where nothing is yet. */
  readonly backUp: (from: string, to: string, watch: Watch) => Promise<StoreBackup>;
}

/** How much may be written anew at once, while others wait, where it cannot be done in steps: bytes. */
export interface SpaceLimits {
  readonly mostAtOnce?: number;
}

/** By scheme. Other media look after themselves, or hold nothing that lasts. */
const upkeeps: Readonly<Record<string, Upkeep>> = {
  file: {
    traces: (directory) => [path.join(directory, "format.json"), path.join(directory, "sessions")],
    inspect: async (path) => (await (await import("./file/repair.ts")).inspectFileStore(path)).damage,
    repair: async (path) => (await import("./file/repair.ts")).repairFileStore(path),
    backUp: async (...all) => (await import("./file/backup.ts")).backupFileStore(...all),
  },
  sqlite: {
    traces: (file) => [file],
    inspect: async (path) => (await import("./sqlite/repair.ts")).inspectSqliteStore(path),
    repair: async (path) => (await import("./sqlite/repair.ts")).repairSqliteStore(path),
    compact: async (...all) => (await import("./sqlite/compact.ts")).compactSqliteStore(...all),
    backUp: async (...all) => (await import("./sqlite/backup.ts")).backupSqliteStore(...all),
  },
};

/** Damage of the medium itself; none where the contract's reads meet all there can be. Errors: `STORE_…`. */
export async function inspectStore(url: string): Promise<readonly Damage[]> {
  const found = upkeepOf(url);
  return found === undefined ? [] : found.upkeep.inspect(found.path);
}

/** The place of a store of files that is not there: opening it would make it. Servers are not asked. */
export function emptyPlaceOf(url: string): string | undefined {
  const layers = layersOf(url);
  if (layers !== undefined) return askLast(layers, emptyPlaceOf);
  const found = upkeepOf(url);
  if (found?.upkeep.traces(found.path).every(isMissing) !== true) return undefined;
  return `${found.scheme}:${path.resolve(found.path)}`;
}

/** Where a store of files is; undefined for one that is elsewhere or in memory. */
export function placeOfStore(url: string): string | undefined {
  const layers = layersOf(url);
  if (layers !== undefined) return askLast(layers, placeOfStore);
  const found = upkeepOf(url);
  return found && path.resolve(found.path);
}

/** Errors: `STORE_UNAVAILABLE` where a mistyped place would become a store, and pass for one without sessions. */
export function assertStoreThere(url: string): void {
  const layers = layersOf(url);
  if (layers !== undefined) return askLast(layers, assertStoreThere);
  const place = emptyPlaceOf(url);
  if (place === undefined) return;
  throw new SidecarError("STORE_UNAVAILABLE", `There is no store at ${place}; check its place`);
}

/** Whether `repairStore` can do something for the store that `url` names. */
export function isRepairable(url: string): boolean {
  return upkeepOf(url) !== undefined;
}

/** Errors: `STORE_UNSUPPORTED` where the medium repairs itself or cannot be repaired here; `STORE_…`. */
export async function repairStore(url: string): Promise<Repair> {
  const found = upkeepOf(url);
  if (found !== undefined) return found.upkeep.repair(found.path);
  throw new SidecarError(
    "STORE_UNSUPPORTED",
    `A store of the form ${driverOf(url).driver.form} cannot be repaired in place; migrate what is sound into a new one, or restore a backup`,
  );
}

/**
 * Copies a store into another of its kind that is not there yet, whole and by its own means. Undefined when
 * that cannot be done: then sessions are to be copied one by one. Errors: `STORE_…`.
 */
export async function backUpStore(
  fromUrl: string,
  toUrl: string,
  watch: Watch = {},
): Promise<StoreBackup | undefined> {
  const [from, to] = [upkeepOf(fromUrl), upkeepOf(toUrl)];
  if (from === undefined || from.upkeep !== to?.upkeep || fs.existsSync(to.path)) return undefined;
  return from.upkeep.backUp(from.path, to.path, watch);
}

/** Gives the room of what was deleted back to the disk, in steps between which others work. Errors: `STORE_…`. */
export async function giveBackSpace(url: string, limits: SpaceLimits = {}): Promise<void> {
  const layers = layersOf(url);
  if (layers !== undefined) return askLast(layers, (layer) => giveBackSpace(layer, limits));
  const found = upkeepOf(url);
  await found?.upkeep.compact?.(found.path, limits);
}

/** The last layer holds all; the others may begin empty. */
function askLast<T>(layers: readonly string[], ask: (url: string) => T): T {
  const at = layers.length - 1;
  try {
    return ask(layers[at] ?? "");
  } catch (error) {
    throw ofLayer(at, error);
  }
}

/** What cannot be looked at may be there; opening it says what is wrong. */
function isMissing(file: string): boolean {
  try {
    fs.statSync(file);
    return false;
  } catch (error) {
    return systemCodeOf(error) === "ENOENT";
  }
}

interface Found {
  readonly scheme: string;
  readonly upkeep: Upkeep;
  readonly path: string;
}

function upkeepOf(url: string): Found | undefined {
  const { driver, parts } = driverOf(url);
  const { scheme } = parts;
  const upkeep = Object.hasOwn(upkeeps, scheme) ? upkeeps[scheme] : undefined;
  return upkeep && { scheme, upkeep, path: pathIn(parts, driver.form) };
}
