/** What the writer of a form is given, and what it is. */
import type { Passed } from "../drawn.ts";
import type { Entry, SessionRecord } from "../../store/contract.ts";

export interface Exported extends Passed {
  readonly record: SessionRecord;
  readonly pages: AsyncIterable<readonly Entry[]>;
  readonly thoughts: boolean;
}

/** Yields the text in pieces. */
export type Writer = (exported: Exported) => AsyncGenerator<string>;
