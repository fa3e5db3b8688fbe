/** How a session comes to be, written, made as safe as was asked for, and refused by nobody; and how its record changes. */
import type { Audit } from "../audit/audit.ts";
import type { SessionId } from "../base/ids.ts";
import type { Durability } from "../config/config.ts";
import type { SessionPatch, SessionRecord, Store } from "../store/contract.ts";
import { sessionNotFound } from "../store/refusals.ts";
import type { HeldRoom } from "./held.ts";
import { buriedAtMs, isGone } from "./hidden.ts";
import type { Events } from "./events.ts";
import type { LiveSet } from "./live.ts";
import type { Originals } from "./originals.ts";
import type { PassOver } from "./pages.ts";
import { emptySession, type SessionInit } from "./registry-options.ts";
import { inheritedRewinds } from "./rewinds.ts";
import { mended, withRewindsKept } from "./rewinds-kept.ts";
import { tellUpdate } from "./telling.ts";

/** What a registry is made of. */
export interface Parts {
  readonly store: Store;
  readonly live: LiveSet;
  readonly events: Events;
  readonly room: HeldRoom;
  readonly originals: Originals;
  readonly audit: Audit;
  readonly passOver: PassOver;
  readonly now: () => number;
}

/** Errors: `SESSION_LIMIT`, `SESSION_NOT_FOUND` for an unknown parent, `STORE_…`. */
export async function createSession(
  { store, live, events, now }: Parts,
  durability: Durability,
  init: SessionInit,
  id: SessionId,
): Promise<SessionRecord> {
  const nowMs = now();
  const wasLive = live.has(id);
  live.add(id);
  const make = async () => {
    const record = await store.create({
      ...emptySession,
      ...init,
      ...(await inherited(store, init)),
      id,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
    });
    if (durability === "full") await store.flush();
    await keptUnlessRefused(store, events, record);
    return record;
  };
  try {
    return await events.noted("create", id, make, (record) => ({ record }));
  } catch (error) {
    if (!wasLive) live.remove(id);
    throw error;
  }
}

/** What does not count of the parent's entries does not count in the fork either. */
async function inherited(
  store: Store,
  { lineage, settings = {} }: SessionInit,
): Promise<Partial<SessionInit>> {
  if (lineage === undefined) return {};
  const { rewinds: _, ...others } = settings;
  const parent = await store.get(lineage.parentId);
  const rewinds = parent === undefined ? [] : inheritedRewinds(parent, lineage.atSeq);
  return { settings: rewinds.length > 0 ? { ...others, rewinds } : others };
}

/** By what it was before. Counts as activity. Errors: `SESSION_NOT_FOUND`. */
export async function changeSession(
  { store, live, events, now }: Parts,
  before: SessionRecord,
  wanted: SessionPatch,
): Promise<SessionRecord> {
  const { id } = before;
  const patch = withRewindsKept(before, wanted);
  const record = await settled(
    store,
    before,
    await store.update(id, { updatedAtMs: now(), ...patch }),
    patch,
  );
  if (isGone(record)) {
    // It went meanwhile: nothing brings it among the others again but its restoration.
    await store.update(id, { updatedAtMs: buriedAtMs });
    throw sessionNotFound(id);
  }
  live.touch(id);
  tellUpdate(events.tell, record, patch);
  return record;
}

/** Settings that were written over a rewind which came meanwhile know of it again. */
async function settled(
  store: Store,
  before: SessionRecord,
  after: SessionRecord,
  { settings }: SessionPatch,
): Promise<SessionRecord> {
  if (settings === undefined) return after;
  let [seen, now] = [before.sealedSeq, after];
  while (now.sealedSeq > seen) {
    const { sealedSeq } = now;
    now = await mended(store, now, seen, (patch) => store.update(now.id, patch));
    seen = sealedSeq;
  }
  return now;
}

/** A session that a hook refuses is not made: nobody would ever learn its id. */
async function keptUnlessRefused(store: Store, events: Events, record: SessionRecord): Promise<void> {
  try {
    await events.ask("create", { record });
  } catch (error) {
    await store.delete(record.id);
    throw error;
  }
}
