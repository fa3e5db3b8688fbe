/** Over many sessions: search, usage; and one session to be taken along. */
import { cachedSearch } from "../searching.ts";
import { SessionExport } from "../../history/export/export.ts";
import { exportFileName } from "../../history/export/file-name.ts";
import type { ExportFormat } from "../../history/export/formats.ts";
import { plainSnippet } from "../../history/search/snippet.ts";
import { usageFileOf } from "../../history/usage/place.ts";
import { usageRows } from "../../history/usage/rows.ts";
import { usageOf } from "../../history/usage/usage.ts";
import type { SessionId } from "../../base/ids.ts";
import { route, type Answer, type Call, type Route } from "../route.ts";
import * as shapes from "../shapes/history-wide-schema.ts";
import { streamed } from "../streamed.ts";

type Shape<T extends keyof typeof shapes> = (typeof shapes)[T]["_zod"]["output"];

/** What each form is called on the way. */
export const exportTypes: Readonly<Record<ExportFormat, string>> = {
  markdown: "text/markdown; charset=utf-8",
  html: "text/html; charset=utf-8",
  json: "application/json",
  jsonl: "application/x-ndjson",
  bundle: "application/vnd.acp-sidecar.bundle",
};

export const wideRoutes: readonly Route[] = [
  route({
    method: "post",
    path: "/api/sessions/:id/export",
    name: "exportSession",
    summary: "the session as Markdown, HTML, JSON, JSONL or a bundle, written while it is read",
    body: shapes.exportWish,
    isBodyOptional: true,
    answers: Object.values(exportTypes),
    handle: exported,
  }),
  route({
    method: "get",
    path: "/api/search",
    name: "search",
    summary: "messages with all the words, sessions with the newest activity first",
    query: shapes.searchQuery,
    answer: shapes.searchResult,
    handle: search,
  }),
  route({
    method: "get",
    path: "/api/usage",
    name: "usage",
    summary: "turns, tokens and cost, as the agents reported them",
    query: shapes.usageQuery,
    answer: shapes.usage,
    handle: usage,
  }),
];

async function exported({ guest, id, body, request }: Call<unknown, Shape<"exportWish">>): Promise<Response> {
  const { format = "markdown", redact, thoughts, superseded } = body;
  const record = await guest.registry.get(id);
  const text = new SessionExport(guest.registry, record, {
    format,
    ...(redact !== undefined && { redact }),
    ...(thoughts !== undefined && { thoughts }),
    ...(superseded !== undefined && { superseded }),
  });
  const name = encodeURIComponent(exportFileName(record, format));
  return streamed(request, text, {
    "content-type": exportTypes[format],
    "content-disposition": `attachment; filename*=UTF-8''${name}`,
  });
}

async function search({ house, guest, query, signal }: Call<Shape<"searchQuery">>): Promise<Answer> {
  const { q, cwd, agent, role, sinceMs, untilMs, in: id, archived, superseded, limit, perSession } = query;
  const searcher = await cachedSearch(guest, house);
  const found = await searcher.search(
    q,
    {
      ...(cwd !== undefined && { cwd }),
      ...(agent !== undefined && { agent }),
      ...(role !== undefined && { role }),
      ...(sinceMs !== undefined && { sinceMs }),
      ...(untilMs !== undefined && { untilMs }),
      ...(id !== undefined && { in: id as SessionId }),
      ...(archived !== undefined && { archived: archived === "true" }),
      superseded: superseded === "true",
      ...(limit !== undefined && { limit }),
      ...(perSession !== undefined && { perSession }),
    },
    signal,
  );
  const sessions = found.sessions.map(({ hits, ...session }) => ({
    ...session,
    hits: hits.map((hit) => ({ ...hit, text: plainSnippet(hit.snippet) })),
  }));
  return { body: { ...found, sessions } };
}

async function usage({ house, guest, query }: Call<Shape<"usageQuery">>): Promise<Answer> {
  const { by = "day", sinceMs } = query;
  const cacheFile = await usageFileOf(guest.registry, house.cacheFolder);
  return { body: { by, rows: usageRows(await usageOf(guest.registry, { cacheFile }), by, sinceMs) } };
}
