/** What a process that was killed has done and told nobody, as its notes, journals and records say. */
import type { HookEvent } from "../config/structures.ts";
import { isArchived } from "../session/archived.ts";
import { isGone, whyHidden } from "../session/hidden.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { SessionRecord } from "../store/contract.ts";
import { factsOf, toldOf, type SessionNote, type Told } from "./facts.ts";
import type { LeftNote } from "./turn-notes.ts";

export interface Missed {
  readonly told: readonly Told[];
  /** So many questions are among them. */
  readonly asked: number;
  /** Nothing more will come of it. */
  readonly isOver: boolean;
}

/** By so much at most the number of a prompt becomes smaller when what stands before it is folded. */
const mostFolded = 5000;

/** Errors: `SESSION_NOT_FOUND`, `STORE_…`. */
export async function missedOf(
  registry: Pick<SessionRegistry, "get" | "read">,
  { sessionId, note, through }: LeftNote,
): Promise<Missed> {
  const { headSeq } = await registry.get(sessionId);
  const range = { from: Math.max(1, note.seq - mostFolded), through: through ?? headSeq };
  const told: Told[] = [];
  let isBehind = false;
  let [ended, asked] = [0, 0];
  for await (const page of registry.read(sessionId, range))
    for (const entry of page) {
      isBehind ||= entry.kind === "prompt" && entry.atMs === note.atMs;
      if (!isBehind) continue;
      const [found] = toldOf(sessionId, entry);
      if (found === undefined) continue;
      const number = found.event === "turn.ended" ? (ended += 1) : (asked += 1);
      if (number > (found.event === "turn.ended" ? note.ended : note.asked)) told.push(found);
    }
  return {
    told,
    asked: told.filter(({ event }) => event === "permission.asked").length,
    isOver: !isBehind || ended > note.ended,
  };
}

/** What was noted before it was done: undefined where it was not. @param record as the store has it */
export function doneBy(note: SessionNote, record: SessionRecord | undefined): Told | undefined {
  const { event, sessionId } = note;
  if (note.facts === undefined && !isDone(event, record)) return undefined;
  const isMade = event === "session.created" || event === "session.archived";
  const facts = note.facts ?? (isMade && record !== undefined ? factsOf(record) : {});
  return { event, sessionId, facts, content: {}, note };
}

function isDone(event: HookEvent, record: SessionRecord | undefined): boolean {
  if (event === "session.archived") return record !== undefined && isArchived(record);
  if (event === "session.created") return record !== undefined && whyHidden(record) !== "importing";
  return record === undefined || isGone(record);
}
