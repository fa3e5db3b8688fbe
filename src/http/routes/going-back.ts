/** What is done to a whole conversation: forked, rewound, put away, shared. */
import type { NewMessage } from "../../session/messages.ts";
import type { Token } from "../../store/guarded/tokens.ts";
import { route, type Answer, type Call, type Route } from "../route.ts";
import { sessionSchema } from "../schema.ts";
import { sessionShape } from "../session-shape.ts";
import * as shapes from "../shapes/messages-schema.ts";
import { made } from "./sessions.ts";

type Body<T extends keyof typeof shapes> = Call<unknown, (typeof shapes)[T]["_zod"]["output"]>;

export const goingBackRoutes: readonly Route[] = [
  route({
    method: "post",
    path: "/api/sessions/:id/fork",
    name: "forkSession",
    summary: "a new session that shares the beginning of this one",
    body: shapes.forkWish,
    isBodyOptional: true,
    answer: sessionSchema,
    status: 201,
    problems: [409, 429],
    handle: fork,
  }),
  route({
    method: "post",
    path: "/api/sessions/:id/rewind",
    name: "rewindSession",
    summary: "from now on the conversation is what it was at an entry; or a prompt is said anew",
    body: shapes.rewindWish,
    answer: sessionSchema,
    problems: [409],
    handle: rewind,
  }),
  route({
    method: "post",
    path: "/api/sessions/:id/archive",
    name: "archiveSession",
    summary: "into the archive, or out of it",
    body: shapes.archiveWish,
    isBodyOptional: true,
    answer: sessionSchema,
    problems: [409],
    handle: archive,
  }),
  route({
    method: "post",
    path: "/api/sessions/:id/share",
    name: "shareSession",
    summary: "lets somebody else read it, or do more",
    body: shapes.shareWish,
    answer: shapes.share,
    handle: share,
  }),
  route({
    method: "get",
    path: "/api/sessions/:id/share",
    name: "listShares",
    summary: "whose it is, and with whom it is shared",
    answer: shapes.shares,
    handle: async ({ guest: { registry }, id }) => {
      const owner = (await registry.sharing.ownerOf(id)) ?? null;
      const links = (await registry.sharing.links.list(id)).map(linkShape);
      return { body: { owner, shares: await registry.sharing.shares(id), links } };
    },
  }),
  route({
    method: "delete",
    path: "/api/sessions/:id/share",
    name: "unshareSession",
    summary: "shares it with somebody no longer; whoever is writing by that is stopped",
    query: shapes.unshareQuery,
    answer: shapes.unshared,
    handle: async ({ guest, id, query }: Call<{ readonly with: string }>) => ({
      body: { with: query.with, wasShared: await guest.registry.sharing.unshare(id, query.with) },
    }),
  }),
  route({
    method: "post",
    path: "/api/sessions/:id/links",
    name: "makeLink",
    summary: "an address by which whoever has it reads the session in the web view",
    body: shapes.linkWish,
    isBodyOptional: true,
    answer: shapes.madeLink,
    handle: async ({ guest: { registry }, id, body: { untilMs } }: Body<"linkWish">) => {
      const { token, fragment } = await registry.sharing.links.make(id, {
        ...(untilMs !== undefined && { untilMs }),
      });
      return { body: { ...linkShape(token), fragment } };
    },
  }),
  route({
    method: "delete",
    path: "/api/sessions/:id/links",
    name: "endLinks",
    summary: "ends all such addresses of the session",
    answer: shapes.endedLinks,
    handle: async ({ guest: { registry }, id }) => ({
      body: { links: await registry.sharing.links.end(id) },
    }),
  }),
];

function linkShape({ id: token, untilMs = 0 }: Token) {
  return { token, untilMs };
}

async function fork({ guest, id, body }: Body<"forkWish">): Promise<Answer> {
  return made(guest, await guest.registry.fork(id, body.atSeq));
}

async function rewind({ guest: { registry }, id, body }: Body<"rewindWish">): Promise<Answer> {
  if ("toSeq" in body) await registry.rewind(id, body.toSeq);
  else if ("undo" in body) await registry.back.rewind(id, "undo");
  else await registry.edit(id, body.editSeq, { role: "user", content: body.content } as NewMessage);
  return { body: sessionShape(await registry.get(id)) };
}

async function archive({ guest: { registry }, id, body }: Body<"archiveWish">): Promise<Answer> {
  await (body.archived === false ? registry.unarchive(id) : registry.archive(id));
  return { body: sessionShape(await registry.get(id)) };
}

async function share({ guest: { registry }, id, body }: Body<"shareWish">): Promise<Answer> {
  const { with: name, permissions, untilMs } = body;
  const wish = {
    with: name,
    ...(permissions && { permissions }),
    ...(typeof untilMs === "number" && { untilMs }),
  };
  return { body: await registry.sharing.share(id, wish) };
}
