/** A folder as a person knows it. */
import path from "node:path";
import { surroundings } from "../config/paths.ts";
import type { Io } from "./command.ts";

/** With `~` for the user's home. */
export function homely(folder: string, { env }: Io): string {
  const { home } = surroundings(env);
  if (home === undefined || home === path.parse(home).root) return folder;
  if (folder === home) return "~";
  return folder.startsWith(home + path.sep) ? `~${folder.slice(home.length)}` : folder;
}
