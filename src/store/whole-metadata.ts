/** For drivers that change metadata only as a whole. */
import type { SessionId } from "../base/ids.ts";
import { KeyedQueue } from "../base/queue.ts";
import type { SessionPatch } from "./contract.ts";
import { forwarding } from "./decorate.ts";
import type { StoreDriver } from "./driver.ts";
import { changedMetadata } from "./patch.ts";
import { sessionNotFound } from "./refusals.ts";

/** Reads what is there and gives all; of several changes in this process none undoes another. */
export function changingMetadata(driver: StoreDriver): StoreDriver {
  const queue = new KeyedQueue<SessionId>();
  const whole = async (id: SessionId, { metadataChanges = {}, ...patch }: SessionPatch) => {
    const record = await driver.get(id);
    if (record === undefined) throw sessionNotFound(id);
    return { ...patch, metadata: changedMetadata(patch.metadata ?? record.metadata, metadataChanges) };
  };
  const { queuesWrites } = driver;
  return forwarding(driver, {
    ...(queuesWrites !== undefined && { queuesWrites }),
    ...(driver.toStoreError !== undefined && {
      toStoreError: (error, id) => driver.toStoreError?.(error, id),
    }),
    update: (id, patch, lease) =>
      patch.metadataChanges === undefined
        ? driver.update(id, patch, lease)
        : queue.run(id, async () => driver.update(id, await whole(id, patch), lease)),
  });
}
