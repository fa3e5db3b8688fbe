/**
 * The promise of docs/durability.md as one function: a history of what clients asked and were sent, and what
 * was found after it, against rules 1 to 5. Every harness uses it.
 */
import { ChainCheck } from "../../../src/session/chain-check.ts";
import { compare } from "./compare.ts";
import type { ExpectedSession } from "./expected.ts";
import type { Found, FoundSession, HistoryEvent, StoredSession, Violation } from "./history.ts";
import { Ledger } from "./ledger.ts";
import { observeEntries, observeReplay } from "./observe.ts";
import { stampName, stampsIn } from "./stamps.ts";

/** Everything in `found` that breaks the promise given in `history`. */
export function check(history: readonly HistoryEvent[], found: Found): Violation[] {
  const ledger = new Ledger();
  for (const event of history) ledger.note(event);
  return checkLedger(ledger, found);
}

/** As `check`, for a history that has been read already. */
export function checkLedger(ledger: Ledger, { sessions, listed }: Found): Violation[] {
  const faults = [...ledger.violations];
  for (const [id, session] of sessions) {
    const expected = ledger.sessions.get(id);
    if (expected !== undefined) faults.push(...sessionFaults(ledger, expected, session));
  }
  for (const { id, deleted, mayBeGone } of ledger.sessions.values()) {
    if (listed === undefined) continue;
    if (deleted && listed.has(id)) faults.push(fault(4, id, "a deleted session is listed"));
    if (!mayBeGone && !listed.has(id)) faults.push(fault(1, id, "the session is not listed"));
  }
  return faults;
}

function sessionFaults(ledger: Ledger, expected: ExpectedSession, found: FoundSession): Violation[] {
  const { id, deleted, mayBeGone } = expected;
  const { stored, replay, failure } = found;
  if (deleted) {
    return stored === undefined && replay === undefined
      ? []
      : [fault(4, id, "a deleted session is there again")];
  }
  if (failure !== undefined) return failureFaults(ledger, expected, failure);
  if (stored === undefined && replay === undefined) {
    return mayBeGone ? [] : [fault(1, id, "the session is gone")];
  }
  const faults = [
    ...(stored ? journalFaults(id, stored) : []),
    ...(stored ? batchFaults(ledger, id, stored) : []),
    ...(stored ? compare(expected, observeEntries(stored.entries)) : []),
    ...(replay ? compare(expected, observeReplay(replay)) : []),
  ];
  // In a medium that was harmed, what is missing without a word was skipped in silence.
  return ledger.isDamaged
    ? faults.map((each) => ({ ...each, rule: 5, what: `unreported: ${each.what}` }))
    : faults;
}

/** A session that cannot be read: by name, and only when the medium was harmed. */
function failureFaults(
  { isDamaged }: Ledger,
  { id, mayBeGone }: ExpectedSession,
  { code, message }: { readonly code: string; readonly message: string },
): Violation[] {
  if (code === "SESSION_NOT_FOUND") {
    return mayBeGone ? [] : [fault(isDamaged ? 5 : 1, id, "the session is said not to be there")];
  }
  if (!isDamaged) return [fault(1, id, `the session cannot be read: ${code} ${message}`)];
  return code === "STORE_CORRUPT" ? [] : [fault(5, id, `damage is reported as ${code} ${message}`)];
}

function journalFaults(id: string, { headSeq, sealedSeq, entries }: StoredSession): Violation[] {
  const gap = entries.findIndex(({ seq }, at) => seq !== at + 1);
  const faults: Violation[] = [];
  if (gap >= 0) faults.push(fault(2, id, `entry ${gap + 1} has seq ${entries[gap]?.seq}`));
  if (entries.length !== headSeq)
    faults.push(fault(2, id, `there are ${entries.length} entries, but the head is ${headSeq}`));
  if (sealedSeq > headSeq) faults.push(fault(3, id, `sealed up to ${sealedSeq}, beyond the head ${headSeq}`));
  return faults.length > 0 ? faults : chainFaults(id, entries);
}

/** Whatever struck, nothing says that somebody has changed what was written. */
function chainFaults(id: string, entries: StoredSession["entries"]): Violation[] {
  const check = new ChainCheck();
  for (const entry of entries) {
    const from = check.take(entry);
    if (from !== undefined) for (const each of entries.slice(from - 1, entry.seq)) check.take(each);
  }
  const { damage, events } = check.report;
  const begun = events.find(({ what }) => what === "begins");
  if (damage !== undefined) return [fault(2, id, `by its chain, entry ${damage.from} ${damage.problem}`)];
  return begun === undefined ? [] : [fault(2, id, `its chain begins anew at entry ${begun.from}`)];
}

function batchFaults({ batches }: Ledger, id: string, { entries }: StoredSession): Violation[] {
  const there = new Set(entries.flatMap(({ data }) => stampsIn(data)).map(stampName));
  return batches
    .filter(({ sessionId }) => sessionId === id)
    .flatMap(({ stamps }) => {
      const missing = stamps.filter((name) => !there.has(name));
      if (missing.length === 0 || missing.length === stamps.length) return [];
      const what = `of a batch of ${stamps.length}, ${missing.length} are missing, ${missing[0]} first`;
      return [{ ...fault(3, id, what), about: stamps }];
    });
}

function fault(rule: Violation["rule"], sessionId: string, what: string): Violation {
  return { rule, sessionId, what, about: [] };
}
