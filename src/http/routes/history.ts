/** What was said and done in a session, a page at a time. */
import { jsonTextOf } from "../../base/json-text.ts";
import { conversationPage, included, type Included } from "../../history/pages/page.ts";
import { readWhole } from "../../session/read-whole.ts";
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

function history(call: Call<Query<"historyQuery">>): Promise<Answer> {
  return readWhole(() => once(call));
}

async function once({ house, guest, id, query }: Call<Query<"historyQuery">>): Promise<Answer> {
  const record = await guest.registry.get(id);
  // What is not final may change under the same numbers.
  if (record.headSeq !== record.sealedSeq) {
    const text = await textOf(guest.registry, record, query);
    const { headSeq, sealedSeq } = await guest.registry.get(id);
    if (sealedSeq !== record.sealedSeq) throw journalConflict(id, record.headSeq, headSeq);
    return { text };
  }
  const { before = "", after = "", limit = "", include = "" } = query;
  const key = `${id} ${before} ${after} ${limit} ${include}`;
  const known = house.pages.known(key, record);
  return { ready: known ?? house.pages.keep(key, record, await textOf(guest.registry, record, query)) };
}

async function textOf(
  registry: Call["guest"]["registry"],
  record: SessionRecord,
  { before, after, limit, include = "" }: Query<"historyQuery">,
): Promise<string> {
  const page = await conversationPage(registry, record, {
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
    ...(limit !== undefined && { limit }),
    include: include.split(",").filter((each): each is Included => included.some((name) => name === each)),
  });
  const { headSeq, sealedSeq, settings } = record;
  const follow = idOf(await new Narrator(registry).endOf(record));
  return jsonTextOf({ ...page, headSeq, sealedSeq, rewinds: settings.rewinds ?? [], follow });
}
