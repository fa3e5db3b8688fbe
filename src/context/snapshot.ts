/**
 * What is known of a session's project at a place of its journal, and how that stands there: entries of kind `context`, each
 * with what differs from the one before (`base`), or whole. They are no part of the conversation: no client and no agent
 * is shown one. Of files they hold size, times and a hash, never what stands in them.
 */
import { isDeeperThan, isRecord, objectIn, textIf, type Json } from "../base/json.ts";
import { ownMeta } from "../acp/own-mark.ts";
import type { Entry } from "../store/contract.ts";
import { keepLast } from "./latest.ts";
import { maxDepth } from "./merged.ts";
import { knownIn, type KnownFile } from "./known-file.ts";
import { mostFiles } from "./told-files.ts";

/** Where version control stood. */
export interface GitPlace {
  readonly root: string;
  readonly branch?: string;
  readonly head?: string;
}

export interface Snapshot {
  /** `seq` of the newest of its entries; 0 where there is none. Whoever changes it names this. */
  readonly version: number;
  /** So many entries came before that, since one that is whole. */
  readonly steps: number;
  /** What was told in entries up to here is in it. */
  readonly throughSeq: number;
  /** The session's folder then. */
  readonly cwd?: string;
  readonly git?: GitPlace;
  /** By path, the one told of last at the end. */
  readonly files: ReadonlyMap<string, KnownFile>;
  /** Paths below git's root that differed from the head, with git's two letters. */
  readonly dirty: ReadonlyMap<string, string>;
  /** What was put in by hand or by a program, by key. */
  readonly values: ReadonlyMap<string, Json>;
}

export const nothingKnown: Snapshot = {
  version: 0,
  steps: 0,
  throughSeq: 0,
  files: new Map(),
  dirty: new Map(),
  values: new Map(),
};

/** What an agent was told of a file that had changed by other hands. */
export interface Noted {
  readonly path: string;
  readonly what: string;
}

/** After so many steps an entry is whole, so that few have to be read. */
export const mostSteps = 64;
/** As many files as are known have no longer one, however long their paths are. */
const mostChars = 16 << 20;
const form = 1;
/** Of what others may have written more is not taken. */
const mostOthers = 2_000;

type Content = Omit<Snapshot, "version" | "steps">;

/**
 * The data of the entry that leads from one to the other; undefined where nothing differs. `cleared` is said of one that is
 * written in any case, because nothing before it is to be known.
 */
export function contextData(
  before: Snapshot,
  now: Content,
  noted: readonly Noted[] = [],
  how?: "cleared",
): string | undefined {
  const isWhole = how === "cleared" || before.version === 0 || before.steps + 1 >= mostSteps;
  const from = isWhole ? nothingKnown : before;
  const differs = (a: Content) => ({
    ...(now.cwd !== undefined && a.cwd !== now.cwd && { cwd: now.cwd }),
    ...(JSON.stringify(a.git) !== JSON.stringify(now.git) && { git: now.git ?? null }),
    ...part("files", a.files, now.files),
    ...part("dirty", a.dirty, now.dirty),
    ...part("values", a.values, now.values),
  });
  if (how !== "cleared" && noted.length === 0 && Object.keys(differs(before)).length === 0) return undefined;
  return JSON.stringify({
    form,
    ...(!isWhole && { base: before.version, steps: before.steps + 1 }),
    through: now.throughSeq,
    ...differs(from),
    ...(noted.length > 0 && { note: noted, _meta: ownMeta }),
  });
}

/** Null takes a key out. */
function part<T>(name: string, before: ReadonlyMap<string, T>, now: ReadonlyMap<string, T>) {
  const changes: [string, T | null][] = [];
  for (const [key, value] of now) {
    const was = before.get(key);
    if (was !== value && JSON.stringify(was) !== JSON.stringify(value)) changes.push([key, value]);
  }
  for (const key of before.keys()) if (!now.has(key)) changes.push([key, null]);
  return changes.length === 0 ? {} : { [name]: Object.fromEntries(changes) };
}

/** An entry as it is understood. */
export interface Step {
  readonly seq: number;
  /** The entry that this one goes on from; 0 for one that is whole. */
  readonly base: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Undefined for one that nobody understands, or that is longer than any of ours: it may come from elsewhere. */
export function stepIn({ seq, data }: Pick<Entry, "seq" | "data">): Step | undefined {
  const fields = data.length > mostChars ? undefined : objectIn(data);
  if (fields?.["form"] !== form) return undefined;
  const base = fields["base"] === undefined ? 0 : numberIn(fields["base"]);
  return base === undefined ? undefined : { seq, base, fields };
}

/** What is known after the entry. One that nobody understands changes nothing. */
export function after(before: Snapshot, entry: Pick<Entry, "seq" | "data">): Snapshot {
  const step = stepIn(entry);
  return step === undefined ? before : afterStep(before, step);
}

export function afterStep(before: Snapshot, { seq, base, fields }: Step): Snapshot {
  const from = base === 0 ? nothingKnown : before;
  const cwd = textIf(fields["cwd"]) ?? from.cwd;
  const git = fields["git"] === undefined ? from.git : gitIn(fields["git"]);
  return {
    version: seq,
    steps: numberIn(fields["steps"]) ?? 0,
    throughSeq: Math.max(from.throughSeq, numberIn(fields["through"]) ?? 0),
    ...(cwd !== undefined && { cwd }),
    ...(git !== undefined && { git }),
    files: changed(from.files, fields["files"], knownIn, mostFiles),
    dirty: changed(from.dirty, fields["dirty"], textIf, mostOthers),
    values: changed(from.values, fields["values"], jsonIn, mostOthers),
  };
}

/** Of more than so many the last ones count, and others are not looked at. */
function changed<T>(
  before: ReadonlyMap<string, T>,
  changes: unknown,
  valueIn: (value: unknown) => T | undefined,
  most: number,
): ReadonlyMap<string, T> {
  if (!isRecord(changes)) return before;
  const now = new Map(before);
  const keys = Object.keys(changes);
  const given = keys.filter((key) => changes[key] !== null);
  for (const key of keys) now.delete(key);
  for (const key of given.slice(-most)) {
    const value = valueIn(changes[key]);
    if (value !== undefined) now.set(key, value);
  }
  keepLast(now, most);
  return now;
}

function jsonIn(value: unknown): Json | undefined {
  return isDeeperThan(value, maxDepth) ? undefined : (value as Json);
}

function gitIn(value: unknown): GitPlace | undefined {
  if (!isRecord(value) || typeof value.root !== "string") return undefined;
  const { root, branch, head } = value;
  return {
    root,
    ...(typeof branch === "string" && { branch }),
    ...(typeof head === "string" && { head }),
  };
}

function numberIn(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}
