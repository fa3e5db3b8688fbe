/** What can be run in a project, by name: what a script does may hold secrets, and is told to nobody. */
import { realpath } from "node:fs/promises";
import { basename, join } from "node:path";
import { isRecord } from "../base/json.ts";
import { isWithin } from "./bounds.ts";
import { smallTextOf } from "./small-text.ts";

export interface Script {
  readonly name: string;
  /** The manifest, below the root. */
  readonly from: string;
}

/** Longer manifests are not looked into. */
const maxManifestBytes = 1 << 20;
const maxScripts = 200;
const longestName = 100;

/** @param manifests below `root` */
export async function scriptsOf(root: string, manifests: readonly string[]): Promise<readonly Script[]> {
  const found: Script[] = [];
  for (const from of manifests) {
    const read = readers[basename(from)];
    const text = read && (await textOf(join(root, from), root));
    if (read === undefined || text === undefined) continue;
    for (const name of read(text)) if (name.length <= longestName) found.push({ name, from });
    if (found.length >= maxScripts) break;
  }
  return found.slice(0, maxScripts);
}

const recipes = (text: string) =>
  [...text.matchAll(/^([A-Za-z0-9][\w.-]*)(?:[ \t]+[^:\n=]*)?:(?![=:])/gm)].map(([, name = ""]) => name);
const inJson = (member: string) => (text: string) => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // A manifest that is being edited has no scripts until it is whole.
    return [];
  }
  const scripts = isRecord(value) ? value[member] : undefined;
  return isRecord(scripts) ? Object.keys(scripts) : [];
};

const readers: Readonly<Record<string, (text: string) => readonly string[]>> = {
  "package.json": inJson("scripts"),
  "composer.json": inJson("scripts"),
  "deno.json": inJson("tasks"),
  Makefile: recipes,
  makefile: recipes,
  GNUmakefile: recipes,
  justfile: recipes,
  Justfile: recipes,
};

/** A link may lead out of the project. */
async function textOf(file: string, root: string): Promise<string | undefined> {
  const [place, top] = await Promise.all([realpath(file), realpath(root)]).catch(() => []);
  if (place === undefined || top === undefined || !isWithin(place, [top])) return undefined;
  return smallTextOf(place, maxManifestBytes);
}
