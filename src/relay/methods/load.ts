/** `session/load` and `session/resume`: a stored session comes back. https://agentclientprotocol.com/protocol/v1/session-setup */
import { isSameFolder } from "../../base/folder.ts";
import { acpErrors, SidecarError } from "../../base/errors.ts";
import { isRecord } from "../../base/json.ts";
import type { RequestContext } from "../../rpc/endpoint.ts";
import { isRpcError } from "../../rpc/errors.ts";
import { updateIn } from "../../acp/updates.ts";
import { existingSessionParams, parseParams, type ExistingSessionParams } from "../../acp/schema.ts";
import { moveParams, replayParams, type ReplayWindow } from "../../acp/place-schema.ts";
import { isSessionId, type SessionId } from "../../base/ids.ts";
import { movedTo } from "../../session/folders.ts";
import type { ReplayedState } from "../../session/replay-options.ts";
import { sessionNotFound } from "../../store/refusals.ts";
import type { SessionPatch, SessionRecord } from "../../store/contract.ts";
import { adopt } from "./adopt.ts";
import { listedBy } from "../agent/listed.ts";
import { attach } from "../agent/attach.ts";
import type { RelayContext } from "../context.ts";
import type { Attachment } from "../live/attachments.ts";
import type { LiveSession } from "../live/session.ts";
import { namesOf, setupOf } from "../live/session-setup.ts";
import { asAnswered, type AgentState } from "../../acp/settings.ts";
import { loadToRead } from "./load-to-read.ts";
import { changesIn } from "./load-changes.ts";
import { sendReplay, type LeftOut } from "./load-window.ts";
import { withoutOurs } from "./own-meta.ts";
import { keepSystemPrompt } from "../agent/setup.ts";
import { commandsUpdate, oursAlone, withOurs } from "../commands/offered.ts";
import { isLossError, runningTurns } from "../live/turns.ts";
import { metaKey } from "../../acp/meta.ts";

export function loadSession(ctx: RelayContext, params: unknown, request: RequestContext): Promise<unknown> {
  return loadOrResume(ctx, "session/load", params, request);
}

export function resumeSession(ctx: RelayContext, params: unknown, request: RequestContext): Promise<unknown> {
  return loadOrResume(ctx, "session/resume", params, request);
}

async function loadOrResume(
  ctx: RelayContext,
  method: "session/load" | "session/resume",
  params: unknown,
  request: RequestContext,
): Promise<unknown> {
  const parsed = parseParams(existingSessionParams, method, params);
  // Another request may be adopting the same session of the agent: wait, and find it adopted.
  await ctx.adopting.get(parsed.sessionId)?.catch(() => undefined);
  const found = await ctx.holding.find(parsed.sessionId);
  if (found === undefined) return adoptForeign(ctx, method, parsed, request);
  const asked = parseParams(replayParams, method, parsed)._meta?.[metaKey]?.replay;
  if (method === "session/load" && !(await ctx.registry.sharing.may(found.id, "prompt")))
    return loadToRead(ctx, found, parsed.sessionId, asked);
  await ctx.readers.end(found.id);
  return loadToWrite(ctx, method, { found, parsed, asked }, request);
}

interface Loading {
  readonly found: SessionRecord;
  readonly parsed: ExistingSessionParams;
  readonly asked: ReplayWindow | undefined;
}

async function loadToWrite(
  ctx: RelayContext,
  method: "session/load" | "session/resume",
  { found, parsed, asked }: Loading,
  request: RequestContext,
): Promise<unknown> {
  const isMove = isMoving(found, method, parsed);
  const setup = setupOf(withoutOurs(parsed), ctx.sessions.byId(found.id)?.setup);
  const live = await ctx.holding.open(ctx.client, parsed.sessionId, setup);
  const attachment = live.attachments.attach(ctx.client, parsed.sessionId);
  // It may be live, or have been opened by another request: this is what counts from now on.
  live.setup = setup;
  live.isLoadedAnew = true;
  live.swallowedState.clear();
  let leftOut: LeftOut | undefined;
  const changing = ctx.projects.changesOf(found.id);
  try {
    if (isMove) await move(ctx, live, parsed.cwd);
    await live.update(factsOf(ctx, parsed));
    await live.outbound(() => keepSystemPrompt(ctx, live, method, parsed));
    // The agent is gone, so what it began will never end.
    const isAtRest = live.binding === undefined && live.turns.size === 0;
    const attaching = live.whileHeld(live.inbound.run(() => attach(ctx, live, request)));
    const state: ReplayedState = new Map();
    const isLoad = method === "session/load";
    const replaying = isLoad
      ? live.outbound(() => sendReplay(ctx, live, { attachment, asked, state, isAtRest }))
      : undefined;
    leftOut = await bothDone(attaching, replaying);
    await live.outbound(() => sendState(ctx, attachment, live, { state, isLoad }));
  } catch (error) {
    // Somebody else has taken it meanwhile. It stays lost until it is loaded again: no prompt takes it back.
    if (isLossError(error)) ctx.holding.noteFailure(live, error);
    if (live.isHeld && live.binding === undefined && live.turns.size === 0) await ctx.holding.release(live);
    throw error;
  }
  return live.answerInOrder(request, async () =>
    withFacts(live.agentState, { ...(leftOut && { replay: leftOut }), ...changesIn(await changing) }),
  );
}

/** Both to their end, so that nothing of a failed load goes on after its answer. */
async function bothDone<T>(
  attaching: Promise<unknown>,
  replaying: Promise<T> | undefined,
): Promise<T | undefined> {
  const [attached, replayed] = await Promise.allSettled([attaching, replaying]);
  if (attached.status === "rejected") throw attached.reason;
  if (replayed.status === "rejected") throw replayed.reason;
  return replayed.value;
}

/** What was asked for, in `_meta` or in the configuration, is answered there. */
function withFacts(state: AgentState, facts: Readonly<Record<string, unknown>>): AgentState {
  if (Object.keys(facts).length === 0) return state;
  const { _meta } = state;
  return { ...state, _meta: { ...(isRecord(_meta) && _meta), [metaKey]: facts } };
}

/** One that an agent has and we do not, from before the sidecar perhaps: adopted. */
async function adoptForeign(
  ctx: RelayContext,
  method: "session/load" | "session/resume",
  params: ExistingSessionParams,
  request: RequestContext,
): Promise<unknown> {
  const run = await ctx.agent.run();
  const { can } = run;
  const { sessionId, cwd } = params;
  if (!(method === "session/load" ? can.load : can.resume)) throw sessionNotFound(sessionId);
  const { hidden } = ctx.registry;
  if (await hidden.isTrashed(sessionId, run.facts)) throw sessionNotFound(sessionId);
  if (await hidden.isStrangers(sessionId, run.facts)) throw sessionNotFound(sessionId);
  // An id of our form is hardly one that an agent gave, and some agents take any id that they do not know for a new one.
  const isDoubtful = isSessionId(sessionId);
  if (isDoubtful && !(can.list && (await listedBy(run, cwd, sessionId, request.signal)) !== undefined))
    throw sessionNotFound(sessionId);
  if (ctx.adopting.has(params.sessionId)) return loadOrResume(ctx, method, params, request);
  return adopt(ctx, run, method, params, request).catch((error: unknown) => {
    throw isRpcError(error, acpErrors.resourceNotFound) ? sessionNotFound(params.sessionId) : error;
  });
}

/** The agent takes it up again in its new folder. Errors: `TURN_RUNNING`. */
async function move(ctx: RelayContext, live: LiveSession, folder: string): Promise<void> {
  if (runningTurns(live).length > 0) throw inTurn(live.id);
  await live.update(movedTo(live.record, folder));
  ctx.sessions.unbind(live);
  ctx.log.info({ sessionId: live.id }, "session moved to another folder");
}

function inTurn(sessionId: SessionId): SidecarError {
  return new SidecarError(
    "TURN_RUNNING",
    `Session ${sessionId} cannot move while a turn runs; cancel it first`,
    {
      data: { sessionId },
    },
  );
}

/** Whether it is to be put into another folder. Errors: `CWD_MISMATCH` where it is another and nobody said so. */
function isMoving(record: SessionRecord, method: string, params: ExistingSessionParams): boolean {
  const { cwd } = params;
  if (isSameFolder(record.cwd, cwd)) return false;
  if (parseParams(moveParams, method, params)._meta?.[metaKey]?.move === true) return true;
  throw new SidecarError(
    "CWD_MISMATCH",
    `Session ${record.id} belongs to ${record.cwd}, not to ${cwd}; open it there, fork it, or, if the project has moved, run: acp-sidecar sessions move ${record.id} DIR`,
    { data: { sessionId: record.id, cwd: record.cwd, requestedCwd: cwd } },
  );
}

/** What the client that loads a session says of itself and of its MCP servers counts from now on. */
function factsOf(ctx: RelayContext, params: ExistingSessionParams): SessionPatch {
  const { mcpServers, additionalDirectories } = params;
  return {
    updatedAtMs: Date.now(),
    ...(ctx.client.facts && { client: ctx.client.facts }),
    ...(mcpServers && { mcpServerNames: namesOf(mcpServers) }),
    // "When omitted or empty, no additional roots are activated": https://agentclientprotocol.com/protocol/v1/session-setup
    additionalDirectories: additionalDirectories ?? [],
  };
}

/** What is state, unless the agent has just said it anew. */
async function sendState(
  ctx: RelayContext,
  attachment: Attachment,
  live: LiveSession,
  { state, isLoad }: { readonly state: ReplayedState; readonly isLoad: boolean },
): Promise<void> {
  const old = [...state].filter(([kind]) => !isSaidAnew(live, kind));
  const now = old.map(async ([kind, data]) =>
    kind === commandsUpdate ? withOurs(ctx, live, data) : asAnswered(live.agentState, kind, data),
  );
  const told = await Promise.all(now);
  // A client that resumes keeps the list that it had.
  const hasList = state.has(commandsUpdate) || live.swallowedState.has(commandsUpdate);
  const ours = isLoad && !hasList ? await oursAlone(ctx) : [];
  return attachment.sendStored([...told, ...ours]);
}

/** A `session_info_update` is a patch: one that names no title leaves ours as it was. */
function isSaidAnew({ swallowedState }: LiveSession, kind: string): boolean {
  const said = swallowedState.get(kind);
  return said !== undefined && (kind !== "session_info_update" || updateIn(said).title !== undefined);
}
