/**
 * Where things are in a file store's directory:
 *
 *   format.json                             what this is, and in which version
 *   sessions/<last character of id>/<id>/
 *     journal.<n>.jsonl                     the session; one file, the next one when it was rotated
 *     <first>-<last>.jsonl.gz               its older entries
 *     record.json                           the record at a glance; a hint
 *   tmp/                                    sessions that are being created or removed
 *   damaged/                                what a repair has set aside
 */
import fs from "node:fs";
import path from "node:path";
import { reasonOf, SidecarError, systemCodeOf } from "../../base/errors.ts";
import { storeNewer } from "../refusals.ts";
import { isSessionId, type SessionId } from "../../base/ids.ts";
import { makeDirectory, realPlace } from "../../base/disk.ts";
import { directoryMode, ifThere, replaceFile, uniqueSuffix } from "./files.ts";
import { isReadOnly } from "./errors.ts";

const formatName = "acp-sidecar file store";
/** Version 2: more kinds of entries, which an older program does not know. Files of version 1 stay as they are. */
const formatVersion = 2;

/** The last character of an id. */
const shardForm = /^[0-9A-HJKMNP-TV-Z]$/;

export class Layout {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  get sessions(): string {
    return path.join(this.root, "sessions");
  }

  get damaged(): string {
    return path.join(this.root, "damaged");
  }

  shard(id: SessionId): string {
    return path.join(this.sessions, id.slice(-1));
  }

  session(id: SessionId): string {
    return path.join(this.shard(id), id);
  }

  get #temporary(): string {
    return path.join(this.root, "tmp");
  }

  /** Where a session is prepared before it appears, or put before it is removed. */
  temporary(id: SessionId): string {
    return path.join(this.#temporary, `${id}.${uniqueSuffix()}`);
  }

  /** Ids of sessions that are being created or removed. */
  idsInPassing(): Set<string> {
    const names = ifThere(() => fs.readdirSync(this.#temporary)) ?? [];
    return new Set(names.map((name) => name.split(".", 1)[0] ?? ""));
  }

  /** Systems put files of their own into folders that somebody looks at. */
  shards(): string[] {
    return (ifThere(() => fs.readdirSync(this.sessions)) ?? []).filter((name) => shardForm.test(name));
  }

  /** Ids of the sessions in a shard, deleted ones that forks still need included. */
  idsIn(shard: string): SessionId[] {
    return (ifThere(() => fs.readdirSync(path.join(this.sessions, shard))) ?? []).filter(isSessionId);
  }

  /** Of all sessions. */
  *ids(): Generator<SessionId> {
    for (const shard of this.shards()) yield* this.idsIn(shard);
  }

  /** Sees that the directory is a file store. Errors: `STORE_UNAVAILABLE`, and as `prepare`. */
  assertStore(): void {
    const text = ifThere(() => fs.readFileSync(path.join(this.root, "format.json"), "utf8"));
    if (text === undefined) {
      throw new SidecarError("STORE_UNAVAILABLE", `${this.root} is no file store: it has no format.json`);
    }
    assertFormat(this.root, text);
  }

  /** Makes the directory a file store, or sees that it is one that we can use. */
  prepare(): void {
    const file = path.join(this.root, "format.json");
    const text = ifThere(() => fs.readFileSync(file, "utf8"));
    if (text !== undefined) {
      if (assertFormat(this.root, text) < formatVersion) nameVersion(file);
      this.#sweep();
      return;
    }
    assertOutside(this.root);
    for (const each of [this.root, this.sessions, this.#temporary]) makeDirectory(each);
    writeFormat(file);
  }

  /** Removes what crashes have left half created or half removed. */
  #sweep(): void {
    for (const name of ifThere(() => fs.readdirSync(this.#temporary)) ?? []) {
      const file = path.join(this.#temporary, name);
      const stat = fs.statSync(file, { throwIfNoEntry: false });
      if (stat === undefined || Date.now() - stat.ctimeMs < leftOverMs) continue;
      try {
        fs.rmSync(file, { recursive: true, force: true });
      } catch (error) {
        if (!isReadOnly(error)) throw error;
      }
    }
  }
}

/** Within another store it would stand in the way of its sessions. Errors: `STORE_UNAVAILABLE`. */
function assertOutside(root: string): void {
  const place = realPlace(root);
  for (let above = path.dirname(place); above !== path.dirname(above); above = path.dirname(above)) {
    if (!isStoreAt(above)) continue;
    throw new SidecarError(
      "STORE_UNAVAILABLE",
      `${root} lies within the file store ${above}; choose a directory outside of it`,
    );
  }
}

function isStoreAt(directory: string): boolean {
  try {
    return fs.readFileSync(path.join(directory, "format.json"), "utf8").includes(formatName);
  } catch {
    return false;
  }
}

/** What is older, and belongs to nothing, was left behind by a crash. */
export const leftOverMs = 24 * 60 * 60 * 1000;

/** What cannot be written cannot get entries that an older program does not know either. */
function nameVersion(file: string): void {
  try {
    writeFormat(file);
  } catch (error) {
    if (!isReadOnly(error)) throw error;
  }
}

function writeFormat(file: string): void {
  const format = { format: formatName, version: formatVersion };
  replaceFile(file, `${JSON.stringify(format)}\n`, { durable: true });
}

/** Returns the version. Errors: `STORE_CORRUPT`, `STORE_SCHEMA_NEWER`. */
function assertFormat(root: string, text: string): number {
  let found: { format?: unknown; version?: unknown };
  try {
    found = JSON.parse(text) as typeof found;
  } catch (error) {
    throw notAStore(root, reasonOf(error));
  }
  if (found.format !== formatName || typeof found.version !== "number")
    throw notAStore(root, "another format");
  if (found.version > formatVersion) throw storeNewer(`File store ${root}`, found.version, formatVersion);
  return found.version;
}

function notAStore(root: string, reason: string): SidecarError {
  return new SidecarError(
    "STORE_CORRUPT",
    `File store ${root}: format.json is not ours (${reason}); choose another directory, or restore that file`,
  );
}

const journalPattern = /^journal\.([0-9]+)\.jsonl$/;

export function journalName(number: number): string {
  return `journal.${number}.jsonl`;
}

/** The journal files of a session's directory, the oldest first; undefined when there is no such directory. */
export function journalNumbers(directory: string): number[] | undefined {
  const names = ifThere(() => fs.readdirSync(directory));
  return names
    ?.flatMap((name) => Number(journalPattern.exec(name)?.[1] ?? []))
    .filter((number) => number > 0)
    .sort((a, b) => a - b);
}

/** Puts a prepared directory in its place; false when a session stands there. */
export function moveIn(from: string, to: string): boolean {
  const move = () => fs.renameSync(from, to);
  try {
    if (ifThere(() => (move(), true)) === undefined) {
      fs.mkdirSync(path.dirname(to), { recursive: true, mode: directoryMode });
      move();
    }
    return true;
  } catch (error) {
    if (["ENOTEMPTY", "EEXIST"].includes(systemCodeOf(error) ?? "")) return false;
    throw error;
  }
}
