/** What a journal tells of the project at a place of it: the newest snapshot, and the files that were told of since. */
import type { SessionId } from "../base/ids.ts";
import { collect, pagesBackwards } from "../session/pages.ts";
import type { SessionFinder } from "../session/finder.ts";
import { isSuperseded, type Stretch } from "../session/stretches.ts";
import type { Entry, SessionRecord } from "../store/contract.ts";
import { after, afterStep, mostSteps, nothingKnown, stepIn, type Snapshot, type Step } from "./snapshot.ts";
import { ToldFiles, type ToldFile } from "./told-files.ts";

export type Journals = Pick<SessionFinder, "read" | "superseded">;

type ToldSession = Pick<SessionRecord, "id" | "cwd">;

export interface KnownAt {
  readonly snapshot: Snapshot;
  /** Files that were told of after that, and when. */
  readonly told: ReadonlyMap<string, ToldFile>;
  readonly throughSeq: number;
  /** The agent has done something since, whatever it was. */
  readonly hasCalls: boolean;
}

/** Of a session without a snapshot so many entries are looked through, the newest: what is older is not known. */
const mostEntries = 20_000;

export async function knownAt(
  journals: Journals,
  session: ToldSession,
  throughSeq: number,
  most = mostEntries,
): Promise<KnownAt> {
  const { id } = session;
  // Who asks for a place that does not count any more means what stood there then.
  const superseded = await journals.superseded(id, throughSeq);
  return since(
    journals,
    session,
    { snapshot: await newest(journals, id, { throughSeq, most }, superseded), throughSeq },
    superseded,
    most,
  );
}

/** The same, where what was known at an earlier place is at hand; nobody has gone back behind that. */
export async function knownSince(
  journals: Journals,
  session: ToldSession,
  snapshot: Snapshot,
  throughSeq: number,
): Promise<KnownAt> {
  return since(
    journals,
    session,
    { snapshot, throughSeq },
    await journals.superseded(session.id, throughSeq),
  );
}

async function since(
  journals: Journals,
  { id, cwd }: ToldSession,
  { snapshot: start, throughSeq }: Pick<KnownAt, "snapshot" | "throughSeq">,
  superseded: readonly Stretch[],
  most = mostEntries,
): Promise<KnownAt> {
  let snapshot = start;
  let hasCalls = false;
  const told = new ToldFiles(cwd);
  const from = Math.max(start.throughSeq + 1, throughSeq - most);
  if (from <= throughSeq)
    for await (const page of journals.read(id, { from, through: throughSeq }))
      for (const entry of page) {
        if (isSuperseded(superseded, entry.seq)) continue;
        if (entry.kind !== "context") told.take(entry);
        // Those before are in it.
        else if (entry.seq > start.version) snapshot = after(snapshot, entry);
        hasCalls ||=
          entry.kind === "request" || (entry.kind === "update" && entry.data.includes('"tool_call'));
      }
  for (const [file, { seq }] of told.files) if (seq <= snapshot.throughSeq) told.files.delete(file);
  return { snapshot, told: told.files, throughSeq, hasCalls };
}

async function newest(
  journals: Journals,
  id: SessionId,
  { throughSeq, most }: { readonly throughSeq: number; readonly most: number },
  superseded: readonly Stretch[],
): Promise<Snapshot> {
  let seen = 0;
  for await (const page of pagesBackwards(journals, id, throughSeq, superseded)) {
    const entry = page.findLast(({ kind }) => kind === "context");
    if (entry !== undefined) return storedAt(journals, id, entry);
    seen += page.length;
    if (seen >= most) break;
  }
  return nothingKnown;
}

/** Of all steps together so many characters are read: ours have a hundredth of it. */
const mostChars = 32 << 20;

/**
 * From the whole one on, step by step. Where one is lost, or not understood, or there are more than ours can be, what its
 * successors say is known, what all entries tell is looked at anew, and the next one is whole.
 */
async function storedAt(journals: Journals, id: SessionId, entry: Entry): Promise<Snapshot> {
  const steps: Step[] = [];
  let chars = 0;
  for (let next: Entry | undefined = entry; next?.kind === "context" && steps.length < mostSteps;) {
    chars += next.data.length;
    const step: Step | undefined = chars > mostChars ? undefined : stepIn(next);
    if (step === undefined) break;
    steps.push(step);
    const { base, seq }: Step = step;
    if (base === 0) return steps.reverse().reduce(afterStep, nothingKnown);
    [next] = base < seq ? await collect(journals.read(id, { from: base, through: base })) : [];
  }
  return { ...steps.reverse().reduce(afterStep, nothingKnown), steps: mostSteps, throughSeq: 0 };
}
