/**
 * Sessions made and deleted, forks among them. Several servers may be concerned, one after the other, so each
 * change is noted as an intent first: whoever finds one abandoned ends it (`repair`). A session is listed
 * after it is made, and taken off the list after it is deleted.
 */
import { isSidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import { encodeFacts } from "../facts.ts";
import { termsOf } from "../server/terms.ts";
import { sessionExists, sessionNotFound } from "../refusals.ts";
import { checkFork, checkLease } from "../rules.ts";
import type { Lease, Lineage, NewSession, SessionRecord } from "../contract.ts";
import type { Connection } from "./connection.ts";
import type { JournalId, Link } from "./keys.ts";
import { findKept, findUnread, refusal, type Kept } from "./records.ts";
import create from "./scripts/create.lua";
import drop from "./scripts/drop.lua";
import hold from "./scripts/hold.lua";
import intend from "./scripts/intend.lua";
import leave from "./scripts/leave.lua";
import settle from "./scripts/settle.lua";
import { addTerms, dropAllTerms } from "./terms.ts";

/** What is about to be made or deleted. */
interface Change {
  readonly id: SessionId;
  readonly journal: JournalId;
  readonly chain: readonly Link[];
}

/** Errors: as `Store.create`. `writeId` becomes the id of the journal. */
export async function createSession(
  redis: Connection,
  given: NewSession,
  writeId: string,
): Promise<SessionRecord> {
  const { id, lineage, updatedAtMs } = given;
  const facts = encodeFacts(given);
  const chain = lineage === undefined ? [] : await inherit(redis, id, lineage);
  const change = { id, journal: writeId, chain };
  await redis.run(intend, [redis.keys.intents], [JSON.stringify(change)]);
  try {
    await addTerms(redis, id, termsOf(given));
    await holdOn(redis, change);
    await insert(redis, change, facts, given);
  } catch (error) {
    // Refused; after any other failure the session may be there, and whoever repairs will know.
    if (isSidecarError(error, "SESSION_EXISTS", "SESSION_NOT_FOUND")) await end(redis, change);
    throw error;
  }
  await settleAs(redis, change, updatedAtMs);
  const seq = lineage?.atSeq ?? 0;
  const { updatedAtMs: _, ...rest } = JSON.parse(facts) as NewSession;
  return { ...rest, updatedAtMs, headSeq: seq, sealedSeq: seq };
}

/** True if it was there. Errors: `LEASE_LOST`. */
export async function deleteSession(
  redis: Connection,
  id: SessionId,
  lease: Lease | undefined,
): Promise<boolean> {
  for (;;) {
    // Whoever has no lease deletes it as it lies there.
    const kept = lease === undefined ? await findUnread(redis, id) : await findHeld(redis, id, lease);
    if (kept === undefined) return false;
    const { journal, chain } = kept;
    const change = { id, journal, chain };
    await redis.run(intend, [redis.keys.intents], [JSON.stringify(change)]);
    const answer = await dropRecord(redis, id, journal, lease);
    if (answer === "lost") {
      // The session stays, with all that it inherits.
      await repair(redis, JSON.stringify(change));
      throw await refusal(redis, id, answer);
    }
    await end(redis, change);
    if (answer !== "overtaken") return answer === "done";
  }
}

/** Errors: `LEASE_LOST`. */
async function findHeld(redis: Connection, id: SessionId, lease: Lease): Promise<Kept | undefined> {
  const kept = await findKept(redis, id);
  if (kept !== undefined) checkLease(id, kept.record.lease, lease);
  return kept;
}

async function dropRecord(
  redis: Connection,
  id: SessionId,
  journal: JournalId,
  lease: Lease | undefined,
): Promise<string> {
  const { record, entries, forks, heirs, kept } = redis.keys;
  const keys = [record(id), entries(id), forks(id), heirs(id, journal), kept(id, journal)];
  return redis.retrying(async ({ uncertain }) => {
    const [answer = ""] = (await redis.once(drop, keys, [journal, lease?.fence ?? ""])) as string[];
    return answer === "gone" && uncertain ? "done" : answer;
  });
}

/** Ends a change that its maker may have left anywhere. */
export async function repair(redis: Connection, intent: string): Promise<void> {
  const change = JSON.parse(intent) as Change;
  const kept = await findKept(redis, change.id);
  if (kept?.journal === change.journal) await settleAs(redis, change, kept.record.updatedAtMs);
  else await end(redis, change);
}

/** After a session is gone or was not made: nobody needs what only it inherited, unless its own heirs do. */
async function end(redis: Connection, change: Change): Promise<void> {
  const { keys } = redis;
  const { id, journal } = change;
  const isThere = async (key: string) => Number(await redis.command("exists", [key])) === 1;
  if (!(await isThere(keys.heirs(id, journal)))) await leaveAll(redis, change);
  // Somebody else may have made the id anew meanwhile, and listed it.
  if (await isThere(keys.record(id))) {
    await redis.command("zrem", [keys.intents, JSON.stringify(change)]);
    return;
  }
  await dropAllTerms(redis, id);
  await settleAs(redis, change, undefined);
}

/** The journals that a fork of `parentId` at `atSeq` inherits from. Errors: as `Store.create`. */
async function inherit(redis: Connection, id: SessionId, lineage: Lineage): Promise<readonly Link[]> {
  if (Number(await redis.command("exists", [redis.keys.record(id)])) === 1) throw sessionExists(id);
  const parent = await findKept(redis, lineage.parentId);
  if (parent === undefined) throw sessionNotFound(lineage.parentId);
  checkFork(lineage, parent.record.sealedSeq);
  return chainAt(parent, lineage.atSeq);
}

function chainAt({ record, journal, baseSeq, chain }: Kept, atSeq: number): readonly Link[] {
  const whole = [{ id: record.id, journal, base: baseSeq, through: atSeq }, ...chain];
  const [nearest, ...rest] = whole.filter(({ base }) => atSeq > base);
  return nearest === undefined ? [] : [{ ...nearest, through: atSeq }, ...rest];
}
/** Keeps the nearest journal of the chain, which keeps those behind it, from being dropped. */
async function holdOn(redis: Connection, { journal, chain }: Change): Promise<void> {
  const [owner] = chain;
  if (owner === undefined) return;
  const { record, entries, forks, heirs } = redis.keys;
  const { id, through } = owner;
  const keys = [record(id), entries(id), forks(id), heirs(id, owner.journal)];
  const [answer] = (await redis.run(hold, keys, [owner.journal, journal, through])) as string[];
  if (answer !== "done") throw sessionNotFound(id);
}

/** Leaves the journals of a chain, the nearest first, as far as nobody else inherits from them. */
async function leaveAll(redis: Connection, { journal, chain }: Change): Promise<void> {
  const unused: (readonly string[])[] = [];
  let heir = journal;
  for (const { id, journal: owner } of chain) {
    const own = [redis.keys.heirs(id, owner), redis.keys.kept(id, owner)];
    const keys = [redis.keys.record(id), redis.keys.forks(id), ...own];
    const [answer] = (await redis.run(leave, keys, [owner, heir])) as string[];
    if (answer !== "unused") break;
    unused.push(own);
    heir = owner;
  }
  // From the far end, so that whoever ends this after us still finds where to go on.
  for (const keys of unused.reverse()) await redis.command("del", keys);
}

async function insert(redis: Connection, change: Change, facts: string, given: NewSession): Promise<void> {
  const { id, journal, chain } = change;
  const seq = given.lineage?.atSeq ?? 0;
  const state = ["0", seq, seq, given.updatedAtMs, "0", "-", journal].join(" ");
  const fields = { facts, state, base: seq, chain: JSON.stringify(chain), revision: 0 };
  const args = [journal, redis.retention, ...Object.entries(fields).flat()];
  const [answer] = (await redis.run(create, redis.writeKeys(id), args)) as string[];
  if (answer !== "done") throw sessionExists(id);
}

async function settleAs(redis: Connection, change: Change, updatedAtMs: number | undefined): Promise<void> {
  const { activity, intents } = redis.keys;
  await redis.run(settle, [activity, intents], [JSON.stringify(change), change.id, updatedAtMs ?? ""]);
}
