/** What a session's agent knows of a file, and how that is found when the file has just been told of. */
import { isRecord } from "../base/json.ts";
import { isFolder } from "./folders.ts";
import type { Bounds, Unread } from "./bounds.ts";
import { touchedMsOf, lookAt, statAt, type FileState } from "./file-state.ts";
import { holdsText } from "./text-forms.ts";
import type { ToldFile } from "./told-files.ts";

export interface KnownFile {
  /** What the agent did with it last. */
  readonly how: ToldFile["how"];
  /** Of what the agent has of it, where that is not what the disk held. */
  readonly sha256?: string;
  /** What the disk held when it was looked at; absent where it had been written to before that, and nobody knows what it held. */
  readonly disk?: FileState | "absent";
  /** The agent was shown what an editor had not saved. */
  readonly buffer?: true;
  readonly unread?: Unread;
  /** The agent has been told that it is like this now. */
  readonly noted?: FileState | "absent";
}

/**
 * A file that was told of, as it is found. What was written to it since is no part of what the agent knows. Undefined for a
 * folder, which a tool may list.
 */
export async function knownNow(
  file: string,
  told: ToldFile,
  unread: Unread | undefined,
): Promise<KnownFile | undefined> {
  const { how } = told;
  const sha256 = told.sha256 === undefined ? {} : { sha256: told.sha256 };
  if (unread === "outside" || unread === "unanswered") return { how, ...sha256, unread };
  const look = unread === undefined ? await lookAt(file) : await statAt(file);
  if (look === "unknown") return { how, ...sha256, unread: "unreadable" };
  if (look === "absent") {
    if (told.sha256 === undefined && (await isFolder(file))) return undefined;
    const wasThere = told.sha256 !== undefined || told.wasThere === true;
    return wasThere ? { how, ...sha256 } : { how, disk: "absent" };
  }
  const why = unread ?? (look.sha256 === undefined ? "huge" : undefined);
  const named = why === undefined ? {} : { unread: why };
  if (told.sha256 !== undefined && look.sha256 === told.sha256) return { how, disk: look, ...named };
  if (isTouchedSince(look, told)) return { how, ...sha256, ...named };
  if (told.sha256 === undefined || look.sha256 === undefined) return { how, disk: look, ...named };
  return (await holdsText(file, look, told.sha256))
    ? { how, disk: look, ...named }
    : { how, disk: look, ...named, sha256: told.sha256, buffer: true };
}

/** Clocks of file systems may be so far behind ours. */
const lagMs = 20;

/** Its times say that it was written to after the agent had it. What an agent writes by itself it tells of just after that. */
function isTouchedSince(look: FileState, { how, sha256, atMs }: ToldFile): boolean {
  const isOwn = how === "written" && sha256 === undefined;
  return touchedMsOf(look) > (isOwn ? atMs : atMs - lagMs);
}

/** All of them. @param timeMs after so long a question to git is given up */
export async function knownOf(
  told: ReadonlyMap<string, ToldFile>,
  bounds: Bounds,
  timeMs: number,
): Promise<Map<string, KnownFile>> {
  const ignored = told.size === 0 ? new Set<string>() : await bounds.ignored([...told.keys()], timeMs);
  const found = new Map<string, KnownFile>();
  await inGroups([...told], async ([file, each]) => {
    const unread = (await bounds.unread(file)) ?? (ignored.has(file) ? "ignored" : undefined);
    const known = await knownNow(file, each, unread);
    if (known !== undefined) found.set(file, known);
  });
  // In the order in which they were told of.
  return new Map([...told.keys()].flatMap((file) => [[file, found.get(file)] as const]).filter(isFound));
}

function isFound(pair: readonly [string, KnownFile | undefined]): pair is readonly [string, KnownFile] {
  return pair[1] !== undefined;
}

/** So many files are looked at at once. */
const atOnce = 32;

export async function inGroups<T>(all: readonly T[], act: (each: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < all.length; from += atOnce)
    await Promise.all(all.slice(from, from + atOnce).map(act));
}

const reasons: ReadonlySet<unknown> = new Set<Unread>([
  "outside",
  "ignored",
  "secret",
  "huge",
  "unreadable",
  "unanswered",
]);

/** As it was stored; undefined for what is none. */
export function knownIn(value: unknown): KnownFile | undefined {
  if (!isRecord(value)) return undefined;
  const { how, sha256, buffer, unread } = value;
  if (how !== "read" && how !== "written") return undefined;
  const [disk, noted] = [stateIn(value.disk), stateIn(value.noted)];
  return {
    how,
    ...(typeof sha256 === "string" && { sha256 }),
    ...(disk !== undefined && { disk }),
    ...(buffer === true && { buffer }),
    ...(reasons.has(unread) && { unread: unread as Unread }),
    ...(noted !== undefined && { noted }),
  };
}

const digits = /^-?\d{1,30}$/;

function stateIn(value: unknown): FileState | "absent" | undefined {
  if (value === "absent") return value;
  if (!isRecord(value)) return undefined;
  const { size, mtimeNs, ctimeNs, inode, sha256, atMs } = value;
  const texts = [mtimeNs, ctimeNs, inode].every((each) => typeof each === "string" && digits.test(each));
  if (!texts || typeof size !== "number" || typeof atMs !== "number") return undefined;
  const state = { size, mtimeNs, ctimeNs, inode, atMs } as FileState;
  return typeof sha256 === "string" ? { ...state, sha256 } : state;
}
