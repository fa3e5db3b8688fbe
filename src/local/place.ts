/** Where the endpoints of a user's processes are: a socket each, in a folder that is theirs alone; on Windows named pipes. */
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import { SidecarError, systemCodeOf } from "../base/errors.ts";
import { isPrivate, ownFolder, ownFolders, temporaryFolder } from "../base/own-folder.ts";
import { isSameProcessAlive, processSpace } from "../base/process.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** An endpoint as it is found; whether somebody listens there is another question. */
export interface Place {
  readonly path: string;
  readonly pid: number;
  /** Its process number means something here. */
  readonly isOurSpace: boolean;
}

const pipes = "\\\\.\\pipe\\";
const name = /^(?:acp-)?sidecar-(\d{1,10})-([0-9a-f]{6})-[0-9a-f]{6}(?:\.sock)?$/;
/** What sun_path takes, without the zero at its end. */
const longestPath = process.platform === "linux" ? 107 : 103;
/** A socket that refuses is a left-over; one that is this young may be about to listen. */
const youngMs = 60_000;

/** A new one, of this process. Errors: `FILE_FAILED` where no folder will do, and how to mend that. */
export async function newPlace(env: Env = process.env): Promise<string> {
  const own = `sidecar-${process.pid}-${spaceMark()}-${randomBytes(3).toString("hex")}`;
  if (process.platform === "win32") return `${pipes}acp-${own}`;
  const tried: string[] = [];
  for (const folder of [ownFolder, temporaryFolder]) {
    const socket = path.join(await folder(env), `${own}.sock`);
    if (Buffer.byteLength(socket) <= longestPath) return socket;
    tried.push(socket);
  }
  throw new SidecarError(
    "FILE_FAILED",
    `A socket's path may have ${longestPath} bytes, and ${tried[0]} has more: name a shorter folder by XDG_RUNTIME_DIR or TMPDIR`,
  );
}

/** Those of all processes of the user. In a folder that others may enter nothing is looked for. */
export function places(env: Env = process.env): readonly Place[] {
  if (process.platform === "win32") return placesIn(pipes, namesIn(pipes));
  const found: Place[] = [];
  for (const folder of new Set(ownFolders(env))) {
    const names = namesIn(folder);
    if (names.length > 0) found.push(...placesIn(`${folder}/`, names));
  }
  return found;
}

/** Nobody listens there: whether its process is gone, and it is in the way only. */
export function isLeftOver({ path: socket, pid, isOurSpace }: Place): boolean {
  if (process.platform === "win32") return false;
  if (isOurSpace && !isSameProcessAlive({ pid, startedAt: "" })) return true;
  const found = statSync(socket, { throwIfNoEntry: false });
  return found !== undefined && Date.now() - found.mtimeMs > youngMs;
}

function placesIn(before: string, names: readonly string[]): Place[] {
  const ours = spaceMark();
  return names.flatMap((each) => {
    const [, pid, space] = name.exec(each) ?? [];
    if (pid === undefined) return [];
    return [{ path: before + each, pid: Number(pid), isOurSpace: space === ours }];
  });
}

/** Nothing in a folder that is not there, or cannot be looked into, or that others may enter. */
function namesIn(folder: string): string[] {
  try {
    return process.platform === "win32" || isPrivate(folder) ? readdirSync(folder) : [];
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
    return [];
  }
}

function spaceMark(): string {
  return createHash("sha256").update(processSpace()).digest("hex").slice(0, 6);
}
