/** The hot path: the agent's session updates, journaled and then forwarded, many at a time. */
import { announcedIn, mayNameSessions, renamed } from "../../acp/children.ts";
import { chosenBy, isOfSettings, titleIn, withUpdate } from "../../acp/settings.ts";
import { entriesOf } from "../../acp/update-entries.ts";
import { charsOf, dataOf, isState, updateIn, type ArrivedUpdate } from "../../acp/updates.ts";
import { tidyUp } from "../../base/heap.ts";
import type { SessionPatch } from "../../store/contract.ts";
import { commandsUpdate, withOurs } from "../commands/offered.ts";
import type { RelayContext } from "../context.ts";
import { readEarlier } from "./earlier-children.ts";
import { withoutHandoverEcho } from "../live/handed-over.ts";
import type { Replaying } from "../live/replaying.ts";
import type { LiveSession, UpdateBatch } from "../live/session.ts";
import type { Audience } from "../live/turn.ts";
import { noteUpdates } from "../measured.ts";
import { withChosen } from "./settings.ts";

type Update = ReturnType<typeof updateIn>;

/** Beyond so much that waits the agent is not read any further. */
const maxWaitingChars = 1 << 20;

/** Takes updates that were read together. A promise that is returned holds back the reading. */
export function takeUpdates(ctx: RelayContext, updates: readonly ArrivedUpdate[]): void | Promise<void> {
  let waiting: Promise<void> | undefined;
  for (let start = 0; start < updates.length;) {
    const sessionId = updates[start]?.sessionId;
    let end = start + 1;
    while (end < updates.length && updates[end]?.sessionId === sessionId) end += 1;
    const run = start === 0 && end === updates.length ? updates : updates.slice(start, end);
    const live = ctx.sessions.byAgentId(sessionId);
    const isUnknown = live === undefined && !ctx.sessions.isFormer(sessionId);
    if (isUnknown && ctx.sessions.children.mayBeOfBefore(sessionId)) {
      const rest = updates.slice(start);
      return readEarlier(ctx).then(() => takeUpdates(ctx, rest));
    }
    const child = live === undefined ? ctx.sessions.children.claimed(sessionId ?? "") : undefined;
    if (live !== undefined) waiting = enqueueUpdates(ctx, live, run) ?? waiting;
    else if (child !== undefined) {
      const own = run.map((update) => ({ ...update, child: child.id }));
      waiting = enqueueUpdates(ctx, child.live, own) ?? waiting;
    } else if (isUnknown) waiting = ctx.unclaimed.take(run) ?? waiting;
    start = end;
  }
  return waiting;
}

/** Puts updates into the session's lane. A promise that is returned settles when the lane has caught up. */
export function enqueueUpdates(
  ctx: RelayContext,
  live: LiveSession,
  arrived: readonly ArrivedUpdate[],
): Promise<void> | undefined {
  const updates = arrived.some(mayNameSessions) ? arrived.map((each) => named(ctx, live, each)) : arrived;
  const told = live.replaying === undefined ? updates : withoutState(live, live.replaying, updates);
  const news = live.choosing === undefined ? told : told.filter((update) => !isChosenAgain(live, update));
  if (news.length === 0) return undefined;
  const delivered = live.outboundUpdates(news, (batch) => deliver(ctx, live, batch));
  return live.waitingChars > maxWaitingChars ? (delivered ?? live.outboundIdle()) : undefined;
}

/** Sessions that an update names are named as we know them; a child that it announces is known from here on. */
function named({ sessions }: RelayContext, live: LiveSession, update: ArrivedUpdate): ArrivedUpdate {
  if (!mayNameSessions(update)) return update;
  const announced = announcedIn(update);
  if (announced !== undefined && sessions.byAgentId(announced) === undefined)
    sessions.children.announce(live, announced);
  return renamed(update, (id) => sessions.children.byAgentId(id)?.id ?? sessions.byAgentId(id)?.id);
}

/** What is replayed of the history; what is state goes on when the attach is done. */
function withoutState(
  live: LiveSession,
  replaying: Replaying,
  updates: readonly ArrivedUpdate[],
): readonly ArrivedUpdate[] {
  const history: ArrivedUpdate[] = [];
  for (const update of updates) {
    if (isState(update) && update.child === undefined) live.swallowedState.set(update.sessionUpdate, update);
    else history.push(update);
  }
  if (history.length > 0) replaying.note();
  return history;
}

/** What the agent says of modes and options while they are chosen again is heard, and is no news. */
function isChosenAgain({ choosing }: LiveSession, update: ArrivedUpdate): boolean {
  const { sessionUpdate } = update.type === "update" ? update : update.shape;
  if (choosing === undefined || update.type !== "update" || update.child !== undefined) return false;
  if (!isOfSettings(sessionUpdate)) return false;
  choosing.state = withUpdate(choosing.state, updateIn(update));
  return true;
}

async function deliver(
  ctx: RelayContext,
  live: LiveSession,
  { updates: all, audience, failures, recall }: UpdateBatch,
): Promise<void> {
  if (audience === "nobody" || failures !== live.failures) return;
  try {
    const updates =
      recall === undefined ? withoutHandoverEcho(live.handoverEcho, all) : await recall.news(all);
    await tell(ctx, live, updates, audience);
  } catch (error) {
    // What is not journaled is not forwarded either: the client is told by the end of the turn.
    ctx.holding.fail(live, error);
  }
}

/** Into the journal, and then to whom it concerns. */
export async function tell(
  ctx: RelayContext,
  live: LiveSession,
  updates: readonly ArrivedUpdate[],
  audience: Audience,
): Promise<void> {
  if (updates.length === 0) return;
  const chars = updates.reduce((sum, update) => sum + charsOf(update), 0);
  tidyUp(chars);
  await live.journal.append(entriesOf(updates, Date.now()));
  noteUpdates(ctx.meter, updates);
  tidyUp(chars);
  let hasCommands = false;
  for (const update of updates) {
    if (!isState(update) || update.child !== undefined) continue;
    hasCommands ||= update.sessionUpdate === commandsUpdate;
    await noteState(live, updateIn(update));
  }
  if (audience !== "client") return;
  if (hasCommands) await sendWithCommands(ctx, live, updates);
  else await live.attachments.sendUpdates(updates);
}

/** One by one, because they are few where an agent says what its commands are. */
async function sendWithCommands(
  ctx: RelayContext,
  live: LiveSession,
  updates: readonly ArrivedUpdate[],
): Promise<void> {
  for (const update of updates) {
    const isList = isState(update) && update.child === undefined && update.sessionUpdate === commandsUpdate;
    if (isList) await live.attachments.sendStored([await withOurs(ctx, live, dataOf(update))]);
    else await live.attachments.sendUpdates([update]);
  }
}

/** What an update says of the session itself goes into its record: the title, and what to choose again after an attach. */
async function noteState(live: LiveSession, update: Update): Promise<void> {
  live.agentState = withUpdate(live.agentState, update);
  const patch = patchOf(update, live);
  if (patch !== undefined) await live.update(patch);
}

function patchOf(
  update: Update,
  { record: { settings }, agentState }: LiveSession,
): SessionPatch | undefined {
  const title = titleIn(update);
  if (title !== undefined) return { title };
  const chosen = chosenBy(update);
  // A mode that the client knows of chooses nothing.
  const isKnown = chosen?.modeId !== undefined && chosen.modeId === settings.modeId;
  return chosen === undefined || isKnown ? undefined : { settings: withChosen(settings, chosen, agentState) };
}
