/** What stands in the way of a prompt or of the archive: somebody else has the session, a turn of it runs, nobody answers. */
import { visibleLine } from "../base/visible.ts";
import type { Session, TokenRights } from "./shapes.ts";
import { momentText } from "./when.ts";

export interface InUse {
  readonly text: string;
  /** A prompt would be refused: as long as a turn runs there, unless the server was told otherwise; without an agent always. */
  readonly isRefused: boolean;
  /** It may be ended where it is open, so that it can be prompted here. */
  readonly canEnd: boolean;
}

/** What a server does with prompts. */
export type Prompting = Pick<TokenRights, "onBusy" | "hasAgent">;

const noAgent =
  "Nobody answers prompts here: start acp-sidecar http with an agent's command, as in acp-sidecar http -- opencode acp.";

/** Undefined where nothing is to be said. */
export function inUse(session: Session, { onBusy, hasAgent }: Prompting): InUse | undefined {
  const held = heldElsewhere(session, onBusy);
  if (hasAgent) return held && { ...held, text: `${held.now} ${held.then}`, canEnd: held.isRefused };
  return {
    text: held === undefined ? noAgent : `${held.now} ${noAgent}`,
    isRefused: true,
    canEnd: held?.isRefused === true,
  };
}

/** Why it cannot be put into the archive for now. */
export function notArchivable({ archived, state }: Session): string | undefined {
  if (archived || state !== "running") return undefined;
  return "A turn of it runs: it can be archived when that has ended.";
}

function heldElsewhere({ lease, state }: Session, onBusy: TokenRights["onBusy"]) {
  if (lease === undefined || lease.isHere) return undefined;
  const { holder, sinceMs } = lease;
  const [where, since] = [`process ${holder.pid} on ${visibleLine(holder.host)}`, momentText(sinceMs)];
  const isRunning = state === "running";
  const isRefused = onBusy === "error" || (onBusy === "idle" && isRunning);
  const now = isRunning
    ? `A turn runs in ${where}, which has had it open since ${since}.`
    : `Open in ${where} since ${since}.`;
  const then = isRefused
    ? `Send works again when ${isRunning && onBusy === "idle" ? "it has ended" : "it is closed there"}.`
    : "What you send takes it over.";
  return { now, then, isRefused };
}
