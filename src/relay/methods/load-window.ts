/** The replay of a session that is loaded: all of it, or what the client has asked for in `_meta["acp-sidecar"].replay`. */
import { isSidecarError, SidecarError } from "../../base/errors.ts";
import { tidyUp } from "../../base/heap.ts";
import { updateKindOf } from "../../acp/kinds.ts";
import type { ReplayWindow } from "../../acp/place-schema.ts";
import { replay } from "../../session/replay.ts";
import type { Journal } from "../../session/journal.ts";
import type { ReplayedState } from "../../session/replay-options.ts";
import { patched } from "../../session/session-info.ts";
import { addStateBefore, startOfTurns, withCalls, type Seen } from "../../session/replay-window.ts";
import { countingIn } from "../../session/stretches.ts";
import type { RelayContext } from "../context.ts";
import type { Attachment } from "../live/attachments.ts";
import type { LiveSession } from "../live/session.ts";

export interface Replaying {
  readonly attachment: Attachment;
  /** What the client asked for; undefined for all. */
  readonly asked: ReplayWindow | undefined;
  readonly state: ReplayedState;
  readonly isAtRest: boolean;
}

/** The session that is shown, held or only read. */
export interface Shown extends Pick<LiveSession, "id" | "record"> {
  readonly journal: Pick<Journal, "sealedSeq" | "headSeq" | "renew">;
}

/** What the answer says of a replay that left something out, and how to ask for that. */
export interface LeftOut {
  /** The first entry that was shown. */
  readonly fromSeq: number;
  /** To be named as `afterSeq` the next time. */
  readonly throughSeq: number;
  /** Entries before that count; `_acp-sidecar/messages` shows them, from `beforeSeq` on backwards. */
  readonly leftOut: number;
  readonly beforeSeq?: number;
  /** The session was rewound since: what the client has from here on does not count. */
  readonly supersededFrom?: number;
}

/** Page by page, at the client's pace. Errors: `INVALID_PARAMS` for a place beyond the end. */
export async function sendReplay(
  ctx: RelayContext,
  live: Shown,
  replaying: Replaying,
): Promise<LeftOut | undefined> {
  const { attachment, asked, state, isAtRest } = replaying;
  const { sealedSeq, headSeq } = live.journal;
  const { id, lineage } = live.record;
  const seen = { id, superseded: await ctx.registry.superseded(id) };
  const fromSeq = await startOf(ctx, live, seen, asked);
  const inherited = lineage && { id, throughSeq: lineage.atSeq };
  const { capabilities } = attachment.client.facts ?? {};
  const options = { capabilities, isAtRest, inherited, superseded: seen.superseded };
  let hasPlan = false;
  try {
    const all = replay(ctx.registry, id, { sealedSeq, headSeq, fromSeq }, state, options);
    for await (const page of fromSeq > 1 ? withCalls(all, ctx.registry, seen, fromSeq) : all) {
      tidyUp(page.reduce((sum, text) => sum + text.length, 0));
      hasPlan ||= fromSeq > 1 && page.some((text) => updateKindOf(text) === "plan");
      await attachment.sendStored(page);
    }
    const isMidTurn = (asked === "none" || (asked !== undefined && "afterSeq" in asked)) && !hasPlan;
    if (fromSeq > 1) await addStateBefore(ctx.registry, seen, fromSeq, { state, isMidTurn });
  } catch (error) {
    if (isSidecarError(error, "STORE_CONFLICT")) await sayWhoSealed(ctx, live);
    throw error;
  }
  if (fromSeq > 1 || seen.superseded.length > 0) nameAsRecorded(live, state);
  return asked === undefined ? undefined : leftOut(seen, { asked, fromSeq, sealedSeq });
}

async function startOf(
  ctx: RelayContext,
  { id, journal: { headSeq, sealedSeq } }: Shown,
  seen: Seen,
  asked: ReplayWindow | undefined,
): Promise<number> {
  if (asked === undefined) return 1;
  if (asked === "none") return headSeq + 1;
  if ("last" in asked) return startOfTurns(ctx.registry, seen, headSeq, { turns: asked.last });
  const { afterSeq } = asked;
  if (afterSeq > headSeq)
    throw new SidecarError(
      "INVALID_PARAMS",
      `session/load: afterSeq is ${afterSeq}, but session ${id} ends at entry ${headSeq}; load all of it`,
      { data: { sessionId: id, headSeq } },
    );
  return Math.min(afterSeq + 1, sealedSeq + 1, supersededFrom(seen, afterSeq) ?? Infinity);
}

/** The first of the entries up to `seq` that a later rewind has superseded. */
function supersededFrom({ superseded }: Seen, seq: number): number | undefined {
  return superseded.find(({ from, through }) => from <= seq && through > seq)?.from;
}

interface Window {
  readonly asked: ReplayWindow;
  readonly fromSeq: number;
  readonly sealedSeq: number;
}

function leftOut(seen: Seen, { asked, fromSeq, sealedSeq }: Window): LeftOut {
  let entries = 0;
  for (const { from, through } of countingIn(seen.superseded, { through: fromSeq - 1 }))
    entries += through - from + 1;
  const gone = asked !== "none" && "afterSeq" in asked ? supersededFrom(seen, asked.afterSeq) : undefined;
  return {
    fromSeq,
    throughSeq: sealedSeq,
    leftOut: entries,
    ...(entries > 0 && { beforeSeq: fromSeq }),
    ...(gone !== undefined && { supersededFrom: gone }),
  };
}

/** The title is the session's, whatever part of the conversation told it. */
function nameAsRecorded({ record: { title } }: Shown, state: ReplayedState): void {
  if (title === undefined) return;
  const kind = "session_info_update";
  const named = JSON.stringify({ update: { sessionUpdate: kind, title } });
  const before = state.get(kind);
  state.set(kind, before === undefined ? named : patched(before, named));
}

/** Somebody else has sealed what was being read, so the lease is lost. The client is told that. */
async function sayWhoSealed(ctx: RelayContext, live: Shown): Promise<void> {
  try {
    await live.journal.renew();
  } catch (error) {
    const held = ctx.sessions.byId(live.id);
    if (held !== undefined) ctx.holding.noteFailure(held, error);
    throw error;
  }
}
