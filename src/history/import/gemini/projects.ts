/** Which folder a history of Gemini CLI belongs to: its place is named by a short name of it, or by its hash. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { objectIn } from "../../../base/json.ts";
import { recordIn } from "../records.ts";

export class Projects {
  /** By the folder in which their histories lie. */
  readonly #known = new Map<string, string | undefined>();

  /** @param chats the folder `…/tmp/NAME/chats` */
  folderOf(chats: string): string | undefined {
    const place = dirname(chats);
    if (!this.#known.has(place)) this.#known.set(place, lookUp(place));
    return this.#known.get(place);
  }
}

function lookUp(place: string): string | undefined {
  const told = textAt(join(place, ".project_root"))?.trim();
  if (told !== undefined && told !== "") return told;
  const name = basename(place);
  for (const [folder, short] of Object.entries(registered(join(dirname(dirname(place)), "projects.json"))))
    if (short === name || createHash("sha256").update(folder).digest("hex") === name) return folder;
  return undefined;
}

function registered(path: string): Readonly<Record<string, unknown>> {
  return recordIn(objectIn(textAt(path) ?? "") ?? {}, "projects") ?? {};
}

function textAt(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
