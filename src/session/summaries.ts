/**
 * Summaries that stand for the conversation up to an entry. Nothing goes away: who reads the session sees all of it, and an
 * agent that does not remember it is given the newest summary and what came after.
 */
import { SidecarError } from "../base/errors.ts";
import type { SessionId } from "../base/ids.ts";
import { sessionBusy } from "../store/refusals.ts";
import type { NewEntry } from "../store/contract.ts";
import { isContentBlock, type ContentBlock } from "../acp/content.ts";
import { isHeld } from "./holder.ts";
import type { SessionFinder } from "./finder.ts";
import { historyText } from "./history-text.ts";
import type { OpenedJournal } from "./journal.ts";

export interface NewSummary {
  /** The last entry that it stands for. */
  readonly throughSeq: number;
  readonly content: string | readonly ContentBlock[];
  /** Who wrote it. */
  readonly by: string;
}

interface ToSummarise {
  readonly throughSeq: number;
  /** The conversation, as an agent is told it. */
  readonly history: string;
  /** The oldest turns did not fit. */
  readonly isCut: boolean;
}

/**
 * What there is to be summarised: all that is final. Errors: `SESSION_NOT_FOUND`, `SESSION_BUSY` in a turn,
 * `INVALID_PARAMS` where nothing was said since the last summary.
 */
export async function toSummarise(
  sessions: Pick<SessionFinder, "get" | "read" | "superseded">,
  id: SessionId,
  maxBytes: number,
): Promise<ToSummarise> {
  const { lease, sealedSeq: throughSeq } = await sessions.get(id);
  if (isHeld(lease) && lease.turnRunning) throw sessionBusy(id, lease);
  const { text, isCut, hasTurns } = await historyText(sessions, id, throughSeq, maxBytes);
  if (hasTurns) return { throughSeq, history: text, isCut };
  if (isCut) throw refused(id, `has no message that fits into ${maxBytes} bytes; allow more of them`);
  const since = text === "" ? "yet" : "since its last summary";
  throw refused(id, `has nothing to summarise: nothing was said ${since}`);
}

/** Errors: `INVALID_PARAMS`, `ENTRY_LIMIT`. */
export function summaryEntry(
  { throughSeq, content, by }: NewSummary,
  atMs: number,
  maxBytes: number,
): NewEntry {
  const blocks = typeof content === "string" ? [{ type: "text", text: content }] : content;
  if (!Number.isSafeInteger(throughSeq) || throughSeq < 1)
    throw new SidecarError("INVALID_PARAMS", "throughSeq is no entry; use the last one that is summarised");
  if (!Array.isArray(blocks) || blocks.length === 0 || !blocks.every(isContentBlock))
    throw new SidecarError("INVALID_PARAMS", "content is neither text nor a list of content blocks");
  const data = JSON.stringify({ throughSeq, content: blocks, by });
  const bytes = Buffer.byteLength(data);
  if (bytes <= maxBytes) return { kind: "summary", atMs, data };
  throw new SidecarError("ENTRY_LIMIT", `The summary has ${bytes} bytes, more than ${maxBytes}`);
}

/** Its writer holds the session, and no turn runs. Errors: `INVALID_PARAMS` for what is not there or does not count any more. */
export async function sealSummary(
  { journal, record }: OpenedJournal,
  throughSeq: number,
  entry: NewEntry,
): Promise<void> {
  const { id, settings } = record;
  if (throughSeq > journal.sealedSeq)
    throw refused(id, `has final entries up to ${journal.sealedSeq}: nothing stands for ${throughSeq}`);
  // Somebody has gone back while it was written: it tells of what is not said any more.
  const wentBack = settings.rewinds?.some(({ at, toSeq }) => at > throughSeq && toSeq < throughSeq);
  if (wentBack === true)
    throw refused(id, "was rewound while it was summarised, and the summary not kept; do it again");
  await journal.seal([], [entry]);
  await journal.settle();
}

function refused(sessionId: SessionId, what: string): SidecarError {
  return new SidecarError("INVALID_PARAMS", `Session ${sessionId} ${what}`, { data: { sessionId } });
}
