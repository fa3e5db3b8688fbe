/** Updates as entries of the journal. */
import type { NewEntry } from "../store/contract.ts";
import { withChild } from "./child-mark.ts";
import { plainChunkData, type PlainChunk } from "./entries.ts";
import { dataOf, maxRunChars, type ArrivedUpdate } from "./updates.ts";

/** As few entries as may be: a run of text chunks of one message is one, everything else is kept to the letter. */
export function entriesOf(updates: readonly ArrivedUpdate[], atMs: number): NewEntry[] {
  const entries: NewEntry[] = [];
  let run: { -readonly [Part in keyof PlainChunk]: PlainChunk[Part] } | undefined;
  let whose: string | undefined;
  const add = (data: string) => {
    entries.push({ kind: "update", atMs, data: whose === undefined ? data : withChild(data, whose) });
  };
  const endRun = () => {
    if (run !== undefined) add(plainChunkData(run));
    run = undefined;
  };
  for (const update of updates) {
    if (update.type === "update" || update.child !== whose) endRun();
    whose = update.child;
    if (update.type === "update") {
      add(dataOf(update));
      continue;
    }
    const { shape, bodies } = update;
    const { sessionUpdate, messageId } = shape;
    const goesOn = run?.sessionUpdate === sessionUpdate && run.messageId === messageId;
    if (run === undefined || !goesOn || run.body.length > maxRunChars) {
      endRun();
      run = { sessionUpdate, messageId, body: "" };
    }
    run.body += bodies.join("");
  }
  endRun();
  return entries;
}
