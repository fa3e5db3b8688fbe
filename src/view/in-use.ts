/** A session that somebody else has: who, since when, and what that means for a prompt here. */
import { visibleLine } from "../base/visible.ts";
import type { Session, TokenRights } from "./shapes.ts";
import { momentText } from "./when.ts";

export interface InUse {
  readonly text: string;
  /** A prompt would be refused: as long as a turn runs there, unless the server was told otherwise. */
  readonly isRefused: boolean;
}

/** Undefined where nobody has it, or the server itself. */
export function inUse({ lease, state }: Session, onBusy: TokenRights["onBusy"]): InUse | undefined {
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
  return { text: `${now} ${then}`, isRefused };
}
