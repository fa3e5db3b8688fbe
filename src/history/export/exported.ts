/** What the writer of a form is given, and what it is. */
import type { Stretch } from "../../session/rewinds.ts";
import type { Entry, SessionRecord } from "../../store/contract.ts";

export interface Exported {
  readonly record: SessionRecord;
  readonly pages: AsyncIterable<readonly Entry[]>;
  readonly thoughts: boolean;
  /** What of these entries does not count. */
  readonly superseded: readonly Stretch[];
}

/** Yields the text in pieces. */
export type Writer = (exported: Exported) => AsyncGenerator<string>;
