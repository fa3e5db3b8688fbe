/** Which files git ignores. Each is asked for in the repository that it lies in, by the name that it has there. */
import { realpath } from "node:fs/promises";
import path from "node:path";
import { isThere } from "./folders.ts";
import { askGit } from "./git.ts";

/** So far above a file its repository is looked for, and so many repositories are asked. */
const mostSteps = 60;
const mostTops = 16;

/**
 * Git gives up on all that it is asked for at the first that it reaches through a link, or that is a submodule's.
 * @param timeMs for all of it
 */
export async function ignoredOf(files: readonly string[], timeMs: number): Promise<ReadonlySet<string>> {
  const untilMs = performance.now() + timeMs;
  const asked = await byTop(files);
  const found = new Set<string>();
  for (const [top, names] of [...asked].slice(0, mostTops)) {
    const leftMs = untilMs - performance.now();
    if (leftMs <= 0) break;
    const input = `${[...names.keys()].join("\0")}\0`;
    const said = await askGit(top, ["check-ignore", "-z", "--stdin"], leftMs, input);
    for (const real of said?.output.split("\0") ?? [])
      for (const file of names.get(real) ?? []) found.add(file);
  }
  return found;
}

/** By the top of its repository, and by where it is: the files that are meant. */
async function byTop(files: readonly string[]): Promise<ReadonlyMap<string, Map<string, string[]>>> {
  const places = new Map<string, string>();
  const tops = new Map<string, string | undefined>();
  const found = new Map<string, Map<string, string[]>>();
  for (const file of files) {
    const folder = path.dirname(file);
    const place = places.get(folder) ?? (await realpath(folder).catch(() => folder));
    places.set(folder, place);
    const top = await topOf(place, tops);
    if (top === undefined) continue;
    const names = found.get(top) ?? new Map<string, string[]>();
    found.set(top, names);
    const real = path.join(place, path.basename(file));
    names.set(real, [...(names.get(real) ?? []), file]);
  }
  return found;
}

/** The nearest folder with a repository, from this one upwards. */
async function topOf(folder: string, known: Map<string, string | undefined>): Promise<string | undefined> {
  const passed: string[] = [];
  let top: string | undefined;
  for (let step = folder; passed.length < mostSteps; step = path.dirname(step)) {
    if (known.has(step)) {
      top = known.get(step);
      break;
    }
    passed.push(step);
    if (await isThere(path.join(step, ".git"))) {
      top = step;
      break;
    }
    if (step === path.dirname(step)) break;
  }
  for (const each of passed) known.set(each, top);
  return top;
}
