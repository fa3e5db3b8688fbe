/** `import`: the histories of other agents, and bundles, into the store. */
import { homedir } from "node:os";
import { statSync } from "node:fs";
import { errorFaces, SidecarError } from "../base/errors.ts";
import type { HistoryReader, Problem } from "../history/import/native.ts";
import { importHistory, type ImportOptions, type ImportResult, type Told } from "../history/import/run.ts";
import { isSource, sources } from "../history/import/sources.ts";
import { watchHistory } from "../history/import/watch.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Invocation, Io } from "./command.ts";
import { ImportTalk } from "./import-talk.ts";
import { interruptible } from "./interrupt.ts";
import { withSessions } from "./sessions.ts";
import { instantFrom } from "./when.ts";

/** When something could not be read: as `verify` says of what is damaged. */
const incomplete = errorFaces.STORE_CORRUPT.exitStatus;

export async function importSessions(invocation: Invocation, io: Io): Promise<number> {
  const [what = "", place] = invocation.operands;
  if (!isSource(what)) return importFiles(invocation, io);
  const reader = await sources[what].load();
  const places = place === undefined ? reader.places(surroundingsOf(io)) : [place];
  for (const each of places) if (place !== undefined) assertThere(each);
  const isDryRun = invocation.flags["dry-run"] === true;
  if (isDryRun && invocation.flags["watch"] === true)
    throw new SidecarError("USAGE", "--watch and --dry-run exclude one another");
  const run = (registry: SessionRegistry) =>
    bring(invocation, io, { title: sources[what].title, reader, places, registry });
  return withSessions(invocation, io, run, { ifAbsent: isDryRun ? "imagine" : "make" });
}

/** Bundles, which `export` has written. */
async function importFiles(invocation: Invocation, io: Io): Promise<number> {
  const { operands, flags } = invocation;
  const [place = "", ...more] = operands;
  if (statSync(place, { throwIfNoEntry: false }) === undefined || more.length > 0) {
    const names = Object.keys(sources).join(", ");
    const what = more.length > 0 ? "is no agent whose history can be read" : "is not there";
    throw new SidecarError("USAGE", `${JSON.stringify(place)} ${what}; allowed: ${names}, or a bundle`);
  }
  if (flags["watch"] === true) throw new SidecarError("USAGE", "--watch is for the histories of agents");
  const { bundles } = await import("../history/import/bundle/reader.ts");
  const run = (registry: SessionRegistry) =>
    bring(invocation, io, { title: "Bundles", reader: bundles, places: [place], registry });
  return withSessions(invocation, io, run, { ifAbsent: flags["dry-run"] === true ? "imagine" : "make" });
}

interface Bringing {
  readonly title: string;
  readonly reader: HistoryReader;
  readonly places: readonly string[];
  readonly registry: SessionRegistry;
}

async function bring(invocation: Invocation, io: Io, bringing: Bringing): Promise<number> {
  const { title, ...bringIn } = bringing;
  const { flags } = invocation;
  const talk = new ImportTalk(invocation, io, title);
  const since = flags["since"];
  const goOn = () => "run it again, and it goes on there";
  try {
    const result = await interruptible(goOn, (signal) => {
      const options = {
        ...bringIn,
        isDryRun: flags["dry-run"] === true,
        ...(typeof since === "string" && { sinceMs: instantFrom("since", since, Date.now()) }),
        signal,
        onProblem: (problem: Problem) => talk.problem(problem),
        onSession: (told: Told) => talk.session(told),
        onProgress: (done: number, total: number) => talk.progress(done, total),
      };
      return flags["watch"] === true ? keepUp(options, talk) : importHistory(options);
    });
    await talk.end(result);
    return statusOf(result);
  } finally {
    talk.close();
  }
}

/** Until Ctrl-C, which is how it is meant to end. */
function keepUp(
  options: ImportOptions & { readonly signal: AbortSignal },
  talk: ImportTalk,
): Promise<ImportResult> {
  return watchHistory({ ...options, onRound: () => talk.rests() });
}

function statusOf({ problems }: ImportResult): number {
  return problems > 0 ? incomplete : 0;
}

/** Errors: `USAGE`. */
function assertThere(place: string): void {
  if (statSync(place, { throwIfNoEntry: false }) === undefined)
    throw new SidecarError("USAGE", `${JSON.stringify(place)} is not there; name a folder or a file that is`);
}

function surroundingsOf({ env }: Io): Io["env"] {
  return env["HOME"] === undefined ? { ...env, HOME: homedir() } : env;
}
