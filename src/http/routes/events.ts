/** What goes on while one looks: server-sent events of one session, and of the list of sessions. */
import { SidecarError } from "../../base/errors.ts";
import { followed } from "../events/follow.ts";
import { ListFeed } from "../events/list-feed.ts";
import { noPosition, positionIn } from "../events/position.ts";
import { eventStream } from "../events/stream.ts";
import { route, type Call, type Route } from "../route.ts";
import * as shapes from "../shapes/events-schema.ts";

type Query = (typeof shapes)["eventsQuery"]["_zod"]["output"];

const headers = { "Last-Event-ID": "goes on behind this event, without a gap and without telling one twice" };
const answers = ["text/event-stream"];
const mostFollowers = 512;

export const eventRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/events",
    name: "followSessions",
    summary: "sessions as they are made, change and go",
    notes:
      "Events: following (first), session (a Session, new or changed), gone ({id}), resync (load the list again), " +
      "trouble ({code, detail}: the store cannot be read for now) and recovered, end. Changes without activity to sessions that are not " +
      "among the newest hundred are not told.",
    ...{ headers, answers },
    query: shapes.eventsQuery,
    handle: followList,
  }),
  route({
    method: "get",
    path: "/api/sessions/:id/events",
    name: "followSession",
    summary: "a session as it grows, whoever writes to it",
    notes:
      "Events: session (a Session: first, and whenever its record changes), happening (an Item of one entry: it goes on with an earlier one " +
      "where goesOn or isNews says so), sealed ({from, sealedSeq}: all that was told from entry `from` on is replaced by what follows), " +
      "gone (it was deleted), trouble ({code, detail}) and recovered, end. `follow` of a history page is the id behind which to go on.",
    ...{ headers, answers },
    query: shapes.eventsQuery,
    handle: followSession,
  }),
];

function lastIdIn({ request, query }: Call<Query>): string | undefined {
  return query.after ?? request.headers.get("last-event-id") ?? undefined;
}

async function followSession(call: Call<Query>): Promise<Response> {
  const { house, guest, id } = call;
  const isAllowed = () => guest.registry.get(id);
  await isAllowed();
  const lastId = lastIdIn(call);
  // Told before the stream begins, where a status can say it.
  if (lastId !== undefined && positionIn(lastId) === undefined) throw noPosition();
  assertRoom(house.feeds.followers);
  const feed = house.feeds.enter(id);
  return eventStream(followed(feed, lastId, isAllowed), () => house.feeds.leave(id));
}

async function followList(call: Call<Query>): Promise<Response> {
  const { house, guest } = call;
  assertRoom(house.feeds.followers);
  const [leave, uncount] = [guest.stay(), house.feeds.countOfList()];
  const feed = await guest.own("list", async () => new ListFeed(guest.registry));
  const isAllowed = () => guest.access();
  return eventStream(followed(feed, lastIdIn(call), isAllowed), async () => {
    uncount();
    if (leave() === 0) await guest.disown("list");
  });
}

/** Errors: `REQUEST_LIMIT`. */
function assertRoom(followers: number): void {
  if (followers < mostFollowers) return;
  throw new SidecarError(
    "REQUEST_LIMIT",
    `${mostFollowers} streams are open already; end one, and try again`,
  );
}
