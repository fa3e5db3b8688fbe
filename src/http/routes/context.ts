/** What the project of a session is, what its agent knows of its files, and values that programs keep with it. */
import { createHash } from "node:crypto";
import { jsonTextOf } from "../../base/json-text.ts";
import type { Json } from "../../base/json.ts";
import { DiscoveryCache } from "../../context/discovery-cache.ts";
import { SessionContext, type ContextView } from "../../context/session-context.ts";
import { Refusal } from "../problems.ts";
import { route, type Answer, type Call, type Route } from "../route.ts";
import * as shapes from "../shapes/context-schema.ts";

type Change = (typeof shapes)["contextChange"]["_zod"]["output"];

const path = "/api/sessions/:id/context";
const answer = shapes.context;
const headers = { "If-Match": "the ETag of the context that this is about; * for whichever there is" };
const problems = [409, 412, 428];

export const contextRoutes: readonly Route[] = [
  route({
    method: "get",
    path,
    name: "getContext",
    summary: "the project, the files that the agent knows, and values",
    answer,
    handle: async (call) => told(await contextOf(call).get(call.id)),
  }),
  route({
    method: "put",
    path,
    name: "changeContext",
    summary: "changes values; those of other keys that were changed meanwhile stay",
    notes:
      "Where the same key was changed meanwhile the problem (409, CONTEXT_CONFLICT) has both sides in conflicts.",
    ...{ headers, answer, problems },
    body: shapes.contextChange,
    handle: change,
  }),
  route({
    method: "delete",
    path,
    name: "clearContext",
    summary: "forgets what is known: files, version control, values",
    ...{ headers, answer, problems },
    handle: async (call) => {
      const version = await versionIn(call);
      return told(await contextOf(call).clear(call.id, version === undefined ? {} : { version }));
    },
  }),
  route({
    method: "post",
    path: `${path}/refresh`,
    name: "refreshContext",
    summary: "looks at the project and its files anew",
    answer,
    handle: async (call) => told(await contextOf(call).refresh(call.id)),
  }),
  route({
    method: "get",
    path: `${path}/changes`,
    name: "contextChanges",
    summary: "what became of the files that the agent knows, by other hands than its own",
    query: shapes.changesQuery,
    answer: shapes.contextChanges,
    handle: changes,
  }),
];

async function changes(
  call: Call<{ readonly from?: number | undefined; readonly to?: number | undefined }>,
): Promise<Answer> {
  const { from, to } = call.query;
  const range = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
  const { files, ...others } = await contextOf(call).diff(call.id, range);
  return { body: { ...others, files: files.filter(({ what }) => what !== "same") } };
}

function contextOf({ house: { cacheFolder }, guest }: Pick<Call, "house" | "guest">): SessionContext {
  const discoveries = cacheFolder === undefined ? {} : { discoveries: new DiscoveryCache(cacheFolder) };
  return new SessionContext(guest.registry, discoveries);
}

async function change(call: Call<unknown, Change>): Promise<Answer> {
  const { values, version } = call.body;
  const about = version ?? (await versionIn(call));
  if (about === undefined && call.request.headers.get("if-match") === null)
    throw new Refusal(
      428,
      "Say which version this is about: send its ETag as If-Match, or version, or If-Match: *",
    );
  const context = contextOf(call);
  const { version: newest } = about === undefined ? await context.get(call.id) : { version: about };
  const wanted = values as Readonly<Record<string, Json>>;
  return told(await context.update(call.id, { version: newest, values: wanted }));
}

/** Undefined where none is named. Errors: 412 for what was never an `ETag` of ours. */
async function versionIn({ request }: Pick<Call, "request">): Promise<number | undefined> {
  const tag = request.headers.get("if-match")?.trim();
  if (tag === undefined || tag === "*") return undefined;
  const [, version] = /^"v(\d{1,15})[.-]/.exec(tag) ?? [];
  if (version !== undefined) return Number(version);
  throw new Refusal(412, "If-Match is no ETag of a session's context; read it again");
}

/** The tag says the version, and differs also when the folder has changed. */
function told(view: ContextView): Answer {
  const text = jsonTextOf(view);
  const hash = createHash("sha1").update(text).digest("base64url").slice(0, 12);
  return { text, headers: { etag: `"v${view.version}.${hash}"` } };
}
