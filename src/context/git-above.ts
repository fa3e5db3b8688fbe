/** Where version control stands when git's program does not say: it is not there, or refuses a folder of somebody else's. */
import { stat } from "node:fs/promises";
import path from "node:path";
import { gitHeadOf } from "./git-head.ts";
import type { GitPlace } from "./snapshot.ts";

/** So far above it is looked for. */
const mostSteps = 40;

/** Undefined where there is none that belongs to whom the folder does: another user may have put one above it. */
export async function gitAbove(folder: string): Promise<GitPlace | undefined> {
  const owner = await ownerOf(folder);
  let step = path.resolve(folder);
  for (let steps = 0; steps < mostSteps; steps += 1) {
    const found = await ownerOf(path.join(step, ".git"));
    if (found !== undefined) return found === owner ? gitHeadOf(step) : undefined;
    const above = path.dirname(step);
    if (above === step) break;
    step = above;
  }
  return undefined;
}

async function ownerOf(place: string): Promise<number | undefined> {
  return stat(place).then(
    ({ uid }) => uid,
    () => undefined,
  );
}
