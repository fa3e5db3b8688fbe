/** `session/prompt` and `session/cancel`: a turn from its prompt to its answer. https://agentclientprotocol.com/protocol/v1/prompt-turn */
import { isSidecarError, loggedReason, reasonOf, SidecarError } from "../../base/errors.ts";
import { jsonTextOf } from "../../base/json-text.ts";
import { isRecord } from "../../base/json.ts";
import type { RequestContext } from "../../rpc/endpoint.ts";
import { isRpcError, toRpcError } from "../../rpc/errors.ts";
import { parseParams, promptParams, type PromptBody, type PromptParams } from "../../acp/schema.ts";
import type { NewEntry } from "../../store/contract.ts";
import { askSession } from "../agent/ask.ts";
import { commandLineIn } from "../commands/offered.ts";
import type { RelayContext } from "../context.ts";
import type { Note } from "../../context/knowing.ts";
import { contextEntry } from "../../session/context-entry.ts";
import { withHandover } from "../agent/handover.ts";
import { noteBlock } from "../live/handed-over.ts";
import { endRecall } from "../agent/replayed.ts";
import { withoutOurs } from "./own-meta.ts";
import { editedBy, goBackToEdit } from "./rewind.ts";
import { closedMeanwhile, type Binding, type LiveSession } from "../live/session.ts";
import { titleOf } from "../../session/titles.ts";
import { unendedIn } from "../../session/unended.ts";
import { withoutSecrets } from "../safe-error.ts";
import { promptData } from "./prompt-data.ts";
import { isCommand } from "../live/words.ts";
import { appendWithOwed, owed } from "../live/owed.ts";
import { cancelTurns, runningTurns, isLossError, untilLateTurnsAreGone, sendCancel } from "../live/turns.ts";
import { Turn, type TurnOutcome } from "../live/turn.ts";
import { noteTurn } from "../measured.ts";

/** How long a new prompt waits for an agent that is still at a turn which we have ended for it. */
const lateTurnMs = 2000;

export async function prompt(ctx: RelayContext, params: unknown, request: RequestContext): Promise<unknown> {
  const parsed = parseParams(promptParams, "session/prompt", params);
  const live = await ctx.holding.require(ctx.client, parsed.sessionId);
  live.attachments.noteDriver(ctx.client);
  const line = commandLineIn(ctx, live, parsed.prompt);
  if (line !== undefined) {
    const { answerCommand } = await import("../commands/answer.ts");
    return answerCommand(ctx, live, line, parsed, request);
  }
  const edited = editedBy(parsed);
  const turn = new Turn();
  live.turns.add(turn);
  // A cancellation finds the turn while the conversation goes back.
  if (edited !== undefined) await goBackToEdit(ctx, live, edited, turn);
  startTurn(ctx, live, turn, parsed, request);
  await turn.decided;
  return live.answerInOrder(request, async () => {
    const safe = await endTurn(ctx, live, turn).finally(() => {
      if (turn.isAgentDone) live.turns.delete(turn);
      turn.noteOver();
    });
    if (isCutOff(safe)) await tellUnended(ctx, live, turn);
    live.touch();
    // The answer waits for none of this.
    request.answered
      .then(() => {
        noteTurn(ctx, { live, turn, meta: parsed._meta }, safe);
        ctx.projects.noteOver(live);
        ctx.log.info({ sessionId: live.id, ended: safe.type }, "turn ended");
      })
      .catch((error: unknown) =>
        ctx.log.error({ sessionId: live.id, error: loggedReason(error, ctx.log) }, "a turn was not counted"),
      );
    if (safe.type === "error") throw safe.error;
    return safe.result;
  });
}

/** Asks the agent to end the session's turns, and ends them ourselves if it does not within the grace time. */
export async function cancel(ctx: RelayContext, params: unknown): Promise<void> {
  const sessionId = isRecord(params) ? params.sessionId : undefined;
  if (typeof sessionId !== "string") return;
  // A prompt that is being let in comes before its cancellation.
  await ctx.holding.opened(sessionId);
  // A subagent has no turn of ours: its agent ends its work, and says so.
  const child = ctx.sessions.children.byId(sessionId);
  if (child !== undefined) return sendCancel(child.live, params, child.agentSessionId);
  const live = ctx.sessions.byClientId(sessionId);
  if (live === undefined) return;
  ctx.searching.giveUp(live.id);
  // Some agents work between turns, too.
  if (runningTurns(live).length === 0) sendCancel(live, params);
  else cancelTurns(live, ctx.options.cancelGraceMs, params);
}

function startTurn(
  ctx: RelayContext,
  live: LiveSession,
  turn: Turn,
  params: PromptParams,
  request: RequestContext,
): void {
  const { sessionId: _, ...body }: PromptParams = params;
  endRecall(ctx, live);
  const noting = ctx.projects.noteFor(live);
  // Journaled first: whatever happens to it then, it is part of the history.
  const history = live.outbound(() => journalPrompt(ctx, live, turn, body));
  history.catch((error: unknown) => ctx.holding.noteFailure(live, error));
  const asked = history.then(async () => {
    await untilLateTurnsAreGone(live, lateTurnMs);
    const note = noting && (await noting);
    return askSession(ctx, live, "session/prompt", request, (binding) =>
      compose(ctx, live, turn, binding, withoutOurs(body), note),
    );
  });
  const answered = asked.then(({ answer }) =>
    answer === undefined ? turn.decided : answer.then((result) => succeeded(ctx, live, turn, result)),
  );
  // However the turn ends for the client, the agent owes its answer; until then it may speak late.
  void answered.catch(failed).then((outcome) => {
    turn.agentAnswered(outcome);
    if (turn.state === "ended") live.turns.delete(turn);
  });
}

function succeeded(ctx: RelayContext, live: LiveSession, turn: Turn, result: unknown): TurnOutcome {
  ctx.agent.noteSuccess();
  const { handedOverTo } = turn;
  if (handedOverTo !== undefined && isTaken({ type: "answer", result })) {
    const noting = live.outbound(() => live.noteHandover(handedOverTo));
    noting.catch((error: unknown) => ctx.holding.noteFailure(live, error));
  }
  return { type: "answer", result };
}

/** An agent leaves a prompt that it refuses out of its context, and so what we have put before it. */
function isTaken(outcome: TurnOutcome): boolean {
  if (outcome.type === "error") return false;
  return !(isRecord(outcome.result) && outcome.result.stopReason === "refusal");
}

function failed(error: unknown): TurnOutcome {
  return { type: "error", error };
}

/** The prompt as the agent gets it; nothing when the turn has been ended meanwhile. */
async function compose(
  ctx: RelayContext,
  live: LiveSession,
  turn: Turn,
  { run, agentSessionId }: Binding,
  body: PromptBody,
  note: Note | undefined,
): Promise<PromptBody | undefined> {
  const { historySeq = 0 } = turn;
  // Agents look for a command where the prompt begins: it goes alone, and the next prompt brings the history.
  const goesAlone = isCommand(body.prompt);
  const isOwed = live.owesHandover && !goesAlone;
  const told = goesAlone ? undefined : note;
  const own = told === undefined ? body.prompt : [noteBlock(told.text), ...body.prompt];
  const prompt = isOwed && historySeq > 0 ? await withHandover(ctx, live, run, own, historySeq) : own;
  turn.handedOverTo = isOwed ? agentSessionId : undefined;
  turn.noted = told && contextEntry(told.data);
  if (!turn.send()) return undefined;
  endRecall(ctx, live);
  live.recall = undefined;
  return { ...body, prompt };
}

async function journalPrompt(
  ctx: RelayContext,
  live: LiveSession,
  turn: Turn,
  params: PromptBody,
): Promise<void> {
  // It went with the session, which may be ours again by now: nobody would write its end.
  if (turn.outcome !== undefined && isLoss(turn.outcome)) return;
  const { journal } = live;
  const { headSeq: before, sealedSeq } = journal;
  const entry: NewEntry = { kind: "prompt", atMs: Date.now(), data: promptData(params, ctx.options) };
  journal.setTurnRunning(true);
  await appendWithOwed(live, [entry]);
  turn.historySeq = before;
  turn.finalSeq = sealedSeq;
  const title = live.record.title === undefined ? titleOf(params.prompt) : undefined;
  if (title !== undefined) await live.update({ title });
}

/** Journals the end and makes the turn as safe as was asked for. What fails here becomes the outcome. */
async function endTurn(ctx: RelayContext, live: LiveSession, turn: Turn): Promise<TurnOutcome> {
  const outcome = turn.conclude();
  const isJournaled = turn.historySeq !== undefined;
  if (live.lost !== undefined) return failed(live.lost);
  // Whoever took the session over has ended the turn in the journal. The session may be ours again by now.
  if (isLoss(outcome)) return outcome;
  if (!live.isHeld) return outcome.type === "error" ? outcome : failed(closedMeanwhile(live.id));
  const end = endEntry(ctx, outcome);
  const { journal } = live;
  if ((isStoreFailure(outcome) && journal.writes.isDoubtful) || !isJournaled) {
    // The store has just refused an earlier write. If the turn has a start there, its end is written when the store is back.
    journal.setTurnRunning(runningTurns(live).length > 0);
    if (isJournaled) live.owedEnd = { entry: end, doubt: undefined };
    return outcome;
  }
  const last = turn.noted !== undefined && isTaken(outcome) ? [turn.noted, end] : [end];
  const { doubt: before } = journal.writes;
  try {
    if (runningTurns(live).length === 0) {
      await journal.sealTurn(last);
    } else {
      await journal.append(last);
      await journal.settle();
    }
    return outcome;
  } catch (error) {
    journal.setTurnRunning(runningTurns(live).length > 0);
    const isLost = live.noteLoss();
    if (isLost) ctx.holding.noteFailure(live, error);
    // Where only the flush has failed, the end is there.
    if (!isLost && journal.writes.isDoubtful) live.owedEnd = owed(journal, end, before);
    return outcome.type === "error" ? outcome : failed(error);
  }
}

function isCutOff(outcome: TurnOutcome): boolean {
  if (outcome.type === "error") return !isLoss(outcome);
  return isRecord(outcome.result) && outcome.result.stopReason === "cancelled";
}

/** Tool calls that a client has seen begin, and that nobody will end. The journal says so by its end of the turn. */
async function tellUnended(ctx: RelayContext, live: LiveSession, { finalSeq }: Turn): Promise<void> {
  if (finalSeq === undefined || !live.isHeld || live.owedEnd !== undefined) return;
  // Whose calls they are that run while another turn does is not known.
  if (runningTurns(live).length > 0) return;
  try {
    const unended = await unendedIn(ctx.registry.read(live.id, { from: finalSeq + 1 }));
    await live.attachments.sendStored(unended);
  } catch (error) {
    ctx.log.warn({ sessionId: live.id, error: loggedReason(error, ctx.log) }, "calls stay as they were");
  }
}

function isLoss(outcome: TurnOutcome): boolean {
  return outcome.type === "error" && isLossError(outcome.error);
}

function isStoreFailure(outcome: TurnOutcome): boolean {
  return outcome.type === "error" && isSidecarError(outcome.error) && outcome.error.code.startsWith("STORE_");
}

/** A stop reason and usage, or the error: its code and first line, no content. */
function endEntry({ secrets }: RelayContext, outcome: TurnOutcome): NewEntry {
  const data =
    outcome.type === "answer"
      ? { result: outcome.result ?? null }
      : { error: errorFacts(withoutSecrets(secrets, outcome.error)) };
  return { kind: "end", atMs: Date.now(), data: jsonTextOf(data) };
}

function errorFacts(error: unknown) {
  const { code } = toRpcError(error);
  if (error instanceof SidecarError) return { code, name: error.code, message: error.message };
  return isRpcError(error) ? { code, message: reasonOf(error) } : { code };
}
