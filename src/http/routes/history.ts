/** What was said and done in a session, a page at a time. */
import { isSidecarError } from "../../base/errors.ts";
import { jsonTextOf } from "../../base/json-text.ts";
import { conversationPage, included, type Included, type PageQuery } from "../../history/pages/page.ts";
import type { SessionRecord } from "../../session/registry-options.ts";
import { journalConflict } from "../../store/refusals.ts";
import { Narrator } from "../events/news.ts";
import { idOf } from "../events/position.ts";
import { route, type Answer, type Call, type Route } from "../route.ts";
import * as shapes from "../shapes/history-schema.ts";

type Query<T extends keyof typeof shapes> = (typeof shapes)[T]["_zod"]["output"];

export const historyRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/sessions/:id/history",
    name: "readHistory",
    summary: "a page of the conversation: the newest, or before or after an entry",
    query: shapes.historyQuery,
    answer: shapes.historyPage,
    problems: [409],
    handle: history,
  }),
];

/** A turn that is sealed while it is read is read again; nobody seals so often. */
const mostTries = 5;

async function history(call: Call<Query<"historyQuery">>): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await once(call);
    } catch (error) {
      if (tries >= mostTries || !isSidecarError(error, "STORE_CONFLICT")) throw error;
    }
  }
}

async function once({ house, guest, id, query }: Call<Query<"historyQuery">>): Promise<Answer> {
  const { before, after, limit, include } = query;
  const record = await guest.registry.get(id);
  const wanted: PageQuery = {
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
    ...(limit !== undefined && { limit }),
    include: (include ?? "")
      .split(",")
      .filter((each): each is Included => included.some((name) => name === each)),
  };
  const make = async () => jsonTextOf(await pageOf(guest.registry, record, wanted));
  // What is not final may change under the same numbers.
  if (record.headSeq !== record.sealedSeq) {
    const text = await make();
    const { headSeq, sealedSeq } = await guest.registry.get(id);
    if (sealedSeq !== record.sealedSeq) throw journalConflict(id, record.headSeq, headSeq);
    return { text };
  }
  const { lease: _, ...known } = record;
  const key = `${id} ${JSON.stringify(wanted)}`;
  const { text, tag } = await house.pages.of(key, JSON.stringify(known), make);
  return { text, headers: { etag: tag } };
}

async function pageOf(
  registry: Call["guest"]["registry"],
  record: SessionRecord,
  wanted: PageQuery,
): Promise<object> {
  const page = await conversationPage(registry, record, wanted);
  const { headSeq, sealedSeq, settings } = record;
  const follow = idOf(await new Narrator(registry).endOf(record));
  return { ...page, headSeq, sealedSeq, rewinds: settings.rewinds ?? [], follow };
}
