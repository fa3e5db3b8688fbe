/** Tool calls of a turn that will never end, for clients that have seen them begin: as a replay will show them. */
import { childIn } from "../acp/child-mark.ts";
import { meaningOf } from "../acp/entries.ts";
import { beginsCall, means, updateKindOf } from "../acp/kinds.ts";
import type { Entry } from "../store/contract.ts";
import { Terminals } from "./terminals.ts";
import { reasonOfEnd, ToolCalls } from "./tool-calls.ts";

/** @param pages the entries of the turn, to its end; what subagents do is not told: it may go on behind that */
export async function unendedIn(pages: AsyncIterable<readonly Entry[]>): Promise<string[]> {
  // Whoever has made a terminal shows it.
  const calls = new ToolCalls(new Terminals());
  const failed: string[] = [];
  for await (const page of pages)
    for (const entry of page) {
      if (entry.kind === "end") failed.push(...failedBy(calls, entry));
      else if (entry.kind === "update") note(calls, entry.data);
    }
  return failed;
}

function note(calls: ToolCalls, data: string): void {
  if (childIn(data) !== undefined) return;
  const kind = updateKindOf(data);
  if (means(kind, "toolCall")) calls.show(data, beginsCall(kind));
}

function failedBy(calls: ToolCalls, entry: Entry): string[] {
  const meaning = meaningOf(entry);
  return calls.failAll(reasonOfEnd(meaning.type === "end" ? meaning.end : { interrupted: false }));
}
