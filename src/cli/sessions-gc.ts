/** `sessions gc`: sessions of a certain age go into the trash, and out of it in the end. */
import { defaults, options } from "../config/options.ts";
import type { Config } from "../config/config.ts";
import { SidecarError } from "../base/errors.ts";
import type { SessionRecord } from "../session/registry-options.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Invocation, Io } from "./command.ts";
import { assertMeant, isMeant } from "./confirm.ts";
import { freed, freedText } from "./freed.ts";
import { interruptible } from "./interrupt.ts";
import { countText, oneLine, print, printJson, timeText } from "./print.ts";
import { Progress } from "./progress.ts";
import { timeFrom, withSessions } from "./sessions.ts";

/** What is to go. */
interface Wanted {
  /** Sessions without activity for so long; none if undefined. */
  readonly idleForMs: number | undefined;
  /** What has been in the trash for so long. */
  readonly trashedForMs: number;
  readonly isTrashOff: boolean;
}

interface Counts {
  readonly aged: number;
  readonly due: number;
  /** Of how many times that sessions were compacted what was there goes. */
  readonly originals: number;
}

export function collectSessions(invocation: Invocation, io: Io): Promise<number> {
  const age = ageIn(invocation);
  assertMeant("sessions gc deletes", invocation, io);
  return withSessions(invocation, io, async (registry, config) => {
    const wanted = wantedBy(age, invocation, config);
    if (invocation.flags["dry-run"]) return showWhatGoes(registry, wanted, invocation, io);
    const counts = {
      aged: await lengthOf(agedIn(registry, wanted)),
      due: await lengthOf(dueIn(registry, wanted)),
      originals: await registry.originals.countOlder(wanted.trashedForMs),
    };
    const isMore = counts.aged + counts.due + counts.originals > 0;
    if (isMore && !(await isMeant(question(counts, wanted), invocation, io))) return 1;
    const before = isMore ? (await registry.stats()).bytes : 0;
    const sums = await collect(registry, wanted, counts, new Progress(invocation, io, "gc"));
    const isLess = sums.deleted + sums.originals > 0;
    const freedBytes = isLess ? await freed(registry, config.store, before) : 0;
    if (invocation.flags["json"]) await printJson(io, { ...sums, freedBytes });
    else await print(io, `${sumText("went", sums)}${freedText(freedBytes)}\n`);
    return 0;
  });
}

/** Ctrl-C ends it between two sessions. */
async function collect(
  registry: SessionRegistry,
  { idleForMs, trashedForMs, isTrashOff }: Wanted,
  { aged, due, originals }: Counts,
  progress: Progress,
): Promise<Sums> {
  let gone = 0;
  progress.stage("deleting", "sessions");
  try {
    return await interruptible(
      () => `${gone} of ${aged + due + originals} went; run it again to go on`,
      async (signal) => {
        const onGone = async () => {
          signal.throwIfAborted();
          await progress.at((gone += 1), aged + due + originals);
        };
        const expired = idleForMs === undefined ? 0 : await registry.expire({ idleForMs }, onGone);
        const emptied = await registry.trash.empty({ forMs: trashedForMs }, onGone);
        const forgotten = await registry.originals.empty(trashedForMs, onGone);
        return isTrashOff
          ? { trashed: 0, deleted: emptied + expired, originals: forgotten }
          : { trashed: expired, deleted: emptied, originals: forgotten };
      },
    );
  } finally {
    progress.end();
  }
}

/** Of the trash all may go; of what may be in use nothing from the last hour. Errors: `USAGE`. */
function ageIn({ flags }: Invocation): number | undefined {
  const { "older-than": given, trash } = flags;
  const { min, max } = options.retention.kind;
  return given === undefined ? undefined : timeFrom("older-than", given, { min: trash ? 0 : min, max });
}

/** Errors: `USAGE`. */
function wantedBy(age: number | undefined, { flags }: Invocation, { retentionMs, trashMs }: Config): Wanted {
  const isTrashOff = trashMs === 0;
  if (flags["trash"]) return { idleForMs: undefined, trashedForMs: age ?? 0, isTrashOff };
  const idleForMs = age ?? retentionMs;
  if (idleForMs === undefined) throw ageWanted();
  return { idleForMs, trashedForMs: trashMs || defaults.trashMs, isTrashOff };
}

function ageWanted(): SidecarError {
  return new SidecarError(
    "USAGE",
    "sessions gc needs --older-than, because no retention is configured; allowed: a time like 12h or 30d",
  );
}

async function* agedIn(registry: SessionRegistry, { idleForMs }: Wanted): AsyncGenerator<SessionRecord> {
  if (idleForMs !== undefined) yield* registry.aged({ idleForMs });
}

async function* dueIn(registry: SessionRegistry, { trashedForMs }: Wanted): AsyncGenerator<SessionRecord> {
  for await (const { record } of registry.trash.older(trashedForMs)) yield record;
}

async function lengthOf(records: AsyncIterable<SessionRecord>): Promise<number> {
  let count = 0;
  for await (const _ of records) count += 1;
  return count;
}

async function showWhatGoes(
  registry: SessionRegistry,
  wanted: Wanted,
  { flags }: Invocation,
  io: Io,
): Promise<number> {
  const show = async (records: AsyncIterable<SessionRecord>): Promise<string[]> => {
    const ids: string[] = [];
    for await (const { id, updatedAtMs, title = "(no title)" } of records) {
      ids.push(id);
      if (!flags["json"]) await print(io, `${id}  ${timeText(updatedAtMs)}  ${oneLine(title)}\n`);
    }
    return ids;
  };
  const [aged, due] = [await show(agedIn(registry, wanted)), await show(dueIn(registry, wanted))];
  const [trashed, deleted] = wanted.isTrashOff ? [[], [...aged, ...due]] : [aged, due];
  const originals = await registry.originals.countOlder(wanted.trashedForMs);
  if (flags["json"]) await printJson(io, { dryRun: true, trashed, deleted, originals });
  else
    await print(
      io,
      `${sumText("would go", { trashed: trashed.length, deleted: deleted.length, originals })}\n`,
    );
  return 0;
}

function question({ aged, due, originals }: Counts, { isTrashOff }: Wanted): string {
  const [trashed, deleted] = isTrashOff ? [0, aged + due] : [aged, due];
  return `${sumText("will go", { trashed, deleted, originals })}. Go on?`;
}

interface Sums {
  readonly trashed: number;
  readonly deleted: number;
  readonly originals: number;
}

/** `3 sessions went to the trash, 1 session went for good` */
function sumText(go: string, { trashed, deleted, originals }: Sums): string {
  const parts = [
    ...(trashed > 0 ? [`${countText(trashed, "session")} ${go} to the trash`] : []),
    ...(deleted > 0 ? [`${countText(deleted, "session")} ${go} for good`] : []),
    ...(originals > 0 ? [`what stood in ${countText(originals, "compacted session")} ${go} for good`] : []),
  ];
  return parts.length === 0 ? `No session ${go}` : parts.join(", ");
}
