/** What the relay says to the meter. */
import { isSidecarError } from "../base/errors.ts";
import type { Counting } from "../base/meter.ts";
import { isRecord } from "../base/json.ts";
import type { Secrets } from "../base/secrets.ts";
import type { ArrivedUpdate } from "../acp/updates.ts";
import { toRpcError } from "../rpc/errors.ts";
import type { RelayContext } from "./context.ts";
import type { LiveSession } from "./live/session.ts";
import type { Turn, TurnOutcome } from "./live/turn.ts";

/** How long a client's request takes; a prompt, as a turn does. */
export function measuredRequest<T>(meter: Counting, method: string, answer: Promise<T>): Promise<T> {
  const beganMs = performance.now();
  const note = (outcome: "ok" | "failed") => {
    meter.add("requests", `${method} ${outcome}`);
    if (method === "session/prompt") return;
    const timedAs = method === "session/resume" ? "session/load" : method;
    meter.time("request", timedAs, (performance.now() - beganMs) / 1000);
  };
  return answer.then(
    (result) => {
      note("ok");
      return result;
    },
    (error: unknown) => {
      note("failed");
      throw error;
    },
  );
}

export function noteUpdates(meter: Counting, updates: readonly ArrivedUpdate[]): void {
  const count = updates.reduce((sum, each) => sum + (each.type === "chunks" ? each.bodies.length : 1), 0);
  meter.add("updates", "", count);
}

/** ACP's names of what a turn has used, and ours. */
const tokenKinds = {
  inputTokens: "input",
  outputTokens: "output",
  cachedReadTokens: "cached_read",
  cachedWriteTokens: "cached_write",
  thoughtTokens: "thought",
} as const;

interface NotedTurn {
  readonly live: Pick<LiveSession, "id">;
  readonly turn: Turn;
  /** Of its prompt. */
  readonly meta: unknown;
}

export function noteTurn(
  { meter, agent, secrets }: Pick<RelayContext, "meter" | "agent" | "secrets">,
  { live, turn, meta }: NotedTurn,
  outcome: TurnOutcome,
): void {
  const result = outcome.type === "answer" && isRecord(outcome.result) ? outcome.result : {};
  const { stopReason, usage } = result;
  // It is the agent's word, in which there may be anything.
  const reason = typeof stopReason === "string" && !stopReason.includes(" ") ? stopReason : "other";
  const ended = outcome.type === "error" ? "failed" : reason === "failed" ? "other" : reason;
  const durationMs = performance.now() - turn.beganMs;
  const tokens = tokensOf(usage);
  meter.add("turns", ended);
  meter.time("turn", "", durationMs / 1000);
  for (const [kind, count] of Object.entries(tokens)) if (count > 0) meter.add("tokens", kind, count);
  const errorCode = outcome.type === "error" ? errorCodeOf(outcome.error) : undefined;
  // It may wait until somebody counts: what others said in the turn is not held for that.
  const { sinceMs } = turn;
  const [info, trace] = [agent.facts?.info, textsOf(meta, "traceparent", "tracestate")];
  meter.turn?.(() => ({
    sessionId: live.id,
    sinceMs,
    durationMs,
    outcome: ended,
    ...(errorCode !== undefined && { errorCode }),
    agent: hidden(secrets, textsOf(info, "name", "version")),
    tokens,
    trace,
  }));
}

function tokensOf(usage: unknown): Readonly<Record<string, number>> {
  if (!isRecord(usage)) return {};
  const isCount = (value: unknown) => typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
  const told = Object.entries(tokenKinds).filter(([name]) => isCount(usage[name]));
  return Object.fromEntries(told.map(([name, kind]) => [kind, usage[name] as number]));
}

function errorCodeOf(error: unknown): string {
  return isSidecarError(error) ? error.code : String(toRpcError(error).code);
}

function hidden<Texts extends object>(secrets: Secrets, texts: Texts): Texts {
  const safe = Object.entries(texts).map(([name, text]) => [name, secrets.hide(String(text))]);
  return Object.fromEntries(safe) as Texts;
}

/** What is kept until somebody counts it is small. */
const longestText = 512;

/** Of what others say only texts, and none that is longer than such a thing is. */
function textsOf<Name extends string>(of: unknown, ...names: readonly Name[]): Partial<Record<Name, string>> {
  if (!isRecord(of)) return {};
  const isText = (value: unknown) => typeof value === "string" && value.length <= longestText;
  const texts = names.filter((name) => isText(of[name])).map((name) => [name, of[name]]);
  return Object.fromEntries(texts) as Partial<Record<Name, string>>;
}
