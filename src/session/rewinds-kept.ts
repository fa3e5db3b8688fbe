/**
 * The record's copy of the rewinds in the journal. Whoever writes `settings` by what it read before may write over a
 * rewind that came meanwhile: then what is superseded would count again, and the agent would go on with it. So each
 * writer looks behind itself: who rewinds, who changes settings without holding the session, and who takes a session
 * from a holder that died.
 */
import type {
  Entry,
  Rewind,
  SessionPatch,
  SessionRecord,
  SessionSettings,
  Store,
} from "../store/contract.ts";
import { formerIdsOf } from "./agent-ids.ts";
import type { OpenedJournal } from "./journal.ts";
import { rewindIn } from "./rewinds.ts";

type Reads = Pick<Store, "read">;
type Write = (patch: SessionPatch) => Promise<SessionRecord>;

/** Settings after rewinds. The agent's sessions know what does not count: none is gone on with. */
export function forgetting(
  record: Pick<SessionRecord, "agentSessionIds" | "settings" | "agent">,
  rewinds: readonly Rewind[],
): SessionSettings {
  const { owesHandoverTo: _, ...settings } = record.settings;
  const formerIds = { ...settings.formerIds, ...formerIdsOf(record) };
  return {
    ...settings,
    rewinds,
    ownAgentIds: 0,
    ...(Object.keys(formerIds).length > 0 && { formerIds }),
  };
}

/** Somebody who changes settings need not know of rewinds, and cannot change them. */
export function withRewindsKept({ settings: before }: SessionRecord, patch: SessionPatch): SessionPatch {
  if (patch.settings === undefined) return patch;
  const { rewinds: _, ...settings } = patch.settings;
  return { ...patch, settings: { ...settings, ...(before.rewinds && { rewinds: before.rewinds }) } };
}

/** Puts back what is missing of the rewinds that come after an entry. Returns the record as it is then. */
export async function mended(
  store: Reads,
  record: SessionRecord,
  behindSeq: number,
  write: Write,
): Promise<SessionRecord> {
  if (behindSeq >= record.sealedSeq) return record;
  const known = record.settings.rewinds ?? [];
  const found: Rewind[] = [];
  for await (const page of store.read(record.id, { from: behindSeq + 1, through: record.sealedSeq }))
    for (const entry of page) addRewind(found, entry);
  const missing = found.filter(
    ({ at, toSeq }) => !known.some((each) => each.at === at && each.toSeq === toSeq),
  );
  if (missing.length === 0) return record;
  const others = known.filter(({ at }) => !missing.some((each) => each.at === at));
  const rewinds = [...others, ...missing].sort((a, b) => a.at - b.at);
  return write({ settings: forgetting(record, rewinds) });
}

/** So many entries of a holder that died are looked through. */
const lookedBack = 100;

/** A holder that died may have rewound and not looked behind itself any more. */
export async function mendedAfterCrash(
  store: Reads,
  { journal, record, previous }: OpenedJournal,
): Promise<SessionRecord> {
  if (previous === undefined) return record;
  const { headSeq, sealedSeq } = journal;
  const now = { ...record, headSeq, sealedSeq };
  const behindSeq = Math.max(record.lineage?.atSeq ?? 0, sealedSeq - lookedBack);
  const kept = await mended(store, now, behindSeq, (patch) => journal.update(patch));
  return kept === now ? record : kept;
}

function addRewind(found: Rewind[], entry: Entry): void {
  const toSeq = rewindIn(entry);
  if (toSeq !== undefined) found.push({ at: entry.seq, toSeq });
}
