/** Single messages: one is added, one is looked at, all of them are cleared. */
import { isSidecarError } from "../../base/errors.ts";
import { conversationPage, included } from "../../history/pages/page.ts";
import type { SessionRecord } from "../../session/registry-options.ts";
import type { NewMessage } from "../../session/messages.ts";
import { readWhole } from "../../session/read-whole.ts";
import { Refusal } from "../problems.ts";
import { route, type Answer, type Call, type Route } from "../route.ts";
import * as shapes from "../shapes/messages-schema.ts";

type Query<T extends keyof typeof shapes> = (typeof shapes)[T]["_zod"]["output"];

export const messageRoutes: readonly Route[] = [
  route({
    method: "post",
    path: "/api/sessions/:id/messages",
    name: "addMessage",
    summary: "adds a message, without an agent",
    body: shapes.newMessage,
    answer: shapes.added,
    status: 201,
    problems: [409],
    handle: add,
  }),
  route({
    method: "get",
    path: "/api/sessions/:id/messages/:messageId",
    name: "getMessage",
    summary: "what stands at an entry, or has this message id, and how a prompt was worded before",
    answer: shapes.message,
    handle: message,
  }),
  route({
    method: "delete",
    path: "/api/sessions/:id/history",
    name: "clearHistory",
    summary: "from here on nothing counts that was said before, or it is taken out for good",
    notes:
      "Cleared, all of it is still there, marked as superseded, and rewind with undo brings it back. Erased, only that something " +
      "stood there is left, with a hash of it, so that the session's integrity can still be checked; what a fork has from its parent is the parent's.",
    query: shapes.clearQuery,
    answer: shapes.cleared,
    problems: [409],
    handle: clear,
  }),
];

async function add({ guest, id, body }: Call<unknown, Query<"newMessage">>): Promise<Answer> {
  const { registry } = guest;
  const { headSeq: before } = await registry.get(id);
  await registry.addMessage(id, body as NewMessage);
  // It is there now: who is told that it is not adds it once more.
  const { seq, headSeq } = await readWhole(() => lastMessage(guest, id, before));
  const messageId = `acp-sidecar:message:${seq}`;
  const headers = { location: `/api/sessions/${id}/messages/${seq}` };
  return { status: 201, body: { seq, messageId, headSeq }, headers };
}

/** Whoever else writes meanwhile, ours is the last but for theirs. */
async function lastMessage(
  { registry }: Call["guest"],
  id: Call["id"],
  after: number,
): Promise<{ readonly seq: number; readonly headSeq: number }> {
  const { headSeq } = await registry.get(id);
  let seq = headSeq;
  for await (const page of registry.read(id, { from: after + 1, through: headSeq }))
    seq = page.find(({ kind }) => kind === "message")?.seq ?? seq;
  return { seq, headSeq };
}

async function message({ guest, id, params }: Call): Promise<Answer> {
  const { registry } = guest;
  const record = await registry.get(id);
  const seq = await seqOf(guest, record, params["messageId"] ?? "");
  const include = [...included];
  const {
    items: [found],
  } = await conversationPage(registry, record, { before: seq + 1, limit: 1, include });
  if (found === undefined) throw noMessage(record, String(seq));
  // From its beginning on, so that it is whole, however it came.
  const {
    items: [item = found],
  } = await conversationPage(registry, record, { after: found.seq - 1, limit: 1, include });
  const isPrompt = item.type === "said" && item.by === "user" && item.seq === item.turn;
  const edits = isPrompt ? await registry.back.wordings(id, item.seq) : [];
  return { body: { item, edits } };
}

async function seqOf({ registry }: Call["guest"], record: SessionRecord, name: string): Promise<number> {
  if (/^\d{1,15}$/.test(name)) {
    const seq = Number(name);
    if (seq >= 1 && seq <= record.headSeq) return seq;
    throw noMessage(record, name);
  }
  try {
    return await registry.back.seqOf(record, name);
  } catch (error) {
    throw isSidecarError(error, "INVALID_PARAMS") ? noMessage(record, name) : error;
  }
}

function noMessage({ id }: SessionRecord, name: string): Refusal {
  const what = JSON.stringify(name.slice(0, 200));
  return new Refusal(
    404,
    `Session ${id} has nothing at ${what}; name an entry, or a message that counts by its id`,
    {
      code: "INVALID_PARAMS",
      data: { sessionId: id },
    },
  );
}

async function clear({ guest, id, query }: Call<Query<"clearQuery">>): Promise<Answer> {
  const { registry } = guest;
  const erased = query.erase === "true";
  if (erased) await registry.sharing.require(id, "delete");
  const { headSeq } = await registry.get(id);
  // First what may be refused: nothing has been cleared then.
  if (erased) await registry.compaction.erase(id);
  if (headSeq > 0) await registry.rewind(id, 0);
  return { body: { id, headSeq: (await registry.get(id)).headSeq, erased } };
}
