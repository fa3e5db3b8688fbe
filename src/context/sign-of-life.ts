/** Whether a folder answers at all: one of a network may hang, and with it a thread of the few that ask. */
import { realpath } from "node:fs/promises";
import path from "node:path";
import { within } from "../base/time.ts";
import { isOwn } from "./near-folders.ts";

export type Ask = (folder: string) => Promise<unknown>;

/** One that answers later is left alone. */
const answerMs = 1_000;
/** Folders that have not answered yet; all sessions of a process learn from one. They are not asked again before they have. */
const silent = new Set<string>();
/** While so many have not, only this machine's own disks are asked: the other threads have other work. */
const mostSilent = 2;

/** Where it leads, also of a folder that is gone: that is an answer. Undefined where it does not answer. */
export async function placeOf(folder: string, ask: Ask = realOf): Promise<string | undefined> {
  if (silent.has(folder) || (silent.size >= mostSilent && !isOwn(folder))) return undefined;
  const asked = ask(folder).then(
    (said) => (typeof said === "string" ? said : folder),
    () => folder,
  );
  const place = await within(asked, answerMs);
  if (place !== undefined) return place;
  silent.add(folder);
  void asked.then(() => silent.delete(folder));
  return undefined;
}

/** Itself where it is not there; of a file that is gone, where its folder is. */
export async function realOf(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch {
    const folder = await realpath(path.dirname(file)).catch(() => undefined);
    return folder === undefined ? file : path.join(folder, path.basename(file));
  }
}
