/** What happened to a session, as it is told to others: ids and facts; what was said only to whom that is wanted for. */
import { meaningOf } from "../acp/entries.ts";
import type { SessionId } from "../base/ids.ts";
import { isRecord, textIf } from "../base/json.ts";
import type { HookEvent } from "../config/structures.ts";
import { agentNameOf } from "../session/agent-names.ts";
import type { SessionNews } from "../session/events.ts";
import type { Entry, SessionRecord } from "../store/contract.ts";

export interface Told {
  readonly event: HookEvent;
  readonly sessionId: SessionId;
  readonly facts: Readonly<Record<string, unknown>>;
  /** What was said, as far as the event has it. */
  readonly content: Readonly<Record<string, unknown>>;
  /** The turn's end, whose answer may be wanted. */
  readonly endSeq?: number;
  /** When it was journaled: whoever tells it once more tells it with the same id. */
  readonly atMs?: number;
  /** Of what is in no journal; the same holds for it. */
  readonly note?: SessionNote | undefined;
}

/** What is about to be done, and somebody wants to know. */
export interface SessionNote {
  /** A ULID: what is told of it has the same id, whoever tells it. */
  readonly id: string;
  readonly event: HookEvent;
  readonly sessionId: SessionId;
  /** Who is to be told: `addressOf` them. */
  readonly to: readonly string[];
  /** What is told of it; absent until it is done. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** What of it anybody may want to know; nothing of most. */
export function toldBy(news: SessionNews): readonly Told[] {
  switch (news.type) {
    case "create":
      return [ofRecord("session.created", news.record)];
    case "archive":
      return [ofRecord("session.archived", news.record)];
    case "expire":
      return [{ event: "session.expired", sessionId: news.id, facts: {}, content: {} }];
    case "end":
      return [{ event: "session.ended", sessionId: news.id, facts: {}, content: {} }];
    case "turnEnd":
      return toldOf(news.id, news.entry);
    case "append":
      return news.entries.flatMap((entry) => asked(news.id, entry));
    default:
      return [];
  }
}

/** The same of an entry of the journal. */
export function toldOf(sessionId: SessionId, entry: Entry): Told[] {
  return entry.kind === "end" ? [ofEnd(sessionId, entry)] : asked(sessionId, entry);
}

function ofRecord(event: HookEvent, record: SessionRecord): Told {
  const { id, title, cwd } = record;
  const content = { cwd, ...(title !== undefined && { title }) };
  return { event, sessionId: id, facts: factsOf(record), content };
}

/** What is told of a session that has been made, or put away. */
export function factsOf(record: SessionRecord): Told["facts"] {
  const { lineage } = record;
  const name = agentNameOf(record);
  return {
    ...(name !== "" && { agent: name }),
    ...(lineage !== undefined && { parentId: lineage.parentId }),
  };
}

function ofEnd(sessionId: SessionId, entry: Entry): Told {
  const meaning = meaningOf(entry);
  const { stopReason, usage, error, interrupted } =
    meaning.type === "end" ? meaning.end : { interrupted: false };
  return {
    event: "turn.ended",
    sessionId,
    facts: {
      seq: entry.seq,
      ...(stopReason !== undefined && { stopReason }),
      ...(interrupted && { interrupted }),
      ...(error !== undefined && { errorCode: error.code ?? "unknown" }),
      ...(usage !== undefined && { usage }),
    },
    content: error?.message === undefined ? {} : { error: error.message },
    endSeq: entry.seq,
    atMs: entry.atMs,
  };
}

function asked(sessionId: SessionId, entry: Entry): Told[] {
  if (entry.kind !== "request") return [];
  const meaning = meaningOf(entry);
  if (meaning.type !== "request" || meaning.method !== "session/request_permission") return [];
  const { toolCall, options } = isRecord(meaning.params) ? meaning.params : {};
  const { toolCallId, kind, title } = isRecord(toolCall) ? toolCall : {};
  const offered: readonly unknown[] = Array.isArray(options) ? options : [];
  return [
    {
      event: "permission.asked",
      sessionId,
      facts: {
        seq: entry.seq,
        toolCallId: textIf(toolCallId),
        toolKind: textIf(kind),
        options: offered.length,
      },
      content: {
        toolTitle: textIf(title),
        options: offered.slice(0, 20).map((option) => (isRecord(option) ? textIf(option.name) : undefined)),
      },
      atMs: entry.atMs,
    },
  ];
}
