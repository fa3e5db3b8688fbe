import { isOwn } from "../../acp/own-mark.ts";
import { SidecarError } from "../../base/errors.ts";
import { pagesBackwards } from "../../session/pages.ts";
import { beginsTurn } from "../../acp/entries.ts";
import type { SessionRecord } from "../../store/contract.ts";
import type { RelayContext } from "../context.ts";
import type { LiveSession } from "../live/session.ts";
import { goBack } from "../methods/rewind.ts";

/** Before the turn of the command itself, which then comes after it. */
export async function rewind(ctx: RelayContext, live: LiveSession, words: string): Promise<string> {
  const isUndo = words.toLowerCase() === "undo";
  const asked = isUndo ? 0 : turnsFrom(words);
  const { turns, turnsBack } = await goBack(ctx, live, async (record) =>
    isUndo ? "undo" : beforeTurns(ctx, record, asked),
  );
  const back = turnsBack === 0 ? "" : `${countText(turnsBack)} again, `;
  const gone = isUndo
    ? `Counts as before: ${back}${countText(turns)} not any more.`
    : `Went back by ${countText(asked)}.`;
  const how = isUndo ? "" : " `/sidecar rewind undo` brings it back.";
  return `${gone} Nothing is deleted. Your editor may still show what does not count: load the session again.${how}`;
}

function countText(turns: number): string {
  return `${turns} turn${turns === 1 ? "" : "s"}`;
}

function turnsFrom(words: string): number {
  const turns = words === "" ? 1 : Number(words);
  if (Number.isSafeInteger(turns) && turns > 0) return turns;
  throw new SidecarError(
    "INVALID_PARAMS",
    "Say by how many turns to go back, or `undo`: `/sidecar rewind 2`",
  );
}

/** Where the conversation stood before its last turns; what we have answered ourselves is none. */
async function beforeTurns(
  { registry }: RelayContext,
  record: SessionRecord,
  turns: number,
): Promise<number> {
  let found = 0;
  const superseded = await registry.superseded(record.id);
  for await (const page of pagesBackwards(registry, record.id, record.headSeq, superseded))
    for (const entry of page.toReversed()) {
      if (!beginsTurn(entry) || isOwn(entry)) continue;
      found += 1;
      if (found === turns) return entry.seq - 1;
    }
  throw new SidecarError("INVALID_PARAMS", `This session has ${countText(found)} to go back by`);
}
