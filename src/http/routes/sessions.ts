/** Sessions: listed, made, looked at, changed, kept, deleted. */
import { SidecarError } from "../../base/errors.ts";
import { isAbsoluteFolder } from "../../base/folder.ts";
import type { SessionId } from "../../base/ids.ts";
import { isHeld } from "../../session/holder.ts";
import type { SessionRecord } from "../../session/registry-options.ts";
import { checkFor } from "../../session/wanted.ts";
import { sessionBusy } from "../../store/refusals.ts";
import { route, type Answer, type Call, type Route } from "../route.ts";
import { sessionSchema } from "../schema.ts";
import { assertNotOurs, sessionShape } from "../session-shape.ts";
import * as shapes from "../shapes/sessions-schema.ts";

type Query<T extends keyof typeof shapes> = (typeof shapes)[T]["_zod"]["output"];

export const sessionRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/sessions",
    name: "listSessions",
    summary: "sessions, newest activity first",
    query: shapes.listQuery,
    answer: shapes.sessionList,
    handle: listed,
  }),
  route({
    method: "post",
    path: "/api/sessions",
    name: "createSession",
    summary: "a new session, without an agent yet",
    body: shapes.newSession,
    answer: sessionSchema,
    status: 201,
    problems: [429],
    handle: created,
  }),
  route({
    method: "get",
    path: "/api/sessions/:id",
    name: "getSession",
    summary: "one session",
    answer: sessionSchema,
    handle: async ({ guest, id }) => ({ body: sessionShape(await guest.registry.get(id)) }),
  }),
  route({
    method: "patch",
    path: "/api/sessions/:id",
    name: "changeSession",
    summary: "another title, into the archive or out of it, other metadata",
    body: shapes.sessionChange,
    answer: sessionSchema,
    problems: [409],
    handle: changed,
  }),
  route({
    method: "delete",
    path: "/api/sessions/:id",
    name: "deleteSession",
    summary: "into the trash, or for good",
    notes:
      "A session in which a turn runs is left alone, and the answer names its holder, unless it is forced.",
    query: shapes.deleteQuery,
    status: 204,
    problems: [409],
    handle: deleted,
  }),
  route({
    method: "put",
    path: "/api/sessions/:id/extend",
    name: "extendSession",
    summary: "counts as activity now, and so lives longer",
    body: shapes.nothing,
    isBodyOptional: true,
    answer: shapes.extended,
    handle: extended,
  }),
];

async function listed({ guest, query }: Call<Query<"listQuery">>): Promise<Answer> {
  const { cwd, sinceMs, untilMs, archived, parent, limit, cursor, state, agent, title, words } = query;
  const filter = {
    ...(cwd !== undefined && { cwd }),
    ...(sinceMs !== undefined && { updatedSinceMs: sinceMs }),
    ...(untilMs !== undefined && { updatedBeforeMs: untilMs }),
    ...(parent !== undefined && { parentId: parent as SessionId }),
    ...(archived !== undefined && { archived }),
  };
  const where = checkFor({ state, agent, title, words });
  const page = await guest.registry.list({
    ...filter,
    ...(where && { where }),
    ...(limit !== undefined && { limit }),
    ...(cursor !== undefined && { cursor }),
  });
  // The store counts what it looks for itself.
  const isCounted = query.count === "true" && where === undefined;
  return {
    body: {
      sessions: page.items.map(sessionShape),
      ...(isCounted && { total: await guest.registry.count(filter) }),
      ...(page.nextCursor !== undefined && { nextCursor: page.nextCursor }),
      ...(page.unreadable && { unreadable: page.unreadable.map(({ id, code }) => ({ id, code })) }),
    },
  };
}

/** By which request it was made: that one may come again when this process has ended. */
const madeByKey = "acp-sidecar.madeBy";

async function created({ guest, body, key }: Call<unknown, Query<"newSession">>): Promise<Answer> {
  const { cwd, title, additionalDirectories, metadata = {} } = body;
  for (const each of [cwd, ...(additionalDirectories ?? [])]) assertAbsolute(each);
  assertNotOurs(metadata);
  const marks = key === undefined ? {} : { [madeByKey]: key };
  if (key !== undefined) {
    const known = await guest.registry.list({ metadata: marks, archived: "include", limit: 1 });
    if (known.items[0] !== undefined) return made(guest, known.items[0]);
  }
  const record = await guest.registry.create({
    ...{ cwd, metadata: { ...metadata, ...marks } },
    ...(title !== undefined && { title }),
    ...(additionalDirectories && { additionalDirectories }),
  });
  return made(guest, record);
}

/** Nobody has it open here. */
export function made({ registry }: Call["guest"], record: SessionRecord): Answer {
  registry.live.remove(record.id);
  return { status: 201, body: sessionShape(record), headers: { location: `/api/sessions/${record.id}` } };
}

async function changed({ guest, id, body }: Call<unknown, Query<"sessionChange">>): Promise<Answer> {
  const { title, archived, metadata } = body;
  const { registry } = guest;
  if (metadata !== undefined) {
    assertNotOurs(metadata);
    await registry.update(id, ({ updatedAtMs }) => ({ metadataChanges: metadata, updatedAtMs }));
  }
  if (title !== undefined) await registry.rename(id, title);
  if (archived !== undefined) await (archived ? registry.archive(id) : registry.unarchive(id));
  return { body: sessionShape(await registry.get(id)) };
}

async function deleted({ guest, id, query }: Call<Query<"deleteQuery">>): Promise<Answer> {
  const { registry } = guest;
  const { lease } = await registry.get(id);
  const force = query.force === "true";
  // Also one that this very process holds, whose turn nobody else may end.
  if (!force && isHeld(lease) && lease.turnRunning) throw sessionBusy(id, lease);
  await registry.remove(id, { force });
  if (query.erase === "true") await registry.delete(id);
  return { status: 204 };
}

async function extended({ house, guest, id }: Call): Promise<Answer> {
  const { updatedAtMs } = await guest.registry.touch(id);
  const { retentionMs } = house.config;
  return {
    body: { id, updatedAtMs, expiresAtMs: retentionMs === undefined ? null : updatedAtMs + retentionMs },
  };
}

function assertAbsolute(folder: string): void {
  if (isAbsoluteFolder(folder) && !folder.includes("\0")) return;
  throw new SidecarError(
    "INVALID_PARAMS",
    "A folder must be absolute, without a NUL: name it from the root on",
    {
      data: { at: "cwd" },
    },
  );
}
