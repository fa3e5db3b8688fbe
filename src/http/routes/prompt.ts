/** Turns: a prompt to the agent of this process, an end to one, and what an agent asks permission for. */
import type { ContentBlock } from "../../acp/content.ts";
import { askedHolder } from "../../local/ending.ts";
import { isHeld } from "../../session/holder.ts";
import { sessionBusy } from "../../store/refusals.ts";
import { eventStream } from "../events/stream.ts";
import { Refusal } from "../problems.ts";
import { ToldTurn } from "../prompting/told-turn.ts";
import { route, type Answer, type Call, type Route } from "../route.ts";
import { isHere } from "../session-shape.ts";
import * as shapes from "../shapes/prompt-schema.ts";

type Body<T extends keyof typeof shapes> = Call<unknown, (typeof shapes)[T]["_zod"]["output"]>;

const isOfTurns = true;

export const promptRoutes: readonly Route[] = [
  route({
    method: "post",
    path: "/api/sessions/:id/prompt",
    name: "prompt",
    summary: "a turn of the agent that this server was started with; answered when it ends, or as it goes on",
    notes:
      "With Accept: text/event-stream events come as they do: update (ACP's session/update), permission (one of OpenPermissions), missed (a slow " +
      "reader is told the rest by the session's own events), end (TurnEnd) or error (Problem). The turn goes on when nobody reads any more.",
    ...{ isOfTurns, body: shapes.promptWish, answer: shapes.turnEnd },
    headers: {
      traceparent: "the trace that the turn belongs to (W3C Trace Context); the agent is told, too",
      tracestate: "of that trace",
    },
    answers: ["application/json", "text/event-stream"],
    problems: [409, 502],
    handle: prompt,
  }),
  route({
    method: "post",
    path: "/api/sessions/:id/cancel",
    name: "cancel",
    summary: "ends the turn that runs here",
    ...{ isOfTurns, answer: shapes.cancelled, problems: [409] },
    handle: cancel,
  }),
  route({
    method: "post",
    path: "/api/sessions/:id/end",
    name: "endSession",
    summary: "ends it wherever it is open; what was said stays",
    notes:
      "For its owner and admins. A sidecar of this user and machine is asked to end it, in order, and tells its client. From any other it is taken, unless a turn " +
      "runs there (409): with force also then, and from all of them without asking.",
    ...{ isOfTurns, body: shapes.endWish, isBodyOptional: true, answer: shapes.ended, problems: [409] },
    handle: end,
  }),
  route({
    method: "get",
    path: "/api/sessions/:id/permissions",
    name: "listPermissions",
    summary: "what the agent asks permission for and nobody has decided",
    answer: shapes.openPermissions,
    handle: async ({ house, guest, id }) => {
      await guest.registry.get(id);
      return { body: { permissions: house.attachments.where(id)?.permissions.of(id) ?? [] } };
    },
  }),
  route({
    method: "post",
    path: "/api/sessions/:id/permissions/:permissionId",
    name: "decidePermission",
    summary: "decides it: by one of its options, or by refusing to",
    ...{ isOfTurns, body: shapes.decision, answer: shapes.decided },
    handle: decide,
  }),
];

async function prompt(call: Body<"promptWish">): Promise<Answer | Response> {
  const { house, guest, id, body, request } = call;
  await guest.registry.get(id);
  await guest.registry.sharing.require(id, "prompt");
  const attachment = await house.attachments.take(guest, id);
  const params = {
    prompt: blocksOf(body.prompt),
    ...(body.messageId !== undefined && { messageId: body.messageId }),
    ...traceOf(request),
  };
  const turn = new ToldTurn();
  const answer = attachment.prompt(id, params, turn);
  if (!/\btext\/event-stream\b/.test(request.headers.get("accept") ?? "")) return { body: await answer };
  answer.then(
    (end) => turn.ended(end),
    (error: unknown) => turn.failed(error),
  );
  await turn.begun();
  return eventStream(turn.frames(), async () => undefined);
}

/** The trace that the turn belongs to, as ACP has it: the agent is told as well. */
function traceOf({ headers }: Request): object {
  const traceparent = headers.get("traceparent") ?? "";
  if (!/^[\da-f]{2}(?:-[\da-f]+){3}\b/.test(traceparent) || traceparent.length > 200) return {};
  const tracestate = headers.get("tracestate");
  return { _meta: { traceparent, ...(tracestate !== null && { tracestate }) } };
}

function blocksOf(content: unknown): readonly ContentBlock[] {
  return typeof content === "string"
    ? [{ type: "text", text: content }]
    : (content as readonly ContentBlock[]);
}

async function cancel({ house, guest, id }: Call): Promise<Answer> {
  const { lease } = await guest.registry.get(id);
  await guest.registry.sharing.require(id, "prompt");
  const cancelled = (await house.attachments.where(id)?.cancel(id)) ?? false;
  if (!cancelled && isHeld(lease) && lease.turnRunning) throw sessionBusy(id, lease);
  return { body: { id, cancelled } };
}

async function end({ house, guest, id, body }: Body<"endWish">): Promise<Answer> {
  const { sharing } = guest.registry;
  const { lease } = await guest.registry.get(id);
  await sharing.require(id, "own");
  // To the store this process is one holder, and takes nothing from itself.
  const isOurs = isHere(lease);
  await house.attachments.end(id);
  if (isOurs) return { body: { id, ended: true } };
  const force = body.force === true;
  const ask = (holder: Parameters<typeof askedHolder>[0]) => askedHolder(holder, id, house.env);
  return { body: { id, ended: await sharing.endHolding(id, force ? { force } : { ask }) } };
}

async function decide({ house, guest, id, params, body }: Body<"decision">): Promise<Answer> {
  const { permissionId = "" } = params;
  await guest.registry.get(id);
  await guest.registry.sharing.require(id, "decide");
  const permissions = house.attachments.where(id)?.permissions;
  const asked = permissions?.of(id).find((each) => each.permissionId === permissionId);
  if (permissions === undefined || asked === undefined)
    throw new Refusal(404, "Nobody asks for this permission any more", { code: "INVALID_PARAMS" });
  if ("cancelled" in body) permissions.decide(id, permissionId, { outcome: "cancelled" });
  else {
    const { optionId } = body;
    if (!asked.options.some((each) => each.optionId === optionId))
      throw new Refusal(400, "optionId is none of the options; GET permissions lists them", {
        code: "INVALID_PARAMS",
      });
    permissions.decide(id, permissionId, { outcome: "selected", optionId });
  }
  return { body: { permissionId } };
}
