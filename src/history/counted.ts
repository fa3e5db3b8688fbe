/** What of a session is told: its entries without those that a rewind superseded, unless they are asked for. */
import { foldedPages } from "../session/conversation.ts";
import { countingIn, type Stretch } from "../session/rewinds.ts";
import { withTerminals } from "../session/told-terminals.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Entry, EntryRange, SessionRecord } from "../store/contract.ts";

/** Where sessions are read: a registry is one. */
export type Sessions = Pick<SessionRegistry, "read" | "superseded"> &
  Partial<Pick<SessionRegistry, "audit" | "sharing">>;

export interface Telling {
  /** As `SessionRegistry.superseded` gives it. */
  readonly superseded: readonly Stretch[];
  /** Tell them, too. */
  readonly withSuperseded: boolean;
  readonly range?: EntryRange;
}

/** Entries by pages; what a running turn has said so far is folded. Errors: `SESSION_NOT_FOUND`, `STORE_…`. */
export async function* countedPages(
  sessions: Pick<Sessions, "read">,
  record: SessionRecord,
  { superseded, withSuperseded, range = {} }: Telling,
): AsyncGenerator<readonly Entry[]> {
  const { from = 1, through = record.headSeq } = range;
  const wanted = withSuperseded ? [{ from, through }] : countingIn(superseded, { from, through });
  for (const stretch of wanted) yield* foldedPages(sessions, record, stretch);
}

/** The same as people are told them: a call that shows a terminal shows what that said. */
export function toldPages(
  sessions: Pick<Sessions, "read">,
  record: SessionRecord,
  telling: Telling,
): AsyncGenerator<readonly Entry[]> {
  const readFrom = (from: number) => sessions.read(record.id, { from });
  return withTerminals(countedPages(sessions, record, telling), readFrom);
}
