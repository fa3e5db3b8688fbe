/** What is written under a lease: who may is decided when it is taken, and asked again when it is extended. */
import { isSidecarError } from "../../base/errors.ts";
import type { Lease, Store } from "../contract.ts";
import { frozenCopy } from "../copy.ts";
import type { StoreDriver } from "../driver.ts";
import { sessionNotFound } from "../refusals.ts";
import type { Guard } from "./guard.ts";
import { noLongerLent } from "./refusals.ts";

/** Writes under a lease that was taken here go their way at once; any other is looked at first. */
function written<T, E>(
  guard: Guard,
  lease: Lease,
  entries: E,
  act: (entries: E, lease: Lease) => Promise<T>,
): Promise<T> {
  const { sessionId } = lease;
  const held = guard.heldBy(lease);
  if (held?.may.has("prompt") === true) return guard.inOrder(sessionId, true, () => act(entries, lease));
  const [own, ours] = [frozenCopy(entries), frozenCopy(lease)];
  return guard.inOrder(sessionId, false, async () => {
    if (held !== undefined) throw guard.refused(sessionId, "prompt");
    await guard.required(sessionId, "prompt");
    return act(own, ours);
  });
}

export function entriesOf(inner: Store, guard: Guard) {
  return {
    append: (id, after, entries, lease) =>
      written(guard, lease, entries, (own, held) => inner.append(id, after, own, held)),
    seal: (id, range, entries, lease) =>
      written(guard, lease, entries, (own, held) => inner.seal(id, range, own, held)),
    rewrite: (id, from, entries, lease) =>
      written(guard, lease, entries, (own, held) => inner.rewrite(id, from, own, held)),
    compress: (id, lease) => written(guard, lease, [], (_, held) => inner.compress(id, held)),
    read: async function* (id, range) {
      if (guard.held(id) === undefined && (await guard.visible(id)) === undefined) throw sessionNotFound(id);
      yield* inner.read(id, range);
    },
  } satisfies Partial<StoreDriver>;
}

export function leasesOf(inner: Store, guard: Guard) {
  return {
    acquire: (id, request) => {
      const own = frozenCopy(request);
      return guard.inOrder(id, false, async () => {
        const { rights } = await guard.required(id, "prompt", "delete");
        const acquired = await inner.acquire(id, own);
        guard.noteHeld(id, acquired.lease.fence, rights);
        return acquired;
      });
    },
    renew: (lease) => {
      const isKnown = guard.heldBy(lease)?.isLent === false;
      const own = frozenCopy(lease);
      return guard.inOrder(lease.sessionId, isKnown, async () => {
        if (!isKnown) await stillLent(inner, guard, own);
        return inner.renew(own);
      });
    },
    release: (lease) => {
      const { sessionId } = lease;
      const isKnown = guard.heldBy(lease) !== undefined;
      const own = frozenCopy(lease);
      return guard.inOrder(sessionId, isKnown, async () => {
        if (!isKnown && (await guard.visible(sessionId)) === undefined) return;
        if (isKnown) guard.forget(sessionId);
        return inner.release(own);
      });
    },
  } satisfies Partial<StoreDriver>;
}

/** What was lent may have been taken back: whoever holds it learns of it when the lease is extended. */
async function stillLent(inner: Store, guard: Guard, lease: Lease): Promise<void> {
  const { sessionId, fence } = lease;
  const found = await unlessRevoked(guard.visible(sessionId));
  // The store says what there is to say of one that is gone.
  if (found === undefined && (await inner.get(sessionId)) === undefined) return;
  const isHeldHere = guard.heldBy(lease) !== undefined;
  const { rights } = found ?? {};
  if (rights?.may.has("prompt") === true || rights?.may.has("delete") === true) {
    if (isHeldHere) guard.noteHeld(sessionId, fence, rights);
    return;
  }
  if (!isHeldHere) throw sessionNotFound(sessionId);
  await inner.release(lease);
  guard.forget(sessionId);
  throw noLongerLent(sessionId);
}

/** A token that was revoked meanwhile reaches nothing. */
async function unlessRevoked<T>(looking: Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await looking;
  } catch (error) {
    if (isSidecarError(error, "TOKEN_INVALID")) return undefined;
    throw error;
  }
}
