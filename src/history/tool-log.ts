/** The log of tools: each call once, with its outcome, its files and who allowed it. Told turn by turn; holds one turn's calls. */
import { changedPathsOf, pathsOf } from "../session/call-parts.ts";
import type { Called, Decided, Happening } from "../session/happenings.ts";

export interface ToolUse {
  readonly seq: number;
  readonly turn: number;
  readonly callId: string;
  /** The subagent's session, or the call, within which it was made. */
  readonly child?: string;
  readonly parentCallId?: string;
  readonly title: string;
  readonly kind: string | undefined;
  /** ACP's word: `completed`, `failed` …; undefined where the agent said none. */
  readonly status: string | undefined;
  readonly startedAtMs: number;
  /** From its first sign to its last; undefined where it gave one only, or both at once. */
  readonly tookMs: number | undefined;
  /** Files that it was about, and those of them that it changed. */
  readonly files: readonly string[];
  readonly changed: readonly string[];
  /** How a permission was decided that was asked for it. */
  readonly permission?: { readonly outcome: Decided["outcome"]; readonly option: string | undefined };
}

/** A turn with more calls than this is told in parts. */
const maxHeld = 10_000;

export async function* toolLogOf(happenings: AsyncIterable<Happening>): AsyncGenerator<ToolUse> {
  let calls = new Map<string, ToolUse>();
  let decided = new Map<string, ToolUse["permission"]>();
  let turn = 0;
  for await (const happening of happenings) {
    if (happening.turn !== turn || calls.size >= maxHeld) {
      yield* withPermissions(calls, decided);
      calls = new Map();
      decided = new Map();
      turn = happening.turn;
    }
    const whose = `${happening.child ?? ""} `;
    if (happening.type === "call") {
      const key = whose + happening.callId;
      calls.set(key, used(happening, calls.get(key)));
    } else if (happening.type === "decided" && happening.callId !== undefined) {
      const { outcome, option } = happening;
      decided.set(whose + happening.callId, { outcome, option: option?.name });
    }
  }
  yield* withPermissions(calls, decided);
}

function used(call: Called, before: ToolUse | undefined): ToolUse {
  const { seq, turn, callId, child, parentCallId, title, kind, status, startedAtMs, lastMs, update } = call;
  return {
    seq: before?.seq ?? seq,
    turn,
    callId,
    ...(child !== undefined && { child }),
    ...(parentCallId !== undefined && { parentCallId }),
    title,
    kind,
    status,
    startedAtMs,
    tookMs: before === undefined && lastMs === startedAtMs ? undefined : lastMs - startedAtMs,
    files: united(before?.files, pathsOf(update)),
    changed: united(before?.changed, changedPathsOf(update)),
  };
}

function united(before: readonly string[] = [], now: readonly string[]): readonly string[] {
  return before.length === 0 ? now : [...new Set(before.concat(now))];
}

function* withPermissions(
  calls: ReadonlyMap<string, ToolUse>,
  decided: ReadonlyMap<string, ToolUse["permission"]>,
): Generator<ToolUse> {
  for (const [key, call] of calls) {
    const permission = decided.get(key);
    yield permission === undefined ? call : { ...call, permission };
  }
}
