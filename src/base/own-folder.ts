/** The folder of what lives as long as the user's processes: sockets, notes. Until the next boot at most. */
import { lstatSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { SidecarError } from "./errors.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Made if need be. Errors: `FILE_FAILED` when it is not the user's alone; the system's own. */
export async function ownFolder(env: Env = process.env): Promise<string> {
  const [folder = ""] = ownFolders(env);
  return assertPrivate(folder);
}

/** The one in the temporary folder, where paths are short. Errors: as `ownFolder`. */
export function temporaryFolder(env: Env = process.env): Promise<string> {
  return assertPrivate(ownFolders(env).at(-1) ?? "");
}

/**
 * Where processes of the user may have theirs, the first being ours: one that an editor has started may not know
 * XDG_RUNTIME_DIR, which a terminal has.
 */
export function ownFolders(env: Env = process.env): readonly string[] {
  const uid = process.getuid?.() ?? 0;
  const named = env["XDG_RUNTIME_DIR"];
  const temporary = path.join(env["TMPDIR"] ?? os.tmpdir(), `acp-sidecar-${uid}`);
  if (named !== undefined && path.isAbsolute(named)) return [path.join(named, "acp-sidecar"), temporary];
  return [temporary];
}

async function assertPrivate(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (isPrivate(folder)) return folder;
  throw new SidecarError(
    "FILE_FAILED",
    `${folder} is not yours alone: remove it, or make it yours with mode 0700`,
  );
}

/** Whether there is a folder of the user's that nobody else may enter. Errors: the system's own. */
export function isPrivate(folder: string): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (found === undefined) return false;
  return found.isDirectory() && found.uid === (process.getuid?.() ?? 0) && (found.mode & 0o077) === 0;
}
