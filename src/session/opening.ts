/** How a session is taken to be written to. */
import type { SessionId } from "../base/ids.ts";
import { broughtBackByOpening } from "./archived.ts";
import type { Parts } from "./creation.ts";
import { holderText, isDead, isSameHolder, mayTake, thisHolder } from "./holder.ts";
import { Journal, type OpenedJournal, type Taking } from "./journal.ts";
import { mendedAfterCrash } from "./rewinds-kept.ts";
import type { RegistryDefaults } from "./registry-options.ts";

type Options = Pick<RegistryDefaults, "durability" | "leaseTtlMs" | "onBusy">;

/** Live until it is released or lost. Errors: `SESSION_LIMIT`, and as `takeSession`. */
export async function openSession(
  parts: Parts,
  options: Options,
  id: SessionId,
  taking: Taking,
): Promise<OpenedJournal> {
  const wasLive = parts.live.has(id);
  const use = parts.live.use(id);
  try {
    return await broughtBackByOpening(await takeSession(parts, options, id, { ...taking, use }));
  } catch (error) {
    if (!wasLive) use.end();
    throw error;
  }
}

/**
 * The same for a moment, and for something that is recorded by its own name. Whose it was meanwhile has lost it, and
 * learns of it: that is a takeover all the same. Errors: as `takeSession`.
 */
export async function takeBriefly(
  parts: Parts,
  options: Options,
  id: SessionId,
  taking: Taking,
): Promise<OpenedJournal> {
  const opened = await takeSession(parts, options, id, taking);
  const { previous } = opened;
  const self = thisHolder();
  if (previous !== undefined && !isSameHolder(previous.holder, self) && !isDead(previous.holder, self)) {
    const facts = { from: holderText(previous.holder), briefly: true };
    parts.audit.note({ what: "session.takeover", session: id, facts });
  }
  return opened;
}

/** For a moment, so that it is not live for it. Errors: `SESSION_NOT_FOUND`, `SESSION_BUSY`, `STORE_…`. */
export async function takeSession(
  { store, events, room, audit }: Parts,
  { durability, leaseTtlMs, onBusy }: Options,
  id: SessionId,
  taking: Taking,
): Promise<OpenedJournal> {
  const holder = taking.holder ?? thisHolder();
  const options = { store, durability, leaseTtlMs, tell: events.tell, headed: audit.noteHead, room };
  const opened = await Journal.open(id, { mayTake: mayTake(onBusy, holder), ...options, ...taking, holder });
  try {
    return { ...opened, record: await mendedAfterCrash(store, opened) };
  } catch (error) {
    await opened.journal.release().catch(() => undefined);
    throw error;
  }
}
