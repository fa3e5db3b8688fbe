/** Requests of the agent to the client: forwarded in order, journaled with their answers, ended with their turn. */
import { childMark } from "../../acp/child-mark.ts";
import { SidecarError } from "../../base/errors.ts";
import { jsonTextOf } from "../../base/json-text.ts";
import { isRecord } from "../../base/json.ts";
import { visibleLine } from "../../base/visible.ts";
import type { RequestContext, RequestOptions } from "../../rpc/endpoint.ts";
import type { RequestId } from "../../rpc/messages.ts";
import type { NewEntry } from "../../store/contract.ts";
import { permissionOf, type AuditedPermission } from "./audited-permission.ts";
import type { RelayContext } from "../context.ts";
import { ownWords } from "../live/own-words.ts";
import type { LiveSession } from "../live/session.ts";
import { childOf } from "./earlier-children.ts";
import { withSessionIds } from "../../acp/ids.ts";

/** Params that name a session. */
type Params = Readonly<Record<string, unknown>>;

/** What a person is asked is withdrawn with its turn, and this is then the answer. */
const withdrawnAnswers: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["session/request_permission", { outcome: { outcome: "cancelled" } }],
  ["elicitation/create", { action: "cancel" }],
]);

export async function agentRequest(
  ctx: RelayContext,
  method: string,
  params: unknown,
  request: RequestContext,
): Promise<unknown> {
  const named = isRecord(params) ? params.sessionId : undefined;
  const child = await childOf(ctx, named);
  const live = ctx.sessions.byAgentId(named) ?? child?.live;
  if (isRecord(params) && ctx.sessions.isFormer(params.sessionId)) return answerForNobody(method);
  if (live === undefined || !isRecord(params)) {
    const asked = ctx.client.connection.request(method, withClientRequestId(ctx, params), sendingOf(request));
    return withAgentIds(ctx, await asked);
  }
  const withdrawn = withdrawnAnswers.get(method);
  const permission = permissionOf(ctx, method, params, live.id);
  // A turn that we have ended asks nobody any more.
  if (withdrawn !== undefined && live.audience !== "client") return withdrawn;
  const undecided = undecidable(ctx, live, method, params);
  const { answer } = await live.outbound(async () => {
    await permission?.asked();
    await journal(ctx, live, [requestEntry(method, params, request.id, child?.id)]);
    if (undecided !== undefined) {
      await live.attachments.sendStored([undecidedText(params)]);
      return { answer: Promise.resolve(undecided) };
    }
    // The turn may have been ended while that was written.
    if (withdrawn !== undefined && live.audience !== "client") return { answer: Promise.resolve(withdrawn) };
    return { answer: ask(ctx, live, method, params, request, child?.id) };
  });
  const decided = permission === undefined ? answer : recorded(answer, permission);
  const [settled] = await Promise.allSettled([decided]);
  const result = settled.status === "fulfilled" ? settled.value : undefined;
  if (isRecord(result) && method === "elicitation/create") ctx.secrets.learnAnswer(result.content);
  await live.outbound(async () => {
    // The session may have been closed meanwhile; the agent gets its answer all the same.
    if (live.isHeld) await journal(ctx, live, [responseEntry(method, result, request.id, child?.id)]);
  });
  return withAgentIds(ctx, await decided);
}

/** What was decided counts when it is recorded. */
async function recorded(answer: Promise<unknown>, permission: AuditedPermission): Promise<unknown> {
  const [settled] = await Promise.allSettled([answer]);
  await permission.decided(settled.status === "fulfilled" ? settled.value : undefined);
  return answer;
}

/** What an agent asks permission for is refused where nobody here may give it. */
function undecidable(ctx: RelayContext, live: LiveSession, method: string, params: Params): unknown {
  const { sharing } = ctx.registry;
  if (method !== "session/request_permission" || sharing.mayWhileHeld(live.id, "decide")) return undefined;
  sharing.noteRefused(live.id, "decide");
  ctx.log.warn({ sessionId: live.id }, "a permission was refused: who acts here may not decide permissions");
  const options = Array.isArray(params.options) ? params.options.filter(isRecord) : [];
  const refusal = options.find(({ kind }) => kind === "reject_once");
  const outcome = refusal ? { outcome: "selected", optionId: refusal.optionId } : { outcome: "cancelled" };
  return { outcome };
}

/** Nobody is asked, so it is said that something was. */
function undecidedText({ toolCall }: Params): string {
  const title = isRecord(toolCall) && typeof toolCall.title === "string" ? toolCall.title : "";
  const what = title === "" ? "" : ` for: ${visibleLine(title).slice(0, mostTitleChars)}`;
  return ownWords(
    `The agent asked permission${what}. You may not decide that in this session, which belongs to somebody else, so it was refused.`,
  );
}

/** So much of a title tells what it is about. */
const mostTitleChars = 200;

function sendingOf({ signal, passedOn: onTaken }: RequestContext): RequestOptions {
  return { signal, onTaken };
}

/** The client's answer, with the sessions that it may name as the agent knows them. */
function withAgentIds(ctx: RelayContext, result: unknown): unknown {
  const { sessions } = ctx;
  return withSessionIds(
    result,
    (id) => sessions.children.byId(id)?.agentSessionId ?? sessions.byClientId(id)?.binding?.agentSessionId,
  );
}

/** The question belongs to a session that was closed or deleted, or that no client uses. */
function answerForNobody(method: string): unknown {
  const withdrawn = withdrawnAnswers.get(method);
  if (withdrawn !== undefined) return withdrawn;
  throw new SidecarError("SESSION_NOT_FOUND", `${method}: the session was closed`);
}

/** The client's answer. A question is withdrawn when its turn ends first, and that is then the answer. */
async function ask(
  ctx: RelayContext,
  live: LiveSession,
  method: string,
  params: Params,
  request: RequestContext,
  child: string | undefined,
): Promise<unknown> {
  const asked = live.attachments.driver;
  if (asked === undefined) return answerForNobody(method);
  const sending = sendingOf(request);
  const forwarded = withClientRequestId(ctx, params);
  const withdrawn = withdrawnAnswers.get(method);
  if (withdrawn === undefined) return asked.request(method, forwarded, sending, child);
  const withdrawal = new AbortController();
  const signal = AbortSignal.any([request.signal, withdrawal.signal]);
  let end = () => {};
  const ended = new Promise<unknown>((resolve) => {
    end = () => {
      withdrawal.abort();
      resolve(withdrawn);
    };
  });
  live.questions.add(end);
  try {
    const answer = asked.request(method, forwarded, { ...sending, signal }, child);
    answer.catch(() => undefined);
    return await Promise.race([answer, ended]);
  } finally {
    live.questions.delete(end);
  }
}

/** An elicitation may belong to a request of the client, which the agent knows by our id for it. */
function withClientRequestId<T>(ctx: RelayContext, params: T): T {
  if (!isRecord(params) || !isRequestIdOf(ctx, params.requestId)) return params;
  return { ...params, requestId: ctx.forwarded.get(params.requestId) };
}

function isRequestIdOf(ctx: RelayContext, id: unknown): id is RequestId {
  return (typeof id === "number" || typeof id === "string") && ctx.forwarded.has(id);
}

async function journal(ctx: RelayContext, live: LiveSession, entries: readonly NewEntry[]): Promise<void> {
  try {
    await live.journal.append(entries);
  } catch (error) {
    ctx.holding.fail(live, error);
    throw error;
  }
}

function requestEntry(method: string, params: Params, id: RequestId, child: string | undefined): NewEntry {
  const { sessionId: _, ...rest } = params;
  // The environment of a terminal may hold secrets; its names are enough of a record.
  const kept = Array.isArray(rest.env)
    ? { ...rest, env: rest.env.filter(isRecord).map(({ name }) => ({ name })) }
    : rest;
  return entryOf("request", { id, method, params: kept, ...markOf(child) });
}

/** What a person answers to an elicitation may be a secret: that it was answered is enough of a record. */
function responseEntry(method: string, result: unknown, id: RequestId, child: string | undefined): NewEntry {
  const isElicitation = method === "elicitation/create" && isRecord(result);
  const kept = isElicitation ? { action: result.action } : result;
  const answer = result === undefined ? { failed: true } : { result: kept };
  return entryOf("response", { id, method, ...answer, ...markOf(child) });
}

/** Whose it is, if it is a subagent's. */
function markOf(child: string | undefined): Params {
  return child === undefined ? {} : { [childMark]: child };
}

function entryOf(
  kind: "request" | "response",
  data: Params & { readonly id: RequestId; readonly method: string },
): NewEntry {
  return { kind, atMs: Date.now(), data: jsonTextOf(data) };
}
