/**
 * Sessions made and deleted, forks among them. Several servers may be concerned, one after the other, so each
 * change is noted as an intent first: whoever finds one abandoned ends it (`repair`). A session is listed
 * after it is made, and taken off the list after it is deleted.
 */
import { isSidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import { encodeFacts } from "../facts.ts";
import { termsOf } from "../server/terms.ts";
import { forkBeyondSealed, sessionExists, sessionNotFound } from "../refusals.ts";
import type { Lineage, NewSession, SessionRecord } from "../contract.ts";
import { intend, settle } from "./activity-scripts.ts";
import { drop, hold, leave } from "./lineage-scripts.ts";
import type { Medium } from "./medium.ts";
import { findKept, refusal, type Kept } from "./records.ts";
import type { JournalId, Link } from "./schema.ts";
import { create } from "./scripts.ts";
import { addTerms, dropAllTerms } from "./terms.ts";

/** What is about to be made or deleted. */
interface Change {
  readonly id: SessionId;
  readonly journal: JournalId;
  readonly chain: readonly Link[];
}

/** Errors: as `Store.create`. `writeId` becomes the id of the journal. */
export async function createSession(
  medium: Medium,
  given: NewSession,
  writeId: string,
): Promise<SessionRecord> {
  const { id, lineage, updatedAtMs } = given;
  const facts = encodeFacts(given);
  const chain = lineage === undefined ? [] : await inherit(medium, id, lineage);
  const change = { id, journal: writeId, chain };
  await note(medium, change);
  try {
    await addTerms(medium, id, termsOf(given));
    await holdOn(medium, change);
    await insert(medium, change, facts, given);
  } catch (error) {
    // Refused; after any other failure the session may be there, and whoever repairs will know.
    if (isSidecarError(error, "SESSION_EXISTS", "SESSION_NOT_FOUND")) await end(medium, change);
    throw error;
  }
  await settleAs(medium, change, updatedAtMs);
  const seq = lineage?.atSeq ?? 0;
  const { updatedAtMs: _, ...rest } = JSON.parse(facts) as NewSession;
  return { ...rest, updatedAtMs, headSeq: seq, sealedSeq: seq };
}

/** True if it was there. */
export async function deleteSession(medium: Medium, id: SessionId): Promise<boolean> {
  for (;;) {
    const kept = await findKept(medium, id);
    if (kept === undefined) return false;
    const { journal, chain } = kept;
    await note(medium, { id, journal, chain });
    const answer = await dropRecord(medium, id, journal);
    await end(medium, { id, journal, chain });
    if (answer !== "overtaken") return answer === "done";
  }
}

async function dropRecord({ server, keys }: Medium, id: SessionId, journal: JournalId): Promise<string> {
  const all = [
    keys.record(id),
    keys.entries(id),
    keys.forks(id),
    keys.heirs(id, journal),
    keys.kept(id, journal),
  ];
  return server.retrying(async ({ uncertain }) => {
    const [answer = ""] = (await server.once(drop, all, [journal])) as string[];
    return answer === "gone" && uncertain ? "done" : answer;
  });
}

/** Ends a change that its maker may have left anywhere. */
export async function repair(medium: Medium, intent: string): Promise<void> {
  const change = JSON.parse(intent) as Change;
  const kept = await findKept(medium, change.id);
  if (kept?.journal === change.journal) await settleAs(medium, change, kept.record.updatedAtMs);
  else await end(medium, change);
}

/** After a session is gone or was not made: nobody needs what only it inherited, unless its own heirs do. */
async function end(medium: Medium, change: Change): Promise<void> {
  const { server, keys } = medium;
  const { id, journal } = change;
  if (Number(await server.command("exists", keys.heirs(id, journal))) === 0) await leaveAll(medium, change);
  const exists = Number(await server.command("exists", keys.record(id))) === 1;
  // Somebody else may have made the id anew meanwhile, and listed it.
  if (exists) return forget(medium, change);
  await dropAllTerms(medium, id);
  await settleAs(medium, change, undefined);
}

/** The journals that a fork of `parentId` at `atSeq` inherits from. Errors: as `Store.create`. */
async function inherit(
  medium: Medium,
  id: SessionId,
  { parentId, atSeq }: Lineage,
): Promise<readonly Link[]> {
  const { server, keys } = medium;
  if (Number(await server.command("exists", keys.record(id))) === 1) throw sessionExists(id);
  const parent = await findKept(medium, parentId);
  if (parent === undefined) throw sessionNotFound(parentId);
  const { sealedSeq } = parent.record;
  if (atSeq > sealedSeq) throw forkBeyondSealed(parentId, atSeq, sealedSeq);
  return chainAt(parent, atSeq);
}

function chainAt({ record, journal, baseSeq, chain }: Kept, atSeq: number): readonly Link[] {
  const whole = [{ id: record.id, journal, base: baseSeq, through: atSeq }, ...chain];
  const first = whole.findIndex((link) => atSeq > link.base);
  return first < 0
    ? []
    : whole.slice(first).map((link, at) => (at === 0 ? { ...link, through: atSeq } : link));
}

/** Keeps the nearest journal of the chain, which keeps those behind it, from being dropped. */
async function holdOn(medium: Medium, { journal, chain }: Change): Promise<void> {
  const [owner] = chain;
  if (owner === undefined) return;
  const { server, keys } = medium;
  const { id, through } = owner;
  const all = [keys.record(id), keys.entries(id), keys.forks(id), keys.heirs(id, owner.journal)];
  const [answer] = (await server.run(hold, all, [owner.journal, journal, through, 0])) as string[];
  if (answer !== "done") throw sessionNotFound(id);
}

async function leaveAll(medium: Medium, { journal, chain }: Change): Promise<void> {
  const [owner, ...rest] = chain;
  if (owner === undefined) return;
  const { server, keys } = medium;
  const { id } = owner;
  const [heirs, kept] = [keys.heirs(id, owner.journal), keys.kept(id, owner.journal)];
  const all = [keys.record(id), keys.forks(id), heirs, kept];
  const [answer] = (await server.run(leave, all, [owner.journal, journal])) as string[];
  if (answer !== "unused") return;
  // From the far end, so that whoever ends this after us still finds where to go on.
  await leaveAll(medium, { ...owner, chain: rest });
  await server.command("del", kept, heirs);
}

async function insert(medium: Medium, change: Change, facts: string, given: NewSession): Promise<void> {
  const { id, journal, chain } = change;
  const seq = given.lineage?.atSeq ?? 0;
  const state = ["0", seq, seq, given.updatedAtMs, "0", "-", journal].join(" ");
  const fields = { facts, state, base: seq, chain: JSON.stringify(chain), revision: 0 };
  const [answer] = (await medium.server.run(create, medium.writeKeys(id), [
    journal,
    medium.retention,
    ...Object.entries(fields).flat(),
  ])) as string[];
  if (answer === "exists") throw sessionExists(id);
  if (answer !== "done") throw await refusal(medium, id, answer ?? "");
}

async function note({ server, keys }: Medium, change: Change): Promise<void> {
  await server.run(intend, [keys.intents], [JSON.stringify(change)]);
}

async function settleAs(
  { server, keys }: Medium,
  change: Change,
  updatedAtMs: number | undefined,
): Promise<void> {
  const args = [JSON.stringify(change), change.id, updatedAtMs ?? ""];
  await server.run(settle, [keys.activity, keys.intents], args);
}

async function forget({ server, keys }: Medium, change: Change): Promise<void> {
  await server.command("zrem", keys.intents, JSON.stringify(change));
}
